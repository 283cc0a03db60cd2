#include <cstdint>
#include <cstdio>

#include "tools/cli_format.h"

namespace minod {

namespace {

using Type = resp::Value::Type;

// How many bytes the UTF-8 character at the front takes; 0 when it is none (RFC 3629: no surrogates, nothing overlong).
std::size_t character_size(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i != size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const unsigned second = byte(1);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
  if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
  return size;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::string_view group = bytes.substr(at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i != 3; ++i) {
      bits = bits << 8 | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0);
    }
    for (std::size_t i = 0; i != 4; ++i) {
      text += i <= group.size() ? kDigits[bits >> (18 - 6 * i) & 63] : '=';
    }
  }
  return text;
}

std::string json_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '\r') {
      result += "\\r";
    } else if (c == '\t') {
      result += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      char escape[7];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      result += escape;
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string json_bytes(std::string_view bytes) {
  return is_utf8(bytes) ? json_string(bytes) : "{\"b64\":\"" + base64(bytes) + "\"}";
}

// JSON's keys are strings: any other becomes the string of its own JSON.
std::string json_key(const resp::Value& value) {
  const std::string key = json_text(value);
  return key.starts_with('"') ? key : json_string(key);
}

std::string json_elements(const resp::Value& value) {
  const bool map = value.type == Type::kMap;
  std::string text(1, map ? '{' : '[');
  for (std::size_t i = 0; i != value.elements.size(); ++i) {
    const bool key = map && i % 2 == 0;
    if (i != 0) text += map && !key ? ':' : ',';
    text += key ? json_key(value.elements[i]) : json_text(value.elements[i]);
  }
  return text + (map ? '}' : ']');
}

bool is_finite_number(std::string_view text) { return text.find_first_not_of("+-.0123456789eE") == text.npos; }

}  // namespace

std::string json_text(const resp::Value& value) {
  switch (value.type) {
    case Type::kNull:
      return "null";
    case Type::kError:
      return "{\"error\":" + json_bytes(value.text) + "}";
    case Type::kInteger:
      return std::to_string(value.integer);
    case Type::kBoolean:
      return value.integer != 0 ? "true" : "false";
    case Type::kDouble:
      return is_finite_number(value.text) ? value.text : json_string(value.text);
    case Type::kBigNumber:
      return value.text;
    case Type::kSimple:
    case Type::kBulk:
    case Type::kVerbatim:
      return json_bytes(value.text);
    default:
      return json_elements(value);
  }
}

}  // namespace minod
