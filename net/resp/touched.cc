#include "net/resp/touched.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "store/slot.h"

namespace minod::resp {

namespace {

Touched all_of(int partitions) {
  Touched all;
  for (int number = 0; number < partitions; ++number) all.push_back(static_cast<std::uint16_t>(number));
  return all;
}

// The command itself says what is wrong with a cursor that is none.
std::uint16_t scanned_by(std::span<const std::string_view> args, int partitions) {
  std::uint64_t cursor = 0;
  const auto [end, failure] = std::from_chars(args[1].data(), args[1].data() + args[1].size(), cursor);
  return failure == std::errc() ? cursor_partition(cursor, partitions) : std::uint16_t{0};
}

}  // namespace

Touched touched_in_multi(const CommandSpec& spec, std::span<const std::string_view> args, int partitions) {
  if ((spec.flags & kAllPartitions) != 0) return all_of(partitions);
  const auto keys = key_positions(spec, args);
  if (!keys) return {};
  Touched numbers;
  for (const std::size_t key : *keys) numbers.push_back(partition_of(args[key], partitions));
  std::ranges::sort(numbers);
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

std::optional<std::uint16_t> one_touched_by(const CommandSpec& spec, std::span<const std::string_view> args,
                                            int partitions) {
  if (partitions == 1) return 0;
  const KeyPositions& keys = spec.keys;
  const bool one_key = keys.first > 0 && keys.first == keys.last && static_cast<std::size_t>(keys.first) < args.size();
  if (one_key) return partition_of(args[static_cast<std::size_t>(keys.first)], partitions);
  if (spec.name == "scan") return scanned_by(args, partitions);
  return std::nullopt;
}

Touched touched_by(const CommandSpec& spec, std::span<const std::string_view> args, int partitions) {
  if (const auto one = one_touched_by(spec, args, partitions)) return {*one};
  Touched touched = touched_in_multi(spec, args, partitions);
  if (touched.empty()) touched.push_back(0);
  return touched;
}

void add_touched(Touched& to, const Touched& more) {
  Touched all;
  std::ranges::set_union(to, more, std::back_inserter(all));
  to = std::move(all);
}

}  // namespace minod::resp
