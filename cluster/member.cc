#include "cluster/member.h"

#include <charconv>
#include <cinttypes>
#include <cstdio>

namespace minod {

namespace {

constexpr std::size_t kWordDigits = 16;

bool parse_word(std::string_view text, std::uint64_t& word) {
  const char* const end = text.data() + text.size();
  const auto [at, failure] = std::from_chars(text.data(), end, word, 16);
  return failure == std::errc() && at == end;
}

}  // namespace

std::string text_of(MemberId id) {
  char text[2 * kWordDigits + 1];
  std::snprintf(text, sizeof text, "%016" PRIx64 "%016" PRIx64, id.high, id.low);
  return text;
}

std::optional<MemberId> parse_member_id(std::string_view text) {
  MemberId id;
  if (text.size() != 2 * kWordDigits) return std::nullopt;
  if (!parse_word(text.substr(0, kWordDigits), id.high) || !parse_word(text.substr(kWordDigits), id.low)) {
    return std::nullopt;
  }
  return id;
}

}  // namespace minod
