// A connection as minod-cli uses it: opened when needed, opened again when it was lost, each reply printed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/resp/client.h"
#include "tools/cli_options.h"

namespace minod {

class CliSession {
 public:
  explicit CliSession(const CliOptions& options);

  // Connects unless connected; an error has been told to the user, kExitConnection or kExitErrorReply says which kind.
  int ensure_connected();

  // Sends a command, prints what it answers. Returns an exit status. SUBSCRIBE and MONITOR print until the connection
  // ends.
  int run(const std::vector<std::string>& words);

  // Sends a command and prints nothing.
  Result<resp::Value> call(const std::vector<std::string>& words);

  void print(const resp::Value& value, bool as_text = false) const;

  resp::Client& client() { return *client_; }  // after ensure_connected() gave kExitOk
  bool connected() const { return client_.has_value(); }
  std::string prompt() const;

 private:
  bool lost() const;
  void follow(const std::vector<std::string>& words, const resp::Value& reply);
  int stream(const std::vector<std::string>& words);
  int broken(const Error& error);

  resp::Address address_;  // also what later AUTH and SELECT made of it, for connecting again
  int protocol_;
  CliOutput output_;
  std::optional<resp::Client> client_;
};

}  // namespace minod
