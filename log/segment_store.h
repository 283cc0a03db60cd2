// The segment files of one log: the active one, the sealed ones, and one or two next ones, which jobs prepare ahead of
// need, from files that held dead segments when there are some. Knows files and space; knows nothing of batches.
// Belongs to the log's thread; jobs touch only the File they are given.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "log/disk.h"
#include "log/format.h"
#include "log/recycle_pool.h"

namespace minod {

// A segment as recovery found it on disk.
struct SegmentFile {
  Offset base;
  std::int64_t size = 0;  // of the file
  FilePosition end;       // where its last batch ends
};

struct Segment {
  Offset base;
  std::shared_ptr<File> file;  // shared with reads and jobs in flight
  std::int64_t prepared = 0;   // bytes that may be written without changing metadata
  FilePosition end;            // where its last placed batch ends
  bool named = false;          // its final name is durable: batches may be written
  bool full = false;           // no further batch is placed in it
  bool sealing = false;        // its seal is on the way
  bool sealed = false;         // trimmed to its end, durable
};

// How much space a log keeps beside its records.
struct SegmentSpace {
  std::size_t ready = 1;     // next segments, allocated and zeroed ahead of need
  std::size_t recycled = 2;  // files of dead segments kept for them; 0: none is kept
};

struct SegmentCounters {
  std::uint64_t created = 0;   // next segments made from new files
  std::uint64_t recycled = 0;  // and from files of dead ones
};

class SegmentStore {
 public:
  SegmentStore(Disk& disk, const Clock& clock, std::string directory, std::int64_t segment_bytes,
               SegmentSpace space = {});

  // Set before open(). `changed`: a job has ended, ask again; `sealed`; `failed`: an I/O error that is not lack of
  // space.
  std::function<void()> on_changed;
  std::function<void(Offset)> on_sealed;
  std::function<void(Error)> on_failed;

  // Opens the segments of an existing log, or creates the first of a new one. Removes what an earlier process had
  // prepared or kept for reuse. Blocking.
  Result<void> open(const std::vector<SegmentFile>& found, Offset end);

  Segment& active() { return all_.rbegin()->second; }
  Segment* find(Offset base);
  const std::map<Offset, Segment>& all() const { return all_; }
  std::string path_of(Offset base, std::string_view suffix) const;

  // Whether the next segment is ready and takes this many bytes.
  bool next_takes(std::int64_t bytes) const { return !ready_.empty() && ready_.front().prepared >= bytes; }
  std::size_t ready_count() const { return ready_.size(); }
  std::size_t spare_count() const { return pool_.count(); }
  const SegmentCounters& counters() const { return counters_; }

  std::int64_t next_size() const;  // of the next segment, when nothing asks for a larger one
  // Bytes of all segments' files, of the next ones, whether they are there yet or not, and of spares.
  std::int64_t disk_bytes() const;

  // Starts preparing what is missing: a larger active segment when it is `active_empty`, else a next segment of at
  // least `bytes`, until as many are ready as there shall be. Nothing happens while a preparation runs, or within a
  // second after one failed for lack of space.
  void prepare(std::int64_t bytes, bool active_empty);
  bool preparing() const { return preparing_; }
  bool out_of_space() const { return out_of_space_; }
  const Error& space_error() const { return space_error_; }

  // Makes the next segment the active one, with base offset `base`; it is named by a job. The old one is full.
  void roll(Offset base);

  // Trims a full segment to its end and makes it durable; on_sealed follows.
  void seal(Offset base);

  // Ends a sealed segment, by a job: its index files go, its log file is kept for reuse or goes too. Reads in flight
  // finish; a file with another hard link is left alone.
  void remove(Offset base);

  // Compaction: `file` of `size` bytes has taken the place of the sealed segments that begin in [base, end), on disk
  // already. Returns their files, which reads in flight may still use; the last to let one go frees its space.
  std::vector<std::shared_ptr<File>> replace(Offset base, Offset end, std::shared_ptr<File> file, std::int64_t size);

  // Space that is left free when segments are prepared, so that the largest sealed one can be rewritten.
  std::int64_t reserve() const;

  bool idle() const { return jobs_ == 0; }
  void abandon() { jobs_ = 0; }  // no job will ever end
  // It is idle and not used any more: closes all files.
  void forget();

  // The first segment of a log has this many bytes; each next one is as large as the log before it, up to the limit, so
  // that small databases stay small on disk.
  static constexpr std::int64_t kFirstSegmentBytes = std::int64_t{16} << 20;

 private:
  struct Ready {
    std::shared_ptr<File> file;
    std::string path;
    std::int64_t prepared = 0;
  };
  struct Preparation;

  void run(std::function<Result<void>()> work, std::function<void(Result<void>)> done);
  void enlarge_active(std::int64_t to);
  Preparation plan_next(std::int64_t bytes);
  void prepared_next(const Preparation& made, const Result<void>& result);
  void preparation_ended(const Result<void>& result);
  void discard_spares();
  void remove_files(std::vector<std::string> paths);
  Result<void> remove_leftovers();
  std::string new_path();
  Result<void> leave_reserve(std::int64_t bytes, std::int64_t reserve);

  Disk& disk_;
  const Clock& clock_;
  std::string directory_;
  std::int64_t segment_bytes_;
  SegmentSpace space_;
  std::map<Offset, Segment> all_;
  std::deque<Ready> ready_;  // the front is the next one
  RecyclePool pool_;
  SegmentCounters counters_;
  std::uint64_t path_count_ = 0;
  bool preparing_ = false;
  bool out_of_space_ = false;
  MonotonicNanos retry_at_;
  Error space_error_;
  std::size_t jobs_ = 0;
};

}  // namespace minod
