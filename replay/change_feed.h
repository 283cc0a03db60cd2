// What a log's files change in the indexes, window after window in the order of the log, read ahead by threads: each
// reads a file of its own, as far as the memory for windows allows. Without threads the caller's own does it, which is
// what simulated disks need. Blocking.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "index/change_window.h"
#include "index/log_index.h"

namespace minod {

// A window, and how far its source is read with it.
struct ChangePiece {
  ChangeWindow window;
  FilePosition end;                   // in the segment file: behind its last batch
  Offset expected;                    // the next batch's base offset
  Epoch epoch;                        // the greatest of the source so far
  std::int64_t bytes = 0;             // of the source, read so far
  std::vector<SegmentPlaces> places;  // with the last one of a hint or of a checkpoint
  bool hint = false;                  // of a hint: it has no batches
  std::string ignored;                // a hint that was of no use, and why: the segment is scanned in its place
  std::optional<Error> stop;          // nothing more comes of this source, for this reason: kEnd when all is well

  void clear();
};

class ChangeFeed {
 public:
  // Reads the next piece into one that is clear.
  using Fill = std::function<void(ChangePiece&)>;
  // Called once, by the thread that reads the source.
  using Source = std::function<Fill()>;

  ChangeFeed(std::vector<Source> sources, unsigned threads);
  ~ChangeFeed();  // stops and joins the threads

  // The next piece of source `i`; all pieces of a source are taken, up to the one with `stop`, before the next
  // source's. `recycled`: one that is no longer needed, for its memory.
  ChangePiece take(std::size_t i, ChangePiece recycled);

  static constexpr std::size_t kPiecesMax = 12;  // in memory at a time, beside what each thread works on

 private:
  void work();
  void read(std::size_t i);
  bool may_go_on(std::size_t i) const;

  std::vector<Source> sources_;
  Fill own_;  // without threads: of the source that is being taken
  std::optional<std::size_t> own_source_;

  std::mutex lock_;
  std::condition_variable produced_;
  std::condition_variable consumed_;
  std::vector<std::deque<ChangePiece>> pieces_;  // by source
  std::vector<ChangePiece> recycled_;
  std::size_t next_ = 0;      // the first source no thread has
  std::size_t taking_ = 0;    // the source that is being taken
  std::size_t buffered_ = 0;  // pieces in pieces_, and those that are being made
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace minod
