#include "net/resp/value.h"

#include <charconv>
#include <utility>

namespace minod::resp {

namespace {

using Type = Value::Type;

constexpr std::size_t kNestingMax = 32;
constexpr std::int64_t kLengthMax = std::int64_t{1} << 40;  // of bytes or elements; far above any limit of a server

// The first line of a value.
struct Head {
  char type = 0;
  std::string_view text;    // behind the type
  std::int64_t number = 0;  // the same, when the type wants a number
  std::size_t end = 0;      // where the next line begins
};

Error invalid(std::string detail) { return Error{Errc::kInvalid, 0, "reply: " + std::move(detail)}; }

bool is_aggregate(char type) { return type == '*' || type == '%' || type == '~' || type == '>' || type == '|'; }
bool has_contents(char type) { return type == '$' || type == '=' || type == '!'; }
bool has_pairs(char type) { return type == '%' || type == '|'; }

bool read_number(std::string_view text, std::int64_t& number) {
  if (text.size() > 1 && text.front() == '+') text.remove_prefix(1);
  const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure == std::errc() && stop == text.data() + text.size();
}

// A length of -1 is RESP2's null; only arrays and bulk strings have it.
Result<void> check_head(const Head& head) {
  const bool length = is_aggregate(head.type) || has_contents(head.type);
  const std::int64_t least = head.type == '*' || head.type == '$' ? -1 : 0;
  if (length && (head.number < least || head.number > kLengthMax)) return invalid("a length out of range");
  if (head.type == '#' && head.text != "t" && head.text != "f") return invalid("a boolean that is neither t nor f");
  if (head.type == '_' && !head.text.empty()) return invalid("a null with contents");
  return {};
}

Result<Head> read_head(std::string_view input, std::size_t begin) {
  if (begin >= input.size()) return Error{Errc::kEnd, 0, {}};
  Head head;
  head.type = input[begin];
  if (std::string_view("+-:$*_,#!=(%~>|").find(head.type) == std::string_view::npos) {
    return invalid(std::string("no value begins with byte ") + std::to_string(static_cast<unsigned char>(head.type)));
  }
  const std::size_t end = input.find('\r', begin);
  if (end == std::string_view::npos || end + 1 == input.size()) return Error{Errc::kEnd, 0, {}};
  if (input[end + 1] != '\n') return invalid("CR without LF");
  head.text = input.substr(begin + 1, end - begin - 1);
  head.end = end + 2;
  const bool wants_number = head.type == ':' || is_aggregate(head.type) || has_contents(head.type);
  if (wants_number && !read_number(head.text, head.number)) return invalid("a number was expected");
  const Result<void> checked = check_head(head);
  if (!checked) return checked.error();
  return head;
}

// The bytes of a bulk string, which begin at `begin`.
Result<std::string_view> read_contents(std::string_view input, std::size_t begin, std::int64_t length) {
  const auto size = static_cast<std::size_t>(length);
  if (input.size() - begin < size + 2) return Error{Errc::kEnd, 0, {}};
  if (input.substr(begin + size, 2) != "\r\n") return invalid("a bulk string without CR LF at its end");
  return input.substr(begin, size);
}

std::int64_t children(const Head& head) { return has_pairs(head.type) ? head.number * 2 : head.number; }

Type type_of(char type) {
  switch (type) {
    case '+':
      return Type::kSimple;
    case '-':
    case '!':
      return Type::kError;
    case ':':
      return Type::kInteger;
    case '$':
      return Type::kBulk;
    case '*':
      return Type::kArray;
    case '%':
      return Type::kMap;
    case '~':
      return Type::kSet;
    case '>':
      return Type::kPush;
    case ',':
      return Type::kDouble;
    case '#':
      return Type::kBoolean;
    case '=':
      return Type::kVerbatim;
    case '(':
      return Type::kBigNumber;
    default:
      return Type::kNull;
  }
}

class Reader {
 public:
  explicit Reader(std::string_view input) : input_(input) {}

  std::size_t position() const { return position_; }

  Result<Value> read(std::size_t depth) {
    if (depth > kNestingMax) return invalid("nested too deeply");
    Result<Head> head = read_head(input_, position_);
    while (head && head->type == '|') {
      position_ = head->end;
      const Result<Value> attribute = read_aggregate(*head, depth);
      if (!attribute) return attribute.error();
      head = read_head(input_, position_);
    }
    if (!head) return head.error();
    position_ = head->end;
    if (is_aggregate(head->type)) return read_aggregate(*head, depth);
    if (has_contents(head->type)) return read_bulk(*head);
    Value value;
    value.type = type_of(head->type);
    value.text = value.type == Type::kInteger || value.type == Type::kBoolean ? std::string_view() : head->text;
    value.integer = value.type == Type::kBoolean ? head->text == "t" : head->number;
    return value;
  }

 private:
  Result<Value> read_aggregate(const Head& head, std::size_t depth) {
    Value value;
    if (head.number < 0) return value;
    value.type = type_of(head.type);
    for (std::int64_t left = children(head); left != 0; --left) {
      Result<Value> element = read(depth + 1);
      if (!element) return element.error();
      value.elements.push_back(std::move(*element));
    }
    return value;
  }

  Result<Value> read_bulk(const Head& head) {
    Value value;
    if (head.number < 0) return value;
    const Result<std::string_view> contents = read_contents(input_, position_, head.number);
    if (!contents) return contents.error();
    position_ += contents->size() + 2;
    value.type = type_of(head.type);
    if (value.type == Type::kVerbatim) {
      if (contents->size() < 4 || (*contents)[3] != ':') return invalid("a verbatim string without a format");
      value.text = contents->substr(4);
    } else {
      value.text = *contents;
    }
    return value;
  }

  std::string_view input_;
  std::size_t position_ = 0;
};

}  // namespace

Result<Value> parse_value(std::string_view input, std::size_t& used) {
  Reader reader(input);
  Result<Value> value = reader.read(0);
  if (value) used = reader.position();
  return value;
}

Result<std::size_t> ValueScanner::scan(std::string_view input) {
  do {
    const Result<Head> head = read_head(input, position_);
    if (!head) return head.error();
    std::size_t end = head->end;
    if (has_contents(head->type) && head->number >= 0) {
      const Result<std::string_view> contents = read_contents(input, end, head->number);
      if (!contents) return contents.error();
      end += contents->size() + 2;
    }
    position_ = end;
    // An attribute stands before a value and is none itself.
    if (!open_.empty() && head->type != '|') --open_.back();
    if (open_.empty() && head->type == '|') open_.push_back(1);
    if (is_aggregate(head->type) && head->number > 0) {
      if (open_.size() > kNestingMax + 1) return invalid("nested too deeply");
      open_.push_back(children(*head));
    }
    while (!open_.empty() && open_.back() == 0) open_.pop_back();
  } while (!open_.empty());
  return std::exchange(position_, 0);
}

}  // namespace minod::resp
