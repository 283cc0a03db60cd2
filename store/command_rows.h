// The command table's parts, one source file a subject. For command_table.cc alone: everybody else asks
// store/command.h.
#pragma once

#include <span>

#include "store/command.h"

namespace minod {

inline constexpr KeyPositions kNoKeys{0, 0, 0};
inline constexpr KeyPositions kFirst{1, 1, 1};
inline constexpr KeyPositions kFirstTwo{1, 2, 1};
inline constexpr KeyPositions kSecond{2, 2, 1};  // of a subcommand
inline constexpr KeyPositions kAll{1, -1, 1};
inline constexpr KeyPositions kEveryOther{1, -1, 2};

std::span<const CommandSpec> string_rows();
std::span<const CommandSpec> key_rows();
std::span<const CommandSpec> connection_rows();
std::span<const CommandSpec> server_rows();
std::span<const CommandSpec> transaction_rows();

}  // namespace minod
