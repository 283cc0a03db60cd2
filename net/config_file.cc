// load_config_file(): the lines of a file become calls of set_option().
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "net/config.h"
#include "net/resp/words.h"

namespace minod {

namespace {

constexpr int kIncludeDepthMax = 16;
constexpr std::size_t kFileSizeMax = std::size_t{1} << 20;

Error invalid(std::string detail) { return Error{Errc::kInvalid, 0, std::move(detail)}; }

Result<std::string> read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), std::fclose);
  if (!file) return errno_error("open " + path, errno);
  std::string text(kFileSizeMax + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return errno_error("read " + path, errno);
  if (text.size() > kFileSizeMax) return invalid(path + " is larger than a config file may be, 1mb");
  return text;
}

Result<void> load(const std::string& path, Config& config, int depth);

Result<void> apply_line(std::string_view line, Config& config, int depth) {
  const std::size_t begin = line.find_first_not_of(" \t\r\v\f");
  if (begin == std::string_view::npos || line[begin] == '#') return {};
  std::vector<std::string> words;
  if (!resp::split_words(line, words)) return invalid("unbalanced quotes");
  const std::string& name = words.front();
  if (words.size() == 1) return invalid(name + " needs a value");
  if (name == "include") {
    if (words.size() != 2) return invalid("include takes one path");
    return load(words[1], config, depth + 1);
  }
  const Option* option = find_option(name);
  // Addresses and Redis's own many-worded values need no quotes; anything else would lose its spaces unnoticed.
  if (words.size() > 2 && option != nullptr && option->name != "bind" && option->name != "replicaof") {
    return invalid(name + " takes one value; quote it if it holds spaces");
  }
  std::string value = words[1];
  for (std::size_t i = 2; i < words.size(); ++i) value += " " + words[i];
  return set_option(config, name, value);
}

Result<void> load(const std::string& path, Config& config, int depth) {
  if (depth > kIncludeDepthMax) {
    return invalid("more than " + std::to_string(kIncludeDepthMax) + " files include each other");
  }
  const auto text = read_file(path);
  if (!text) return text.error();
  std::string_view rest = *text;
  for (int number = 1; !rest.empty(); ++number) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    auto applied = apply_line(line, config, depth);
    if (applied) continue;
    Error error = applied.error();
    error.detail = path + ":" + std::to_string(number) + ": " + error.detail;
    return error;
  }
  return {};
}

}  // namespace

Result<void> load_config_file(const std::string& path, Config& config) { return load(path, config, 0); }

}  // namespace minod
