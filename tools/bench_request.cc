#include "tools/bench_request.h"

#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

#include "base/check.h"
#include "tools/bench_values.h"

namespace minod::bench {

namespace {

constexpr std::size_t kKeyDigits = 12;
constexpr std::size_t kFramingBytesMax = 96;  // of everything that is neither head nor value

char* put(char* at, std::string_view text) {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

char* put_number(char* at, std::uint64_t number) { return std::to_chars(at, at + 20, number).ptr; }

// "00" to "99", so that a number is written two digits at a time.
constexpr auto kDigitPairs = [] {
  std::array<std::array<char, 2>, 100> pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs[i] = {static_cast<char>('0' + i / 10), static_cast<char>('0' + i % 10)};
  }
  return pairs;
}();
static_assert(kKeyDigits % 2 == 0);

char* put_key_digits(char* at, std::uint64_t key) {
  for (std::size_t i = kKeyDigits; i > 0; key /= 100) {
    i -= 2;
    std::memcpy(at + i, kDigitPairs[key % 100].data(), 2);
  }
  return at + kKeyDigits;
}

char* put_ttl(char* at, std::uint64_t seconds) {
  char digits[20];
  const char* end = put_number(digits, seconds);
  const auto size = static_cast<std::size_t>(end - digits);
  at = put_number(put(at, "$"), size);
  return put(put(put(at, "\r\n"), {digits, size}), "\r\n");
}

std::string key_head(std::string_view prefix) {
  return "$" + std::to_string(prefix.size() + kKeyDigits) + "\r\n" + std::string(prefix);
}

std::string head(std::size_t arguments, std::string_view command, std::string_view prefix) {
  return "*" + std::to_string(arguments) + "\r\n$" + std::to_string(command.size()) + "\r\n" + std::string(command) +
         "\r\n" + key_head(prefix);
}

}  // namespace

RequestSource::RequestSource(const Common& common, Stripe stripe, std::uint64_t budget)
    : common_(common),
      budget_(budget),
      random_(Random(common.options.seed * 1'000'003 + stripe.index).next()),
      chooser_(common.options.distribution, common.options.keys, stripe),
      mget_key_head_(key_head(common.options.key_prefix)) {
  const Options& options = common_.options;
  const std::string& prefix = options.key_prefix;
  const auto head_of = [this](Operation operation) -> std::string& {
    return heads_[static_cast<std::size_t>(operation)];
  };
  head_of(Operation::kGet) = head_of(Operation::kRmw) = head(2, "GET", prefix);
  head_of(Operation::kSet) = head_of(Operation::kInsert) = head(options.ttl.used() ? 5 : 3, "SET", prefix);
  head_of(Operation::kSetex) = head(4, "SETEX", prefix);
  head_of(Operation::kDel) = head(2, "DEL", prefix);
  head_of(Operation::kIncr) = head(2, "INCR", prefix + "counter:");
  head_of(Operation::kMget) = "*" + std::to_string(options.mget_keys + 1) + "\r\n$4\r\nMGET\r\n";
  head_of(Operation::kPing) = "*1\r\n$4\r\nPING\r\n";
}

std::uint64_t RequestSource::draw_key(Operation operation) {
  if (operation == Operation::kInsert) return common_.newest.fetch_add(1, std::memory_order_relaxed);
  const std::uint64_t key = chooser_.next(random_, common_.newest.load(std::memory_order_relaxed));
  return common_.ledger == nullptr ? key : chooser_.own(key);
}

Request RequestSource::append(ByteQueue& out) {
  check(budget_ > 0, "requests are drawn within the budget");
  --budget_;
  const Operation operation = common_.options.mix.pick(random_);
  Request request{.operation = operation};
  switch (operation) {
    case Operation::kSet:
    case Operation::kSetex:
    case Operation::kInsert:
      return append_write(out, operation, draw_key(operation));
    case Operation::kMget:
      append_mget(out, request);
      break;
    case Operation::kPing:
      out.append(heads_[static_cast<std::size_t>(operation)]);
      break;
    case Operation::kRmw:
      request.reading = true;
      [[fallthrough]];
    case Operation::kGet:
    case Operation::kDel:
    case Operation::kIncr:
      request.key = draw_key(operation);
      append_short(out, operation, request.key);
      break;
  }
  return request;
}

Request RequestSource::append_second_half(ByteQueue& out, const Request& first) {
  Request request = append_write(out, Operation::kSet, first.key);
  request.operation = Operation::kRmw;
  return request;
}

void RequestSource::append_short(ByteQueue& out, Operation operation, std::uint64_t key) {
  char* const begin = out.reserve(head_size(operation) + kFramingBytesMax);
  char* at = put(begin, heads_[static_cast<std::size_t>(operation)]);
  at = put(put_key_digits(at, key), "\r\n");
  out.grew(static_cast<std::size_t>(at - begin));
}

void RequestSource::append_mget(ByteQueue& out, Request& request) {
  out.append(heads_[static_cast<std::size_t>(Operation::kMget)]);
  char* const begin = out.reserve(common_.options.mget_keys * (mget_key_head_.size() + kKeyDigits + 2));
  char* at = begin;
  for (unsigned i = 0; i < common_.options.mget_keys; ++i) {
    const std::uint64_t key = draw_key(Operation::kMget);
    if (i == 0) request.key = key;
    if (common_.ledger != nullptr) read_keys_.push_back(key);
    at = put(put_key_digits(put(at, mget_key_head_), key), "\r\n");
  }
  out.grew(static_cast<std::size_t>(at - begin));
}

Request RequestSource::append_write(ByteQueue& out, Operation operation, std::uint64_t key) {
  const Options& options = common_.options;
  const std::size_t size = options.values.pick(random_);
  const std::uint64_t ttl =
      options.ttl.used() ? options.ttl.low + random_.below(options.ttl.high - options.ttl.low + 1) : 0;
  Request request{.operation = operation, .key = key};

  char* const begin = out.reserve(head_size(operation) + size + kFramingBytesMax);
  char* at = put(begin, heads_[static_cast<std::size_t>(operation)]);
  at = put(put_key_digits(at, key), "\r\n");
  if (operation == Operation::kSetex) at = put_ttl(at, ttl);
  at = put(put_number(put(at, "$"), size), "\r\n");
  fill_value(at, size, options.compressible, random_);
  if (common_.ledger != nullptr) {
    request.version = common_.ledger->next_version();
    stamp_value(at, size, Stamp{key, common_.ledger->stamped(request.version)});
  }
  at = put(at + size, "\r\n");
  if (operation != Operation::kSetex && options.ttl.used()) at = put_ttl(put(at, "$2\r\nEX\r\n"), ttl);
  out.grew(static_cast<std::size_t>(at - begin));
  return request;
}

std::uint64_t RequestSource::take_read_key() {
  check(!read_keys_.empty(), "an MGET's keys are noted before its reply comes");
  const std::uint64_t key = read_keys_.front();
  read_keys_.pop_front();
  return key;
}

}  // namespace minod::bench
