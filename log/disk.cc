#include "log/disk.h"

namespace minod {

namespace {

Result<void> write_whole(Disk& disk, const std::string& path, Bytes contents) {
  auto file = disk.open(path, OpenMode::kCreate);
  if (!file) return file.error();
  if (auto written = (*file)->write_now(FilePosition(0), contents); !written) return written.error();
  return (*file)->sync_now();
}

}  // namespace

Result<void> replace_file(Disk& disk, const std::string& directory, const std::string& name, Bytes contents) {
  const std::string path = directory + "/" + name;
  const std::string temporary = path + ".tmp";
  auto replaced = write_whole(disk, temporary, contents);
  if (replaced) replaced = disk.rename(temporary, path);
  if (!replaced) {
    // The first failure is the one to tell; what may stay behind is overwritten by the next attempt.
    (void)disk.remove(temporary);
    return replaced.error();
  }
  return disk.sync_directory(directory);
}

Result<std::string> read_file(Disk& disk, const std::string& path, std::size_t size_max) {
  auto file = disk.open(path, OpenMode::kRead);
  if (!file) return file.error();
  const auto size = (*file)->size_now();
  if (!size) return size.error();
  if (static_cast<std::uint64_t>(*size) > size_max) {
    return Error{Errc::kTooLarge, 0, path + " has more than " + std::to_string(size_max) + " bytes"};
  }
  std::string text(static_cast<std::size_t>(*size), '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const MutableBytes rest(reinterpret_cast<std::byte*>(text.data()) + filled, text.size() - filled);
    const auto count = (*file)->read_now(FilePosition(static_cast<std::int64_t>(filled)), rest);
    if (!count) return count.error();
    if (*count == 0) break;
    filled += *count;
  }
  text.resize(filled);
  return text;
}

}  // namespace minod
