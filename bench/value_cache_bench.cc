// ValueCache: find that hits and misses, by how many records there are (from L2 to main memory), and insert that must
// let others go. Ids are drawn in advance; a find reads the first byte of the value, as a reply would.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.h"
#include "store/value_cache.h"

namespace minod {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kDraws = 1 << 16;

RecordId id_of(std::uint64_t number) { return {0, Offset(static_cast<std::int64_t>(number))}; }

void fill(ValueCache& cache, std::uint64_t count, const std::string& value) {
  for (std::uint64_t i = 0; i < count; ++i) cache.insert(id_of(i), {"key:0123456789ab", value});
}

std::vector<RecordId> draw(std::uint64_t from, std::uint64_t count) {
  Random random(1);
  std::vector<RecordId> ids(kDraws);
  for (RecordId& id : ids) id = id_of(from + random.below(count));
  return ids;
}

void find_hit(benchmark::State& state) {
  const auto count = static_cast<std::uint64_t>(state.range(0));
  ValueCache cache(2048 * kMiB);
  fill(cache, count, std::string(100, 'v'));
  const std::vector<RecordId> ids = draw(0, count);
  std::size_t i = 0;
  for (auto step : state) benchmark::DoNotOptimize(cache.find(ids[i++ % kDraws])->value.front());
  state.counters["bytes_per_record"] = static_cast<double>(cache.memory_bytes()) / static_cast<double>(cache.count());
}

void find_miss(benchmark::State& state) {
  const auto count = static_cast<std::uint64_t>(state.range(0));
  ValueCache cache(2048 * kMiB);
  fill(cache, count, std::string(100, 'v'));
  const std::vector<RecordId> ids = draw(count, count);
  std::size_t i = 0;
  for (auto step : state) benchmark::DoNotOptimize(cache.find(ids[i++ % kDraws]));
}

void insert_evicting(benchmark::State& state) {
  ValueCache cache(256 * kMiB);
  const std::string value(static_cast<std::size_t>(state.range(0)), 'v');
  std::uint64_t next = 0;
  while (cache.evictions() == 0) cache.insert(id_of(next++), {"key:0123456789ab", value});
  for (auto step : state) cache.insert(id_of(next++), {"key:0123456789ab", value});
}

// Sizes between 64 B and 8 KiB, and half of the reads hit: all classes, both queues, slabs that change their class.
void insert_mixed(benchmark::State& state) {
  ValueCache cache(256 * kMiB);
  Random random(1);
  const std::string value(8192, 'v');
  std::uint64_t next = 0;
  const auto insert = [&] {
    const std::size_t size = (std::size_t{64} << random.below(7)) + random.below(64);
    cache.insert(id_of(next++), {"key:0123456789ab", std::string_view(value).substr(0, size)});
    benchmark::DoNotOptimize(cache.find(id_of(next - 1 - random.below(std::min<std::uint64_t>(next, 200'000)))));
  };
  while (cache.evictions() < 300'000) insert();
  for (auto step : state) insert();
  state.counters["records"] = static_cast<double>(cache.count());
}

BENCHMARK(find_hit)->Arg(2'000)->Arg(100'000)->Arg(5'000'000);
BENCHMARK(find_miss)->Arg(2'000)->Arg(100'000)->Arg(5'000'000);
BENCHMARK(insert_evicting)->Arg(100)->Arg(1024)->Arg(16384);
BENCHMARK(insert_mixed);

}  // namespace
}  // namespace minod

BENCHMARK_MAIN();
