#include "tools/bench_connection.h"

#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <utility>

#include "base/check.h"

namespace minod::bench {

namespace {

// An output buffer that grew for a burst of large values is given back.
constexpr std::size_t kOutputBytesKept = std::size_t{1} << 20;

// "MOVED" of "MOVED 1234 host:port".
std::string_view first_word(std::string_view text) { return text.substr(0, text.find(' ')); }

bool writes_value(const Request& request) {
  switch (request.operation) {
    case Operation::kSet:
    case Operation::kSetex:
    case Operation::kInsert:
      return true;
    case Operation::kRmw:
      return !request.reading;
    default:
      return false;
  }
}

}  // namespace

Connection::Connection(Fd socket, RequestSource source, unsigned depth, Ledger* ledger)
    : socket_(std::move(socket)), source_(std::move(source)), ledger_(ledger), flights_(depth) {}

void Connection::launch(const Flight& flight) {
  flights_[next_] = flight;
  next_ = next_ + 1 < flights_.size() ? next_ + 1 : 0;
  ++count_;
}

void Connection::request(MonotonicNanos intended) {
  check(has_room(), "a request is drawn for a connection that has room");
  launch({intended, source_.append(out_)});
}

Result<void> Connection::flush() {
  while (!out_.empty()) {
    const ssize_t sent = ::send(socket_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return {};
    if (sent < 0) return errno_error("send to the server", errno);
    out_.consume(static_cast<std::size_t>(sent));
  }
  out_.shrink(kOutputBytesKept);
  return {};
}

Result<void> Connection::receive(const Clock& clock, MutableBytes scratch, Tally& tally) {
  const ssize_t received = ::recv(socket_.get(), scratch.data(), scratch.size(), 0);
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) return {};
  if (received < 0) return errno_error("receive from the server", errno);
  if (received == 0) return Error{Errc::kEnd, 0, "the server closed the connection"};

  const std::string_view input = as_text(scratch.first(static_cast<std::size_t>(received)));
  const MonotonicNanos now = clock.monotonic();
  if (ledger_ == nullptr) return take_replies(input, now, tally);

  // The skipper has seen the first scanned_ bytes; a verified reply must lie in one piece.
  partial_.append(input);
  return take_replies(partial_.view(), now, tally);
}

Result<void> Connection::take_replies(std::string_view input, MonotonicNanos now, Tally& tally) {
  std::size_t begin = 0;  // of the reply; the bytes before it are done with
  std::size_t at = scanned_;
  scanned_ = 0;
  while (at < input.size()) {
    std::size_t used = 0;
    const ReplySkipper::Status status = skipper_.skip(input.substr(at), used);
    at += used;
    if (status == ReplySkipper::Status::kMore) break;
    if (status == ReplySkipper::Status::kMalformed) return Error{Errc::kInvalid, 0, "a reply is not Redis protocol"};
    if (count_ == 0) return Error{Errc::kInvalid, 0, "a reply came that nothing was asked for"};
    answered(input.substr(begin, at - begin), now, tally);
    begin = at;
  }
  if (ledger_ != nullptr) {
    partial_.consume(begin);
    scanned_ = at - begin;
  }
  return {};
}

void Connection::answered(std::string_view whole, MonotonicNanos now, Tally& tally) {
  const Flight flight = flights_[first_];
  first_ = first_ + 1 < flights_.size() ? first_ + 1 : 0;
  --count_;

  const Request& request = flight.request;
  const bool failed = skipper_.is_error();
  if (failed) tally.failed(first_word(skipper_.error()), skipper_.error());
  if (ledger_ != nullptr) note_write(request, failed);
  if (reads_values(request.operation) || request.reading) {
    std::uint64_t misses = skipper_.null_count();
    if (ledger_ != nullptr) misses = verify(request, failed ? std::string_view() : whole, tally);
    if (!failed) tally.read(keys_of(request), misses, now);
  }
  if (request.reading && !failed) {
    tally.half_answered(now);
    launch({flight.intended, source_.append_second_half(out_, request)});
    return;
  }
  tally.answered(request.operation, flight.intended, now);
}

std::uint64_t Connection::keys_of(const Request& request) const {
  return request.operation == Operation::kMget ? source_.mget_keys() : 1;
}

void Connection::note_write(const Request& request, bool failed) {
  const bool removes = request.operation == Operation::kDel;
  if (!removes && !writes_value(request)) return;
  if (failed) {
    ledger_->unclear(request.key);
  } else if (removes) {
    ledger_->removed(request.key);
  } else {
    ledger_->written(request.key, request.version);
  }
}

std::uint64_t Connection::verify(const Request& request, std::string_view whole, Tally& tally) {
  const auto values = bulk_strings(whole);
  const std::uint64_t keys = keys_of(request);
  const bool countable = values.size() == keys;
  if (!whole.empty() && !countable) tally.failed_verification("shape", request.key);
  std::uint64_t misses = 0;
  for (std::uint64_t i = 0; i < keys; ++i) {
    // Taken even when the reply can't be checked, so that the next MGET finds its own keys.
    const std::uint64_t key = request.operation == Operation::kMget ? source_.take_read_key() : request.key;
    if (!countable) continue;
    misses += !values[i].has_value();
    verify_key(key, values[i], tally);
  }
  return misses;
}

void Connection::verify_key(std::uint64_t key, std::optional<std::string_view> value, Tally& tally) {
  const Verdict verdict = ledger_->check(key, value);
  if (verdict != Verdict::kRight && verdict != Verdict::kMiss) tally.failed_verification(name_of(verdict), key);
}

void Connection::drop(std::string_view reason, Tally& tally) {
  socket_ = Fd();
  if (count_ != 0) tally.failed("unanswered", reason, count_);
  count_ = 0;
  out_.clear();
  partial_.clear();
}

}  // namespace minod::bench
