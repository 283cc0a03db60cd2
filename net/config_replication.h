// The options of replication that need more than a row of the table in net/config.cc.
#pragma once

#include <string_view>

#include "net/config.h"

namespace minod {

Result<void> set_replicaof(Config& config, std::string_view value);  // also Redis's "HOST PORT" and "no one"
Result<void> set_announce_peer(Config& config, std::string_view value);

// How they must fit each other.
Result<void> check_replication(const Config& config);

}  // namespace minod
