// Which of a log's two checkpoints a restart stands on, and whether the log is still the one that it was made of.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "index/checkpoint_file.h"
#include "index/log_index.h"
#include "log/disk.h"
#include "log/log.h"
#include "replay/change_source.h"

namespace minod {

class CheckpointChoice {
 public:
  // `directory` stays the caller's.
  CheckpointChoice(Disk& disk, const std::string& directory, const IndexIdentity& identity)
      : disk_(disk), directory_(directory), identity_(identity) {}

  // The newest that was not refused and begins in one of `segments`; false when there is none. What can't be opened is
  // refused, with a line in `ignored`.
  bool choose(const std::vector<FoundSegment>& segments, std::vector<std::string>& ignored);

  // Of the one that was chosen.
  const CheckpointHeader& header() const { return header_; }
  std::size_t keys() const { return keys_; }
  std::shared_ptr<CheckpointReader> take_reader() { return std::move(reader_); }
  void refuse(const std::string& why, std::vector<std::string>& ignored);

  // The files that must not be there when the log grows: what was refused; after a `cut`, all but the one that was
  // chosen, since they may speak of what was cut.
  std::vector<std::string> useless(bool cut) const;

  // Without the useless ones: where the oldest checkpoint that is left begins, which a restart may stand on one day.
  Offset replay_begin(bool cut) const;

 private:
  struct Slot {
    bool there = true;
    bool refused = false;
    Offset begin;
  };
  std::string path_of(std::size_t slot) const { return directory_ + "/" + std::string(kCheckpointNames[slot]); }
  void refuse(std::size_t slot, const std::string& why, std::vector<std::string>& ignored);

  Disk& disk_;
  const std::string& directory_;
  const IndexIdentity& identity_;
  std::array<Slot, kCheckpointNames.size()> slots_;
  std::optional<std::size_t> chosen_;
  CheckpointHeader header_;
  std::size_t keys_ = 0;
  std::shared_ptr<CheckpointReader> reader_;
};

// Puts the places of the segments up to the one where the checkpoint begins into `index`, and those that lie before it
// into `start`. A segment that was rewritten since is read for its places. An error: the log is not the one that the
// checkpoint was made of.
Result<void> restore_places(const std::vector<FoundSegment>& segments, const CheckpointHeader& header,
                            const std::vector<SegmentPlaces>& places, const KeyHasher& hasher, LogIndex& index,
                            LogStart& start);

}  // namespace minod
