// What a member keeps of one log's replication across restarts: `replication-state` beside the log. docs/FORMAT.md,
// "replication-state".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cluster/replica_state.h"
#include "log/disk.h"

namespace minod {

std::string text_of(const StoredState& state);
// kCorrupt unless it is exactly what text_of() makes of some state; kUnsupported: of another format.
Result<StoredState> parse_state(std::string_view text);

// Nothing when the log has no such file: it was never replicated. Blocking.
Result<std::optional<StoredState>> read_state(Disk& disk, const std::string& directory);

// A state that does not know of its log's newest records: a copy of an earlier time.
Error older_state(const std::string& directory);

// Durable when it returns; the file before it is whole until then. Blocking.
Result<void> write_state(Disk& disk, const std::string& directory, const StoredState& state);

}  // namespace minod
