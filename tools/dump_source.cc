#include "tools/dump_source.h"

#include <sys/stat.h>

#include <cerrno>

#include "log/format.h"
#include "replay/data_directory.h"

namespace minod::dump {

namespace {

std::string without_last_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

Result<Source> partition_source(Disk& disk, const std::string& directory) {
  auto segments = list_segments(disk, directory);
  if (!segments) return segments.error();
  const auto clean_end = read_clean_end(disk, directory);
  if (!clean_end) return clean_end.error();
  return Source{directory, std::move(*segments), *clean_end};
}

}  // namespace

Result<std::vector<Source>> find_sources(Disk& disk, const std::string& given, std::optional<int> db) {
  const std::string path = without_last_slash(given);
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return errno_error("open " + path, errno);
  std::vector<Source> sources;
  if (!S_ISDIR(status.st_mode)) {
    if (!path.ends_with(kLogSuffix)) return Error{Errc::kInvalid, 0, path + " is no segment: name a .log file"};
    auto segment = segment_at(disk, path);
    if (!segment) return segment.error();
    const std::size_t slash = path.rfind('/');
    sources.push_back(Source{slash == std::string::npos ? "." : path.substr(0, slash), {}, std::nullopt});
    sources.back().segments.push_back(std::move(*segment));
    return sources;
  }
  const auto partitions = list_partitions(disk, path);
  if (!partitions) return partitions.error();
  for (const PartitionDirectory& partition : *partitions) {
    if (db && partition.db != *db) continue;
    auto source = partition_source(disk, path + "/" + partition.name);
    if (!source) return source.error();
    sources.push_back(std::move(*source));
  }
  if (!partitions->empty()) return sources;
  auto source = partition_source(disk, path);
  if (!source) return source.error();
  if (source->segments.empty()) {
    return Error{Errc::kInvalid, 0, path + " is neither a data directory nor a partition of one: no dbN-P, no .log"};
  }
  sources.push_back(std::move(*source));
  return sources;
}

}  // namespace minod::dump
