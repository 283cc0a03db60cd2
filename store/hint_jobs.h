// Writes the hint files of sealed segments, one after the other, in jobs of a few milliseconds. What it reads back of a
// segment also makes Kafka's index files where they are missing. Belongs to the store's thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "index/hint_file.h"
#include "index/key_hash.h"
#include "log/disk.h"

namespace minod {

class HintJobs {
 public:
  struct Wanted {
    std::string directory;
    Offset base;
    IndexIdentity identity;
    bool only_if_missing = false;        // a hint that is there and fits is left as it is
    std::function<bool()> still_wanted;  // asked on this thread when it is written: false has it removed again
  };

  HintJobs(Disk& disk, const KeyHasher& hasher) : disk_(disk), hasher_(hasher) {}

  void add(Wanted wanted);
  bool idle() const { return !running_; }
  std::size_t waiting() const { return queue_.size(); }
  // No hint of the segments in `directory` that begin in [base, end) is wanted any more. False: one is being written.
  bool give_up(const std::string& directory, Offset base, Offset end);
  void stop() { queue_.clear(); }  // what is being written is given up after its step
  void abandon();                  // no job will ever end

 private:
  struct Work;
  void run();
  void step_done(const std::shared_ptr<Work>& work);

  Disk& disk_;
  const KeyHasher& hasher_;
  std::deque<Wanted> queue_;  // the first one is being written
  bool running_ = false;
  std::string directory_;  // of the one that is being written
  Offset base_;
};

}  // namespace minod
