#include "tools/replay_tally.h"

#include <algorithm>
#include <cstdio>

#include "base/size_text.h"
#include "tools/text_format.h"
#include "tools/time_text.h"

namespace minod::replay {

namespace {

constexpr Nanos kRedraw{200'000'000};

double per_second(std::uint64_t count, Nanos took) {
  return took.value() <= 0 ? 0.0 : static_cast<double>(count) * 1e9 / static_cast<double>(took.value());
}

}  // namespace

std::string summary_text(const Tally& tally, Nanos took) {
  std::string text;
  append_format(
      text, "read %llu, applied %llu (%llu as DEL, expired), skipped %llu, errors %llu; %s in %s, %.0f records/s\n",
      static_cast<unsigned long long>(tally.read), static_cast<unsigned long long>(tally.applied),
      static_cast<unsigned long long>(tally.expired), static_cast<unsigned long long>(tally.skipped),
      static_cast<unsigned long long>(tally.errors), size_text(static_cast<std::uint64_t>(tally.bytes)).c_str(),
      span_text(Millis(took.value() / 1'000'000)).c_str(), per_second(tally.read, took));
  for (const PartitionTally& partition : tally.partitions) {
    if (partition.first == kNoOffset) {
      text += "  " + partition.name + ": nothing in the range\n";
      continue;
    }
    append_format(text, "  %s: offsets %lld..%lld, %s..%s\n", partition.name.c_str(),
                  static_cast<long long>(partition.first.value()), static_cast<long long>(partition.last.value()),
                  time_text(partition.first_time).c_str(), time_text(partition.last_time).c_str());
  }
  return text;
}

std::string progress_text(const Tally& tally, Nanos took) {
  const auto done = static_cast<double>(tally.bytes);
  const auto planned = static_cast<double>(std::max<std::int64_t>(tally.bytes_planned, 1));
  std::string text;
  append_format(
      text, "%s of %s (%.0f %%), %llu records, %.0f/s", size_text(static_cast<std::uint64_t>(tally.bytes)).c_str(),
      size_text(static_cast<std::uint64_t>(tally.bytes_planned)).c_str(), std::min(100.0, 100 * done / planned),
      static_cast<unsigned long long>(tally.read), per_second(tally.read, took));
  if (done > 0 && done < planned) {
    const double left_ms = static_cast<double>(took.value()) / 1e6 * (planned - done) / done;
    text += ", " + span_text(Millis(static_cast<std::int64_t>(left_ms))) + " left";
  }
  return text;
}

void Progress::update(const Tally& tally) {
  if (!shown_) return;
  const MonotonicNanos now = clock_.monotonic();
  if (now < next_) return;
  next_ = now + kRedraw;
  drawn_ = true;
  std::fprintf(stderr, "\r%s\x1b[K", progress_text(tally, elapsed()).c_str());
}

void Progress::clear() {
  if (drawn_) std::fputs("\r\x1b[K", stderr);
  drawn_ = false;
}

}  // namespace minod::replay
