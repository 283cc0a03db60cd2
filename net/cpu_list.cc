#include "net/cpu_list.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace minod {

namespace {

std::optional<int> take_number(std::string_view& text) {
  int number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || number < 0 || number > kCpuMax) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

}  // namespace

std::optional<std::vector<int>> parse_cpu_list(std::string_view text) {
  std::vector<int> cpus;
  while (!text.empty()) {
    const auto first = take_number(text);
    if (!first) return std::nullopt;
    int last = *first;
    if (text.starts_with('-')) {
      text.remove_prefix(1);
      const auto number = take_number(text);
      if (!number || *number < *first) return std::nullopt;
      last = *number;
    }
    for (int cpu = *first; cpu <= last; ++cpu) cpus.push_back(cpu);
    if (text.empty()) break;
    if (!text.starts_with(',') || text.size() == 1) return std::nullopt;
    text.remove_prefix(1);
  }
  return cpus;
}

std::string cpu_list_text(const std::vector<int>& cpus) {
  std::string text;
  for (std::size_t i = 0; i < cpus.size();) {
    std::size_t end = i + 1;
    while (end < cpus.size() && cpus[end] == cpus[end - 1] + 1) ++end;
    if (!text.empty()) text += ',';
    text += std::to_string(cpus[i]);
    if (end - i > 1) text += '-' + std::to_string(cpus[end - 1]);
    i = end;
  }
  return text;
}

Result<void> check_cpus(const std::vector<int>& cpus) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return Error{Errc::kIo, errno, "sched_getaffinity"};
  const auto missing = std::ranges::find_if(cpus, [&](int cpu) { return !CPU_ISSET(cpu, &allowed); });
  if (missing == cpus.end()) return {};
  std::vector<int> all;
  for (int cpu = 0; cpu <= kCpuMax; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) all.push_back(cpu);
  }
  return Error{Errc::kInvalid, 0,
               "cpu-affinity names processor " + std::to_string(*missing) + ", and minod may run on " +
                   cpu_list_text(all) + " here"};
}

Result<void> pin_this_thread(int cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0) return Error{Errc::kIo, errno, "sched_setaffinity"};
  return {};
}

}  // namespace minod
