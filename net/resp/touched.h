// Which partitions a command concerns, by the table of commands.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "store/command.h"

namespace minod::resp {

using Touched = std::vector<std::uint16_t>;  // ascending, each once

// The one partition that the command concerns, when that takes no more than a look. On the path of every request.
std::optional<std::uint16_t> one_touched_by(const CommandSpec& spec, std::span<const std::string_view> args,
                                            int partitions);

// At least one: a command without keys runs on any partition, and takes the first. A SCAN outside of MULTI looks at
// the partition that its cursor names.
Touched touched_by(const CommandSpec& spec, std::span<const std::string_view> args, int partitions);

// The same for a command of a MULTI: nothing where it does not matter, and all for a SCAN, which there sees what other
// commands have made.
Touched touched_in_multi(const CommandSpec& spec, std::span<const std::string_view> args, int partitions);

void add_touched(Touched& to, const Touched& more);

}  // namespace minod::resp
