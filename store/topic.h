// A plain topic: a log without a hash index. Records are appended, with or without keys, read again by offset or from a
// time on, and go whole segments at a time when they have been kept as long as the rule says. Belongs to one shard.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "index/log_index.h"
#include "log/log.h"
#include "log/retention.h"

namespace minod {

struct TopicOptions {
  std::int64_t segment_bytes = kSegmentBytesDefault;
  SyncPolicy sync = SyncPolicy::kAlways;
  bool compress = false;
  RetentionRule retention{-1, std::int64_t{7} * 24 * 3600 * 1000};  // Kafka's defaults
};

// Whole batches, as they lie on disk. The first may begin before the offset that was asked for.
struct TopicBatches {
  std::shared_ptr<const void> memory;
  Bytes bytes;
  Offset next;  // where to read on
};

class Topic {
 public:
  // Opens the log that recovery left in `directory`, `places` being where its batches are; a new one with the defaults.
  // Blocking. start() follows.
  static Result<std::unique_ptr<Topic>> open(Disk& disk, const Clock& clock, std::string directory,
                                             TopicOptions options, LogStart start, LogIndex places);
  // The log is idle, or abandoned.
  ~Topic();
  void start();
  void abandon();

  // The owner is told when begin() or end() moves, and when the log fails.
  std::function<void()> on_moved = [] {};
  std::function<void(const Error&)> on_failed = [](const Error&) {};

  // As Log::make_room(), append() and the group around them; what is appended leaves with dispatch().
  Log::Room make_room(std::size_t bytes) { return log_->make_room(bytes, false); }
  void begin_group(std::size_t bytes) { log_->begin_group(bytes); }
  Offset append(const NewRecord& record) { return log_->append(record, clock_.now()); }
  void end_group() { log_->end_group(); }
  void dispatch() { log_->dispatch(); }

  Offset begin() const { return log_->log_start(); }        // the first record that is kept
  Offset end() const { return log_->marks().committed(); }  // behind the last that may be read
  std::size_t memory_bytes() const { return log_->memory_bytes() + places_.memory_bytes(); }

  // Batches from `from` on, about `bytes_max` of them and at least one, up to end(). Nothing at the end. kNotFound: the
  // offset is below begin() or above end(). `done` is called once, at once or from Disk::poll().
  using ReadDone = std::function<void(Result<TopicBatches>)>;
  void read(Offset from, std::size_t bytes_max, ReadDone done);

  // The first record whose timestamp is not before `time`; nothing when there is none. Through the time index of the
  // segment that has it. `done` as above.
  using FindDone = std::function<void(Result<std::optional<Offset>>)>;
  void find_time(UnixMillis time, FindDone done);

  // Lets those segments go that the rule says. Now and then; a log that is idle is checked too.
  void apply_retention();
  void set_retention(RetentionRule rule) { options_.retention = rule; }

  bool idle() const { return log_->idle() && jobs_ == 0; }
  Log& log() { return *log_; }
  LogIndex& places() { return places_; }

 private:
  Topic(Disk& disk, const Clock& clock, std::string directory, TopicOptions options, LogIndex places)
      : disk_(disk),
        clock_(clock),
        directory_(std::move(directory)),
        options_(std::move(options)),
        places_(std::move(places)) {}
  struct Found {
    std::size_t passed = 0;  // bytes of batches before those
    Bytes batches;
    Offset next;
    std::optional<Error> failure;  // why there are no more
    std::int64_t need = 0;         // bytes of the batch that is cut short
  };
  Found find_batches(Bytes bytes, Offset from) const;
  LogEvents events();
  void write_index_files(Offset segment);
  void read_at(Offset segment, FilePosition position, Offset from, std::size_t size, ReadDone done);
  void scan_for_time(UnixMillis time, Offset from, FindDone done);
  std::optional<Offset> first_at(UnixMillis time, Bytes batches);
  void run(std::function<Result<void>()> job, std::function<void(Result<void>)> done);

  Disk& disk_;
  const Clock& clock_;
  std::string directory_;
  TopicOptions options_;
  LogIndex places_;
  Decompressor decompressor_;
  std::size_t jobs_ = 0;
  std::unique_ptr<Log> log_;  // last: its events refer to the above
};

}  // namespace minod
