#include "net/restart_progress.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "base/diag.h"
#include "base/size_text.h"

namespace minod {

void RestartProgress::show(const RecoveryReport& report) {
  const MonotonicNanos now = clock_.monotonic();
  if (now - shown_ < Nanos(1'000'000'000)) return;
  shown_ = now;
  const double seconds = static_cast<double>((now - begin_).value()) / 1e9;
  const double rate = static_cast<double>(report.bytes) / seconds;
  char text[200];
  const int size = std::snprintf(
      text, sizeof text,
      "restart: %" PRId64 " records (%" PRId64 " from checkpoints, %" PRId64 " from hints), %s read, %s/s",
      report.records, report.checkpoint_records, report.hint_records,
      size_text(static_cast<std::uint64_t>(report.bytes)).c_str(), size_text(static_cast<std::uint64_t>(rate)).c_str());
  // What checkpoints and hints spare is not known beforehand.
  if (report.checkpoint_records + report.hint_records == 0) {
    const double left = static_cast<double>(std::max<std::int64_t>(total_ - report.bytes, 0)) / rate;
    std::snprintf(text + size, sizeof text - static_cast<std::size_t>(size), " of %s, %.0f s left",
                  size_text(static_cast<std::uint64_t>(total_)).c_str(), left);
  }
  diag::notice(text);
}

}  // namespace minod
