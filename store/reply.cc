#include "store/reply.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace minod {

namespace {

constexpr std::size_t kHeaderSizeMax = 24;  // type, sign, 19 digits, CR LF

char* put_line_end(char* at) {
  at[0] = '\r';
  at[1] = '\n';
  return at + 2;
}

char* put_header(char* at, char type, std::int64_t number) {
  *at++ = type;
  if (number >= 0 && number < 10) {
    *at++ = static_cast<char>('0' + number);
  } else {
    at = std::to_chars(at, at + 20, number).ptr;
  }
  return put_line_end(at);
}

char* put_bytes(char* at, std::string_view bytes) {
  // A default string_view points nowhere, which memcpy does not allow even for no bytes.
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

void append_line(ByteQueue& out, char type, std::string_view text) {
  char* const start = out.reserve(text.size() + 3);
  *start = type;
  out.grew(static_cast<std::size_t>(put_line_end(put_bytes(start + 1, text)) - start));
}

// As Redis writes doubles: all 17 digits, so that none is lost.
std::string_view write_real(double value, char (&text)[32]) {
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  if (std::isnan(value)) return "nan";
  const int size = std::snprintf(text, sizeof text, "%.17g", value);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace

void Reply::header(char type, std::int64_t number) {
  char* const start = out_.reserve(kHeaderSizeMax);
  out_.grew(static_cast<std::size_t>(put_header(start, type, number) - start));
}

void Reply::simple(std::string_view text) { append_line(out_, '+', text); }

void Reply::error(std::string_view text) {
  ++errors_;
  char* const start = out_.reserve(text.size() + 3);
  *start = '-';
  char* const end = std::replace_copy_if(
      text.begin(), text.end(), start + 1, [](char c) { return c == '\r' || c == '\n'; }, ' ');
  out_.grew(static_cast<std::size_t>(put_line_end(end) - start));
}

void Reply::integer(std::int64_t value) { header(':', value); }

void Reply::bulk(std::string_view bytes) {
  char* const start = out_.reserve(kHeaderSizeMax + bytes.size() + 2);
  char* const contents = put_header(start, '$', static_cast<std::int64_t>(bytes.size()));
  out_.grew(static_cast<std::size_t>(put_line_end(put_bytes(contents, bytes)) - start));
}

void Reply::null() { out_.append(protocol_ == Protocol::kResp3 ? "_\r\n" : "$-1\r\n"); }

void Reply::null_array() { out_.append(protocol_ == Protocol::kResp3 ? "_\r\n" : "*-1\r\n"); }

void Reply::array(std::size_t count) { header('*', static_cast<std::int64_t>(count)); }

void Reply::map(std::size_t pairs) {
  if (protocol_ == Protocol::kResp3) {
    header('%', static_cast<std::int64_t>(pairs));
  } else {
    array(pairs * 2);
  }
}

void Reply::set(std::size_t count) {
  header(protocol_ == Protocol::kResp3 ? '~' : '*', static_cast<std::int64_t>(count));
}

void Reply::push(std::size_t count) {
  header(protocol_ == Protocol::kResp3 ? '>' : '*', static_cast<std::int64_t>(count));
}

void Reply::real(double value) {
  char text[32];
  const std::string_view digits = write_real(value, text);
  if (protocol_ == Protocol::kResp3) {
    append_line(out_, ',', digits);
  } else {
    bulk(digits);
  }
}

void Reply::boolean(bool value) {
  if (protocol_ == Protocol::kResp3) {
    out_.append(value ? "#t\r\n" : "#f\r\n");
  } else {
    integer(value ? 1 : 0);
  }
}

void Reply::verbatim(std::string_view text) {
  if (protocol_ == Protocol::kResp2) return bulk(text);
  constexpr std::string_view kFormat = "txt:";
  char* const start = out_.reserve(kHeaderSizeMax + kFormat.size() + text.size() + 2);
  char* at = put_header(start, '=', static_cast<std::int64_t>(kFormat.size() + text.size()));
  at = put_bytes(put_bytes(at, kFormat), text);
  out_.grew(static_cast<std::size_t>(put_line_end(at) - start));
}

}  // namespace minod
