#include "tools/replay_apply.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>

#include "tools/dump_text.h"

namespace minod::replay {

namespace {

// Enough that the round trip does not count, little enough that neither side keeps much.
constexpr std::size_t kWindowCount = 512;
constexpr std::size_t kWindowBytes = std::size_t{1} << 20;

// A window of a replay with a rate is at most this part of a second, so that it comes evenly.
constexpr std::uint64_t kWindowsPerSecond = 20;

constexpr std::uint64_t kComplaintsMax = 10;
constexpr std::size_t kKeyShown = 64;

}  // namespace

Result<void> Apply::run(const Plan& plan, Tally& tally) {
  for (const PlannedPartition& partition : plan.partitions) tally.bytes_planned += partition.survey.bytes;
  int db = -1;
  for (const PlannedPartition& partition : plan.partitions) {
    if (partition.directory.db != db) {
      db = partition.directory.db;
      if (auto entered = enter_database(plan, db, tally); !entered) return entered;
    }
    if (auto replayed = replay_partition(partition, tally); !replayed) return replayed;
  }
  return {};
}

Result<void> Apply::enter_database(const Plan& plan, int db, Tally& tally) {
  const int target = options_.to && options_.to->db != 0 ? options_.to->db : db;
  if (client_) {
    const std::string number = std::to_string(target);
    const auto selected = client_->call({"SELECT", number});
    if (!selected) return selected.error();
    if (selected->is_error()) return Error{Errc::kInvalid, 0, "SELECT " + number + ": " + selected->text};
  }
  const bool flushed = std::ranges::any_of(plan.partitions, [&](const PlannedPartition& partition) {
    return partition.directory.db == db && partition.survey.log_start.has_value();
  });
  // Keys that are not asked for are not to be deleted either.
  if (!flushed || !options_.keys.all()) return {};
  ++tally.flushes;
  const std::string_view flush[] = {"FLUSHDB"};
  return send(kNoOffset, flush, tally);
}

Result<void> Apply::replay_partition(const PlannedPartition& partition, Tally& tally) {
  tally.partitions.push_back(PartitionTally{partition.directory.name, kNoOffset, kNoOffset, {}, {}});
  const LogSurvey& survey = partition.survey;
  const Offset begin = survey.log_start.value_or(kFirstOffset);
  std::optional<Error> failure;
  LogVisitor visitor;
  visitor.batch = [&](const LogSegment&, FilePosition, const BatchView& batch) {
    tally.bytes += batch.header().length;
    progress_.update(tally);
    return BatchChoice::kRecords;
  };
  visitor.record = [&](const BatchHeader& header, const RecordView& record) {
    PartitionTally& seen = tally.partitions.back();
    if (seen.first == kNoOffset) {
      seen.first = record.offset;
      seen.first_time = record.timestamp;
    }
    seen.last = record.offset;
    seen.last_time = record.timestamp;
    ++tally.read;
    if (record.offset < begin) {
      ++tally.skipped;
      return true;
    }
    if (const auto taken = take(record, header.is_control(), tally); !taken) failure = taken.error();
    return !failure;
  };
  LogWalk walk(disk_, survey.range, std::move(visitor));
  const auto walked = walk.run(survey.segments, survey.clean_end);
  if (failure) return *failure;
  if (!walked) return walked.error();
  return finish_window(tally);
}

Result<void> Apply::take(const RecordView& record, bool control, Tally& tally) {
  if (control || !record.has_key || !options_.keys.takes(record.key)) {
    ++tally.skipped;
    return {};
  }
  ++tally.applied;
  const bool expired = record.has_value && record.expires_at <= clock_.now();
  if (expired) ++tally.expired;
  if (!record.has_value || expired) {
    const std::string_view del[] = {"DEL", record.key};
    return send(record.offset, del, tally);
  }
  char digits[24];
  const auto number = std::to_chars(digits, digits + sizeof digits, record.expires_at.value());
  const std::string_view at(digits, static_cast<std::size_t>(number.ptr - digits));
  const std::string_view set[] = {"SET", record.key, record.value, "PXAT", at};
  return send(record.offset, std::span(set, record.expires_at == kNeverExpires ? 3 : 5), tally);
}

Result<void> Apply::send(Offset offset, std::span<const std::string_view> arguments, Tally& tally) {
  if (!client_) return {};
  std::string what(arguments.front());
  if (arguments.size() > 1) what += " " + dump::quoted(arguments[1], kKeyShown);
  client_->queue(arguments);
  window_.push_back(Sent{offset, std::move(what)});
  ++sent_;
  const std::size_t count_max =
      options_.rate == 0 ? kWindowCount : std::clamp<std::size_t>(options_.rate / kWindowsPerSecond, 1, kWindowCount);
  if (window_.size() < count_max && client_->queued_bytes() < kWindowBytes) return {};
  return finish_window(tally);
}

Result<void> Apply::finish_window(Tally& tally) {
  if (!client_ || window_.empty()) return {};
  if (const auto flushed = client_->flush(); !flushed) return flushed.error();
  for (; !window_.empty(); window_.pop_front()) {
    const auto reply = client_->receive();
    if (!reply) return reply.error();
    if (!reply->is_error()) continue;
    ++tally.errors;
    if (++complaints_ > kComplaintsMax) continue;
    const Sent& sent = window_.front();
    progress_.clear();
    complain_((sent.offset == kNoOffset ? "" : "offset " + std::to_string(sent.offset.value()) + ": ") + sent.what +
              ": " + reply->text);
    if (complaints_ == kComplaintsMax) complain_("further error replies are only counted");
  }
  pace();
  return {};
}

// Against the whole time so far, so that a slow window is made up for by the next ones.
void Apply::pace() {
  if (options_.rate == 0) return;
  if (!begun_) begun_ = clock_.monotonic();
  const double due_ns = static_cast<double>(sent_) * 1e9 / static_cast<double>(options_.rate);
  const auto left = static_cast<std::int64_t>(due_ns) - (clock_.monotonic() - *begun_).value();
  if (left > 0) std::this_thread::sleep_for(std::chrono::nanoseconds(left));
}

}  // namespace minod::replay
