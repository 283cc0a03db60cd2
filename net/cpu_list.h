// Which processors the shards are pinned to: a list as in the kernel's files, "0-3,8", in the order of the shards.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace minod {

inline constexpr int kCpuMax = 1023;  // what a cpu_set_t holds

// Nothing: the text is no list. Empty text: an empty list.
std::optional<std::vector<int>> parse_cpu_list(std::string_view text);
std::string cpu_list_text(const std::vector<int>& cpus);

// kInvalid names the first one that this process may not run on.
Result<void> check_cpus(const std::vector<int>& cpus);

// This thread runs on `cpu` only, from now on; memory that it touches first is local to it.
Result<void> pin_this_thread(int cpu);

}  // namespace minod
