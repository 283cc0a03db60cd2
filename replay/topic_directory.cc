#include "replay/topic_directory.h"

#include <algorithm>
#include <charconv>

#include "index/key_hash.h"
#include "store/limits.h"
#include "store/partition.h"

namespace minod {

bool is_topic_name(std::string_view name) {
  constexpr std::size_t kNameMax = 249;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= kNameMax && name != "." && name != ".." && std::ranges::all_of(name, allowed);
}

Result<std::vector<TopicPartition>> list_topics(Disk& disk, const std::string& parent) {
  const auto entries = disk.list(parent);
  if (!entries) return entries.error();
  std::vector<TopicPartition> topics;
  for (const DirectoryEntry& entry : *entries) {
    const std::size_t dash = entry.name.rfind('-');
    if (!entry.is_directory || dash == std::string::npos || !is_topic_name(entry.name.substr(0, dash))) continue;
    TopicPartition found{entry.name.substr(0, dash), 0};
    const char* const end = entry.name.data() + entry.name.size();
    const auto parsed = std::from_chars(entry.name.data() + dash + 1, end, found.partition);
    if (parsed.ec == std::errc() && parsed.ptr == end && found.partition >= 0) topics.push_back(std::move(found));
  }
  return topics;
}

Result<std::unique_ptr<Topic>> open_topic(Disk& disk, const Clock& clock, const std::string& parent,
                                          const TopicPartition& which, const TopicOptions& options,
                                          const RecoveryOptions& recovery, RecoveryReport& report) {
  if (!is_topic_name(which.topic) || which.partition < 0 || which.partition >= kPartitionsMax) {
    return Error{Errc::kInvalid, 0,
                 "'" + which.topic + "-" + std::to_string(which.partition) +
                     "' names no topic's partition: 1 to 249 of a-z A-Z 0-9 . _ - and a number below " +
                     std::to_string(kPartitionsMax)};
  }
  const std::string directory = parent + "/" + which.topic + "-" + std::to_string(which.partition);
  if (auto made = disk.make_directory(directory); !made) return made.error();
  if (auto synced = disk.sync_directory(parent); !synced) return synced.error();
  Partition unindexed(0, 0, 0, false);
  auto start = recover(disk, directory, KeyHasher(0, 0), unindexed, recovery, report);
  if (!start) return start.error();
  return Topic::open(disk, clock, directory, options, std::move(*start), std::move(unindexed.places()));
}

Result<void> note_clean_end(Disk& disk, Topic& topic) {
  return note_clean_end(disk, topic.log().directory(), topic.log().marks().durable());
}

}  // namespace minod
