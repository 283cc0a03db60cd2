#include "tools/cli_format.h"

#include <cstdio>

namespace minod {

namespace {

using Type = resp::Value::Type;

bool is_aggregate(const resp::Value& value) {
  return value.type == Type::kArray || value.type == Type::kMap || value.type == Type::kSet ||
         value.type == Type::kPush;
}

const char* empty_text(Type type) {
  switch (type) {
    case Type::kMap:
      return "(empty hash)\n";
    case Type::kSet:
      return "(empty set)\n";
    case Type::kPush:
      return "(empty push)\n";
    default:
      return "(empty array)\n";
  }
}

char number_mark(Type type) {
  if (type == Type::kSet) return '~';
  return type == Type::kMap ? '#' : ')';
}

// "  7) ", as wide as the last number needs.
std::string number_text(std::size_t number, std::size_t width, char mark) {
  const std::string digits = std::to_string(number);
  return std::string(width - digits.size(), ' ') + digits + mark + ' ';
}

std::string readable_at(const resp::Value& value, const std::string& indent);

// The first element goes on the line that the parent has begun, behind its number.
std::string readable_elements(const resp::Value& value, const std::string& indent) {
  const bool map = value.type == Type::kMap;
  const std::size_t step = map ? 2 : 1;
  const std::size_t width = std::to_string(value.elements.size() / step).size();
  const std::string inner = indent + std::string(width + 2, ' ');
  std::string text;
  for (std::size_t i = 0; i + step <= value.elements.size(); i += step) {
    if (i != 0) text += indent;
    text += number_text(i / step + 1, width, number_mark(value.type));
    text += readable_at(value.elements[i], inner);
    if (!map) continue;
    const std::string mapped = readable_at(value.elements[i + 1], inner);
    const bool several_lines = is_aggregate(value.elements[i + 1]) && mapped.find('\n') + 1 != mapped.size();
    text.pop_back();
    text += " => ";
    if (several_lines) text += "\n" + inner;
    text += mapped;
  }
  return text;
}

std::string readable_at(const resp::Value& value, const std::string& indent) {
  switch (value.type) {
    case Type::kNull:
      return "(nil)\n";
    case Type::kSimple:
    case Type::kVerbatim:
    case Type::kBigNumber:
      return value.text + "\n";
    case Type::kError:
      return "(error) " + value.text + "\n";
    case Type::kInteger:
      return "(integer) " + std::to_string(value.integer) + "\n";
    case Type::kBulk:
      return quoted_text(value.text) + "\n";
    case Type::kDouble:
      return "(double) " + value.text + "\n";
    case Type::kBoolean:
      return value.integer != 0 ? "(true)\n" : "(false)\n";
    default:
      return value.elements.empty() ? empty_text(value.type) : readable_elements(value, indent);
  }
}

const char* escape_of(char c) {
  switch (c) {
    case '\\':
      return "\\\\";
    case '"':
      return "\\\"";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    case '\a':
      return "\\a";
    case '\b':
      return "\\b";
    default:
      return nullptr;
  }
}

}  // namespace

std::string quoted_text(std::string_view bytes) {
  std::string text = "\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (const char* escape = escape_of(c)) {
      text += escape;
    } else if (byte >= 0x20 && byte < 0x7f) {
      text += c;
    } else {
      char hex[5];
      std::snprintf(hex, sizeof hex, "\\x%02x", unsigned{byte});
      text += hex;
    }
  }
  return text + "\"";
}

std::string readable_text(const resp::Value& value) { return readable_at(value, ""); }

std::string raw_text(const resp::Value& value) {
  switch (value.type) {
    case Type::kNull:
      return {};
    case Type::kError:
      return value.text + "\n";
    case Type::kInteger:
      return std::to_string(value.integer);
    case Type::kBoolean:
      return value.integer != 0 ? "(true)" : "(false)";
    default:
      break;
  }
  if (!is_aggregate(value)) return value.text;
  std::string text;
  for (std::size_t i = 0; i != value.elements.size(); ++i) {
    const bool mapped = value.type == Type::kMap && i % 2 == 1;
    if (i != 0) text += mapped ? ' ' : '\n';
    text += raw_text(value.elements[i]);
  }
  return text;
}

}  // namespace minod
