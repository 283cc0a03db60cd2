// A data directory as a whole: held by one process at a time, with the facts that were fixed when it was made. Real
// files only, and blocking: for start-up.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/random.h"
#include "base/result.h"
#include "log/disk.h"

namespace minod {

// Of minod.meta. docs/FORMAT.md, "Data directory".
struct DirectoryFacts {
  std::uint64_t hash_seed[2] = {0, 0};  // secret: who knows it can choose keys that collide
  std::string id;                       // 32 hexadecimal digits, new for each directory
  int partitions = 1;                   // of each keyspace
};

class DataDirectory {
 public:
  // Makes the directory when it is not there, takes its lock, reads its facts or, in an empty one, writes them with
  // `partitions`. kBusy: another process has it, named by pid. kCorrupt: the facts are damaged, or missing beside data.
  static Result<std::unique_ptr<DataDirectory>> open(const std::string& path, int partitions, Random& random);

  const std::string& path() const { return path_; }
  const DirectoryFacts& facts() const { return facts_; }
  bool was_made() const { return was_made_; }  // by this open()

 private:
  DataDirectory() = default;
  Fd lock_;
  std::string path_;
  DirectoryFacts facts_;
  bool was_made_ = false;
};

struct PartitionDirectory {
  std::string name;  // "db0-3"
  int db = 0;
  int number = 0;
};
// The partitions' directories in `path`, by database and number. Blocking.
Result<std::vector<PartitionDirectory>> list_partitions(Disk& disk, const std::string& path);

// "db0-3"; nothing when the name is not of this form.
std::optional<PartitionDirectory> parse_partition_name(std::string_view name);

}  // namespace minod
