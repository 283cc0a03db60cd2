// Plain topics on disk: one directory for each partition of each topic, named as Kafka's, "orders-3".
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "log/disk.h"
#include "replay/recovery.h"
#include "store/topic.h"

namespace minod {

// Kafka's rule for names: 1 to 249 letters, digits, dots, underscores and hyphens, not "." or "..".
bool is_topic_name(std::string_view name);

struct TopicPartition {
  std::string topic;
  int partition = 0;
};
// Those in `parent`, sorted by name of the directory. Blocking.
Result<std::vector<TopicPartition>> list_topics(Disk& disk, const std::string& parent);

// Opens a topic's partition below `parent`, and makes it when it is not there. Damage is treated as a keyspace's is
// (replay/recovery.h). Blocking; Topic::start() follows.
Result<std::unique_ptr<Topic>> open_topic(Disk& disk, const Clock& clock, const std::string& parent,
                                          const TopicPartition& which, const TopicOptions& options,
                                          const RecoveryOptions& recovery, RecoveryReport& report);

// Notes the clean end of a topic that is idle, before it is destroyed. Blocking.
Result<void> note_clean_end(Disk& disk, Topic& topic);

}  // namespace minod
