#include "log/recycle_pool.h"

#include <algorithm>
#include <utility>

namespace minod {

std::optional<RecyclePool::Spare> RecyclePool::take() {
  const auto found = std::ranges::find_if(spares_, [](const Spare& spare) { return spare.file.use_count() == 1; });
  if (found == spares_.end()) return std::nullopt;
  Spare spare = std::move(*found);
  spares_.erase(found);
  return spare;
}

Result<bool> retire_file(Disk& disk, const std::string& directory, File& file, const std::string& from,
                         const std::string& to) {
  if (auto renamed = disk.rename(from, to); !renamed) return renamed.error();
  // Before the first byte is overwritten: else a crash could leave the old name with the new contents.
  if (auto synced = disk.sync_directory(directory); !synced) return synced.error();
  // Nobody links it by its old name any more, so the count can't grow behind this.
  const auto links = file.links_now();
  if (!links) return links.error();
  if (*links == 1) return true;
  if (auto removed = disk.remove(to); !removed) return removed.error();
  return false;
}

}  // namespace minod
