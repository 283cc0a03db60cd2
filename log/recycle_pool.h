// Files of one log that hold no segment any more, kept to become its next ones: their blocks are allocated and written,
// so overwriting them changes no metadata, and a full disk can't take them away. They are zeroed before they are used;
// why that is cheaper than to tell old batches from new ones: docs/adr/0004-write-path.md.
//
// Only files that this process wrote for this log get in: what an earlier one left is removed at the start. Belongs to
// the log's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "log/disk.h"

namespace minod {

class RecyclePool {
 public:
  struct Spare {
    std::shared_ptr<File> file;
    std::string path;
  };

  explicit RecyclePool(std::size_t count_max) : count_max_(count_max) {}

  // Whether one more file may come. expect() keeps its place until arrived(), with nothing when the file had to go.
  bool has_place() const { return spares_.size() + expected_ < count_max_; }
  void expect() { ++expected_; }
  void arrived(std::optional<Spare> spare) {
    --expected_;
    if (spare) spares_.push_back(std::move(*spare));
  }

  // A file that nobody reads any more; reads of what was in it may still be in flight for a while.
  std::optional<Spare> take();

  // Everything, to be removed.
  std::vector<Spare> take_all() { return std::exchange(spares_, {}); }

  std::size_t count() const { return spares_.size(); }

 private:
  std::size_t count_max_;
  std::size_t expected_ = 0;
  std::vector<Spare> spares_;
};

// Gives a segment's file at `from` the name `to`, durably: from then on it is no segment, whatever happens. False: it
// has another name (a backup's hard link), so its contents must stay, and only this name was removed. Blocking.
Result<bool> retire_file(Disk& disk, const std::string& directory, File& file, const std::string& from,
                         const std::string& to);

}  // namespace minod
