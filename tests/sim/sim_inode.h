// What one file holds, now and after a power loss. Bytes are tracked in sectors of 512: a sector that was written and
// not synced is, after a power loss, what it durably was or any of its later versions. Changes of the size are
// journaled by a file system: some first few of them survive.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"

namespace minod {

enum class Survival : std::uint8_t {
  kSome,     // each sector, and each directory's operations, as the seed says
  kNothing,  // what was not synced is lost
  kAll,      // everything survives, writes in flight too
};

class SimInode {
 public:
  static constexpr std::int64_t kSectorSize = 512;

  std::int64_t size() const { return static_cast<std::int64_t>(current_.size()); }
  Bytes contents() const { return current_; }

  // `bytes` now stand at `position`. Not durable.
  void write(std::int64_t position, Bytes bytes);

  void truncate(std::int64_t size);

  // The point up to which a sync that starts now makes everything durable.
  std::uint64_t now() const { return sequence_; }
  void make_durable(std::uint64_t up_to);

  // As RWF_DSYNC does: these bytes, and the size of the file.
  void make_span_durable(std::int64_t position, std::int64_t size);

  // After a sync that failed, the kernel may have dropped any dirty sector; reads still see it, until a restart.
  void drop_some_dirty(std::uint64_t up_to, Random& random);

  // Power loss. With `tear`, a sector may also be the front of one version and the back of another.
  void lose_power(Survival survival, bool tear, Random& random);

  std::uint64_t hash(std::uint64_t seed) const;

 private:
  using Sector = std::array<std::byte, kSectorSize>;

  struct Version {
    std::uint64_t sequence;
    Sector bytes;
  };
  struct SizeChange {
    std::uint64_t sequence;
    std::int64_t size;
  };

  static Sector sector_of(const std::vector<std::byte>& bytes, std::int64_t sector);
  static void put_sector(std::vector<std::byte>& bytes, std::int64_t sector, const Sector& contents);
  bool shrink_is_pending() const;
  void remember(std::int64_t sector, bool even_if_same);
  void apply_size(const SizeChange& change);
  void apply_sizes(std::uint64_t up_to);
  std::vector<Version> outcomes_of(std::int64_t sector, const std::vector<Version>& versions,
                                   std::size_t sizes_kept) const;
  static Sector chosen_of(const std::vector<Version>& outcomes, Survival survival, bool tear, Random& random);

  std::vector<std::byte> current_;
  std::vector<std::byte> durable_;
  std::map<std::int64_t, std::vector<Version>> dirty_;  // by sector, oldest version first
  std::vector<SizeChange> sizes_;                       // not durable, oldest first
  std::uint64_t sequence_ = 0;
};

}  // namespace minod
