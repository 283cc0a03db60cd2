// What COMMAND tells of one row of the command table, in the shapes of Redis 7.0. Knows nothing of sessions.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "store/command.h"
#include "store/reply.h"

namespace minod::resp {

// `name` in any case, "get" or "config|set"; nullptr when there is none.
const CommandSpec* find_by_full_name(std::string_view name);

// The rows of a container's subcommands; none of other commands. `spec` is a row of command_table().
std::span<const CommandSpec> subcommands_of(const CommandSpec& spec);

// COMMAND INFO: ten elements, the subcommands' own descriptions the last of them.
void describe(Reply& reply, const CommandSpec& spec);

// COMMAND DOCS: the name and a map, which are two elements of the map around them.
void document(Reply& reply, const CommandSpec& spec);

// The flags of the key that stands `nth` among the command's keys: "RW", "access", ...
std::vector<std::string_view> flags_of_key(const CommandSpec& spec, std::span<const std::string_view> args,
                                           std::size_t nth);

}  // namespace minod::resp
