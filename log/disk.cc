#include "log/disk.h"

namespace minod {

namespace {

std::string joined(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

}  // namespace

Result<void> replace_file(Disk& disk, const std::string& directory, const std::string& name, Bytes contents) {
  const std::string temporary = joined(directory, name + ".tmp");
  {
    auto file = disk.open(temporary, OpenMode::kCreate);
    if (!file) return file.error();
    if (auto written = (*file)->write_now(FilePosition(0), contents); !written) return written.error();
    if (auto synced = (*file)->sync_now(); !synced) return synced.error();
  }
  if (auto renamed = disk.rename(temporary, joined(directory, name)); !renamed) return renamed.error();
  return disk.sync_directory(directory);
}

Result<std::string> read_file(Disk& disk, const std::string& path, std::size_t size_max) {
  auto file = disk.open(path, OpenMode::kRead);
  if (!file) return file.error();
  const auto size = (*file)->size_now();
  if (!size) return size.error();
  if (static_cast<std::uint64_t>(*size) > size_max) {
    return Error{Errc::kTooLarge, 0,
                 path + " has " + std::to_string(*size) + " bytes, more than " + std::to_string(size_max)};
  }
  std::string contents(static_cast<std::size_t>(*size), '\0');
  const auto count =
      (*file)->read_now(FilePosition(0), {reinterpret_cast<std::byte*>(contents.data()), contents.size()});
  if (!count) return count.error();
  contents.resize(*count);
  return contents;
}

}  // namespace minod
