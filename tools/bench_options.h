// What minod-bench was asked to do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/resp/client.h"
#include "tools/bench_keys.h"
#include "tools/bench_operation.h"
#include "tools/bench_values.h"

namespace minod::bench {

inline constexpr unsigned kThreadsMax = 256;
inline constexpr unsigned kConnectionsMax = 20'000;
inline constexpr unsigned kPipelineMax = 10'000;
inline constexpr unsigned kMgetKeysMax = 1000;
inline constexpr double kSecondsMax = 86'400;  // bounds the series: one point a second

// Seconds to live of a written key, drawn evenly; both 0: keys stay.
struct TtlRange {
  std::uint32_t low = 0;
  std::uint32_t high = 0;

  bool used() const { return high != 0; }
};
Result<TtlRange> parse_ttl(std::string_view text);  // "60" or "30-90"

struct Options {
  resp::Address address;
  unsigned threads = 1;
  unsigned connections = 50;  // of all threads together
  unsigned pipeline = 1;
  bool lockstep = false;  // a pipeline is sent when the one before it is answered, all of it

  double rate = 0;  // requests a second of all connections together; 0: closed loop
  bool poisson = false;

  Mix mix;
  std::string ycsb;  // the letter, or empty
  KeyDistribution distribution;
  std::uint64_t keys = 100'000;
  std::string key_prefix = "key:";
  unsigned mget_keys = 10;
  ValueSizes values = ValueSizes::fixed(100);
  double compressible = 0.5;
  TtlRange ttl;
  std::uint64_t seed = 1;

  bool load = false;
  bool verify = false;
  double warmup_seconds = 1;
  double duration_seconds = 10;
  std::uint64_t requests = 0;  // 0: as many as fit in the duration

  std::string json_path;  // "-" is stdout
  std::string csv_path;
  std::string hdr_path;

  bool open_loop() const { return rate > 0; }
  bool runs() const { return requests > 0 || duration_seconds > 0; }  // false: only loads
};

// Takes mix and distribution from one of YCSB's core workloads: A, B, C, D or F. E is refused: it scans.
Result<void> apply_ycsb(Options& options, std::string_view letter, bool keep_distribution);

// Checks what options mean together; raises value sizes to hold a stamp when they are to be verified.
Result<void> settle(Options& options);

// The options that load every key once before the run: SETs in the order of the keys, as fast as the server takes them.
Options load_phase(const Options& options);

std::string target_text(const Options& options);    // "127.0.0.1:6379 db 0"
std::string workload_text(const Options& options);  // "get=80,set=20; 100000 keys zipfian:0.99; values 100"
std::string loop_text(const Options& options);      // "closed loop: latency is service time"

}  // namespace minod::bench
