#include "store/hint_jobs.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/diag.h"
#include "log/segment_name.h"

namespace minod {

// What a job works on; the store's thread does not touch it meanwhile.
struct HintJobs::Work {
  Work(Disk& to, const KeyHasher& hash, Wanted what) : disk(to), hasher(hash), wanted(std::move(what)) {}

  Disk& disk;
  const KeyHasher& hasher;
  Wanted wanted;
  std::optional<HintWriter> writer;
  bool finished = false;
  std::optional<Error> failure;

  std::string path(std::string_view suffix) const { return wanted.directory + "/" + segment_name(wanted.base, suffix); }

  bool fits() {
    const auto log = disk.open(path(kLogSuffix), OpenMode::kRead);
    if (!log) return false;
    const auto size = (*log)->size_now();
    return size && HintReader::open(disk, wanted.directory, wanted.base, **log, *size, wanted.identity).has_value();
  }

  void step() {
    if (!writer) {
      writer.emplace(disk, wanted.directory, wanted.base, hasher, wanted.identity);
      if (wanted.only_if_missing && fits()) {
        finished = true;
        return;
      }
    }
    const auto done = writer->step();
    if (!done) failure = done.error();
    if (done && *done) {
      write_if_missing(kIndexSuffix, writer->index_files().offset_index());
      write_if_missing(kTimeIndexSuffix, writer->index_files().time_index());
    }
    finished = !done || *done;
  }

  void write_if_missing(std::string_view suffix, const std::vector<std::byte>& contents) {
    const auto there = disk.open(path(suffix), OpenMode::kRead);
    if (there || there.error().code != Errc::kNotFound) return;
    const auto written = replace_file(disk, wanted.directory, segment_name(wanted.base, suffix), contents);
    if (!written) failure = written.error();
  }
};

void HintJobs::add(Wanted wanted) {
  queue_.push_back(std::move(wanted));
  if (!running_) run();
}

void HintJobs::run() {
  if (queue_.empty()) return;
  directory_ = queue_.front().directory;
  base_ = queue_.front().base;
  step_done(std::make_shared<Work>(disk_, hasher_, queue_.front()));
}

// Each step is a job of its own, so that others get their turn between.
void HintJobs::step_done(const std::shared_ptr<Work>& work) {
  if (!work->finished && !queue_.empty()) {
    running_ = true;
    disk_.run_aside([work] { work->step(); },
                    [this, work] {
                      running_ = false;
                      step_done(work);
                    });
    return;
  }
  const bool gone = work->failure && work->failure->code == Errc::kNotFound;
  if (work->failure && !gone) {
    // The segment can always be scanned.
    diag::warning("no hint was written for " + work->path(kLogSuffix) + ": " + work->failure->message());
  }
  if (!work->wanted.still_wanted()) {
    running_ = true;
    disk_.run_aside([work] { (void)work->disk.remove(work->path(kHintSuffix)); },
                    [this] {
                      running_ = false;
                      if (!queue_.empty()) queue_.pop_front();
                      run();
                    });
    return;
  }
  if (!queue_.empty()) queue_.pop_front();
  run();
}

bool HintJobs::give_up(const std::string& directory, Offset base, Offset end) {
  if (running_ && directory_ == directory && base_ >= base && base_ < end) return false;
  const auto first = queue_.begin() + (running_ && !queue_.empty() ? 1 : 0);
  const auto given_up = std::remove_if(first, queue_.end(), [&](const Wanted& wanted) {
    return wanted.directory == directory && wanted.base >= base && wanted.base < end;
  });
  queue_.erase(given_up, queue_.end());
  return true;
}

void HintJobs::abandon() {
  queue_.clear();
  running_ = false;
}

}  // namespace minod
