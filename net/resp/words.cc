#include "net/resp/words.h"

#include <cstddef>

namespace minod::resp {

namespace {

// As in Redis, \v and \f are skipped between words but do not end one.
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool ends_word(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

char escaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

// Appends what the escape at `at` (a backslash) stands for; returns where it ends.
std::size_t unescape(std::string_view line, std::size_t at, std::string& word) {
  if (at + 3 < line.size() && line[at + 1] == 'x') {
    const int high = hex_digit(line[at + 2]);
    const int low = hex_digit(line[at + 3]);
    if (high >= 0 && low >= 0) {
      word += static_cast<char>(high * 16 + low);
      return at + 4;
    }
  }
  word += escaped(line[at + 1]);
  return at + 2;
}

// Appends what stands in the quotes that open at `at`; returns where the closing one is, or npos.
std::size_t unquote(std::string_view line, std::size_t at, std::string& word) {
  const char quote = line[at++];
  while (at < line.size()) {
    const char c = line[at];
    if (c == quote) return at;
    if (c == '\\' && at + 1 < line.size() && quote == '"') {
      at = unescape(line, at, word);
    } else if (c == '\\' && at + 1 < line.size() && line[at + 1] == '\'') {
      word += '\'';
      at += 2;
    } else {
      word += c;
      ++at;
    }
  }
  return std::string_view::npos;
}

}  // namespace

bool split_words(std::string_view line, std::vector<std::string>& words) {
  words.clear();
  std::size_t at = 0;
  for (;;) {
    while (at < line.size() && is_space(line[at])) ++at;
    if (at == line.size()) return true;
    std::string& word = words.emplace_back();
    while (at < line.size() && !ends_word(line[at])) {
      if (line[at] != '"' && line[at] != '\'') {
        word += line[at++];
        continue;
      }
      at = unquote(line, at, word);
      if (at == std::string_view::npos) return false;
      ++at;
      if (at < line.size() && !is_space(line[at])) return false;
      break;
    }
  }
}

void split_plain_words(std::string_view line, std::vector<std::string_view>& words) {
  words.clear();
  std::size_t at = 0;
  for (;;) {
    while (at < line.size() && is_space(line[at])) ++at;
    if (at == line.size()) return;
    const std::size_t begin = at;
    while (at < line.size() && !ends_word(line[at])) ++at;
    words.push_back(line.substr(begin, at - begin));
  }
}

}  // namespace minod::resp
