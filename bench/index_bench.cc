// What the indexes cost: time a call, bytes a key, and the longest single put. Run it from a release build:
//   build/release/bin/index_bench [--benchmark_filter=Find]
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <map>

#include "base/random.h"
#include "index/expiry_index.h"
#include "index/hash_index.h"

namespace minod {
namespace {

// Key number -> hash, without a table of keys that would disturb the caches.
KeyHash hash_of(std::uint64_t key) {
  Random random(key);
  return {random.next(), random.next()};
}

const HashIndex& index_of(std::uint64_t count) {
  static std::map<std::uint64_t, HashIndex> built;
  const auto [at, is_new] = built.try_emplace(count);
  for (std::uint64_t key = 0; is_new && key < count; ++key) {
    at->second.put(hash_of(key), {Offset(static_cast<std::int64_t>(key))});
  }
  return at->second;
}

void find(benchmark::State& state, std::uint64_t first_key) {
  const auto count = static_cast<std::uint64_t>(state.range(0));
  const HashIndex& index = index_of(count);
  Random random(1);
  for (auto _ : state) benchmark::DoNotOptimize(index.find(hash_of(first_key + random.below(count))));
}
void FindHit(benchmark::State& state) { find(state, 0); }
void FindMiss(benchmark::State& state) { find(state, std::uint64_t{1} << 40); }

// As a pipeline of 32 commands does it.
void FindHitPrefetched(benchmark::State& state) {
  const auto count = static_cast<std::uint64_t>(state.range(0));
  const HashIndex& index = index_of(count);
  Random random(2);
  std::array<KeyHash, 32> hashes;
  for (auto _ : state) {
    for (KeyHash& hash : hashes) {
      hash = hash_of(random.below(count));
      index.prefetch(hash);
    }
    for (const KeyHash& hash : hashes) benchmark::DoNotOptimize(index.find(hash));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(hashes.size()));
}

void HashOnly(benchmark::State& state) {
  Random random(3);
  for (auto _ : state) benchmark::DoNotOptimize(hash_of(random.below(5'000'000)));
}

std::int64_t resident_bytes() {
  std::int64_t total = 0;
  std::int64_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

// Of this thread, in nanoseconds: on a machine shared with others, wall-clock time shows their pauses.
double cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// Puts new keys up to the count and reports bytes a key on the way.
template <class Index, class Put>
void fill(benchmark::State& state, Put put) {
  const auto count = static_cast<std::uint64_t>(state.range(0));
  for (auto _ : state) {
    const std::int64_t before = resident_bytes();
    Index index;
    double worst_ns = 0;
    int over_ms = 0;
    double least = 1e9;
    double most = 0;
    double sum = 0;
    std::int64_t levels = 0;
    std::uint64_t next_level = 1000;
    for (std::uint64_t key = 0; key < count; ++key) {
      const double start = cpu_ns();
      put(index, key);
      const double took = cpu_ns() - start;
      worst_ns = std::max(worst_ns, took);
      over_ms += took > 1e6 ? 1 : 0;
      if (index.size() == next_level) {
        const double each = static_cast<double>(index.memory_bytes()) / static_cast<double>(index.size());
        least = std::min(least, each);
        most = std::max(most, each);
        sum += each;
        ++levels;
        next_level += next_level / 100;
      }
    }
    state.counters["B/key_min"] = least;
    state.counters["B/key_avg"] = sum / static_cast<double>(levels);
    state.counters["B/key_max"] = most;
    state.counters["B/key_rss"] = static_cast<double>(resident_bytes() - before) / static_cast<double>(count);
    state.counters["worst_us"] = worst_ns / 1000;
    state.counters["over_1ms"] = over_ms;
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void PutTimed(benchmark::State& state) {
  fill<HashIndex>(state, [](HashIndex& index, std::uint64_t key) {
    index.put(hash_of(key), {Offset(static_cast<std::int64_t>(key))});
  });
}

void ExpiryPutTimed(benchmark::State& state) {
  fill<ExpiryIndex>(state, [](ExpiryIndex& index, std::uint64_t key) {
    const auto number = static_cast<std::int64_t>(key);
    index.put(Offset(number), UnixMillis(number));
  });
}

void Put(benchmark::State& state) {
  const auto count = static_cast<std::uint64_t>(state.range(0));
  for (auto _ : state) {
    HashIndex index;
    for (std::uint64_t key = 0; key < count; ++key) {
      index.put(hash_of(key), {Offset(static_cast<std::int64_t>(key))});
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK(HashOnly);
BENCHMARK(FindHit)->Arg(100'000)->Arg(5'000'000)->Arg(20'000'000);
BENCHMARK(FindMiss)->Arg(5'000'000)->Arg(20'000'000);
BENCHMARK(FindHitPrefetched)->Arg(5'000'000)->Arg(20'000'000);
BENCHMARK(Put)->Arg(100'000)->Unit(benchmark::kMillisecond);
BENCHMARK(Put)->Arg(5'000'000)->Iterations(2)->Unit(benchmark::kMillisecond);
BENCHMARK(PutTimed)->Arg(5'000'000)->Arg(20'000'000)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(ExpiryPutTimed)->Arg(10'000'000)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace minod

BENCHMARK_MAIN();
