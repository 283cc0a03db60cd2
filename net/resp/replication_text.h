// What INFO and ROLE tell of replication, in Redis's words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace minod {
class Node;
class NodeReplication;
}  // namespace minod

namespace minod::resp {

// The lines of INFO's section, without its title. `end`: of all logs, added up.
std::string replication_lines(Node& node, std::int64_t end);

// "master" or "slave"; HELLO says "replica".
std::string_view role_name(const NodeReplication* replication);

}  // namespace minod::resp
