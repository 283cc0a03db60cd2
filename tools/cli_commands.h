// What the server says its commands are: names for completion, arguments for hints.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "net/resp/value.h"

namespace minod {

class CliCommands {
 public:
  // From the replies to COMMAND DOCS and to COMMAND, in either protocol.
  void learn_docs(const resp::Value& docs);
  void learn_names(const resp::Value& commands);

  bool empty() const { return arguments_.empty(); }

  // The names, in lower case and with a blank before a subcommand, that begin with `prefix` in any case. Subcommands
  // only when `prefix` has the blank.
  std::vector<std::string> beginning_with(std::string_view prefix) const;

  // "key value [EX seconds|PX milliseconds] [GET]", or nothing.
  std::string arguments_of(std::string_view name) const;

 private:
  void learn(const std::string& name, const resp::Value& facts);

  std::map<std::string, std::string, std::less<>> arguments_;  // by name
};

}  // namespace minod
