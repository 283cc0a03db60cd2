#include "tools/cli_commands.h"

#include <algorithm>
#include <cctype>

namespace minod {

namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::replace(result.begin(), result.end(), '|', ' ');
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

// Of a map, or of the flat array that stands for it in RESP2.
const resp::Value* find(const resp::Value& map, std::string_view key) {
  for (std::size_t i = 0; i + 1 < map.elements.size(); i += 2) {
    if (map.elements[i].text == key) return &map.elements[i + 1];
  }
  return nullptr;
}

std::string_view text_of(const resp::Value& map, std::string_view key) {
  const resp::Value* value = find(map, key);
  return value == nullptr ? std::string_view() : std::string_view(value->text);
}

bool has_flag(const resp::Value& argument, std::string_view flag) {
  const resp::Value* flags = find(argument, "flags");
  if (flags == nullptr) return false;
  return std::any_of(flags->elements.begin(), flags->elements.end(), [flag](const auto& f) { return f.text == flag; });
}

std::string hint_of_all(const resp::Value& arguments, char separator);

std::string hint_of(const resp::Value& argument) {
  const std::string_view type = text_of(argument, "type");
  const resp::Value* parts = find(argument, "arguments");
  std::string hint(text_of(argument, "token"));
  if (type != "pure-token") {
    std::string contents(text_of(argument, "name"));
    if (parts != nullptr) contents = hint_of_all(*parts, type == "oneof" ? '|' : ' ');
    if (has_flag(argument, "multiple")) contents += " [" + contents + " ...]";
    if (!hint.empty()) hint += ' ';
    hint += contents;
  }
  return has_flag(argument, "optional") ? "[" + hint + "]" : hint;
}

// The nesting is bounded by parse_value().
std::string hint_of_all(const resp::Value& arguments, char separator) {
  std::string hint;
  for (const resp::Value& argument : arguments.elements) {
    if (!hint.empty()) hint += separator;
    hint += hint_of(argument);
  }
  return hint;
}

}  // namespace

void CliCommands::learn_docs(const resp::Value& docs) {
  for (std::size_t i = 0; i + 1 < docs.elements.size(); i += 2) learn(docs.elements[i].text, docs.elements[i + 1]);
}

void CliCommands::learn(const std::string& name, const resp::Value& facts) {
  const resp::Value* arguments = find(facts, "arguments");
  arguments_[lower(name)] = arguments == nullptr ? std::string() : hint_of_all(*arguments, ' ');
  if (const resp::Value* subcommands = find(facts, "subcommands")) learn_docs(*subcommands);
}

void CliCommands::learn_names(const resp::Value& commands) {
  for (const resp::Value& command : commands.elements) {
    if (!command.elements.empty()) arguments_.try_emplace(lower(command.elements.front().text));
  }
}

std::vector<std::string> CliCommands::beginning_with(std::string_view prefix) const {
  const std::string wanted = lower(prefix);
  std::vector<std::string> names;
  for (auto at = arguments_.lower_bound(wanted); at != arguments_.end() && at->first.starts_with(wanted); ++at) {
    if (at->first.find(' ', wanted.size()) == std::string::npos) names.push_back(at->first);
  }
  return names;
}

std::string CliCommands::arguments_of(std::string_view name) const {
  const auto found = arguments_.find(lower(name));
  return found == arguments_.end() ? std::string() : found->second;
}

}  // namespace minod
