// A cache in front of something slow, as a trace: GET keys drawn from a Zipf distribution, SET those that are missing.
// Prints the hit ratio of the second half of the requests. `cache_trace PORT KEYS VALUE_BYTES REQUESTS [THETA] [SEED]`
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/live/wire.h"
#include "tools/bench_keys.h"

namespace {

constexpr std::size_t kPipeline = 64;

std::string key_of(std::uint64_t number) {
  char text[24];
  std::snprintf(text, sizeof text, "key:%012llu", static_cast<unsigned long long>(number));
  return text;
}

struct Count {
  std::uint64_t requests = 0;
  std::uint64_t hits = 0;
  std::uint64_t refused = 0;
};

// False when the server does not answer.
bool run_some(minod::live::Wire& wire, const std::vector<std::string>& keys, const std::string& value, Count& count) {
  for (const std::string& key : keys) wire.queue(minod::live::Arguments{"GET", key});
  if (!wire.flush()) return false;
  std::vector<std::string> missing;
  for (const std::string& key : keys) {
    const auto reply = wire.receive();
    if (!reply) return false;
    ++count.requests;
    if (*reply == minod::live::kNull) {
      missing.push_back(key);
    } else {
      ++count.hits;
    }
  }
  for (const std::string& key : missing) wire.queue(minod::live::Arguments{"SET", key, value});
  if (!wire.flush()) return false;
  for (std::size_t i = 0; i < missing.size(); ++i) {
    const auto reply = wire.receive();
    if (!reply) return false;
    if (*reply != minod::live::kOk) ++count.refused;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: cache_trace PORT KEYS VALUE_BYTES REQUESTS [THETA] [SEED]\n");
    return 2;
  }
  const std::uint64_t key_count = std::strtoull(argv[2], nullptr, 10);
  const std::string value(std::strtoull(argv[3], nullptr, 10), 'v');
  const std::uint64_t requests = std::strtoull(argv[4], nullptr, 10);
  const double theta = argc > 5 ? std::atof(argv[5]) : 0.99;
  minod::Random random(argc > 6 ? std::strtoull(argv[6], nullptr, 10) : 1);
  auto wire = minod::live::Wire::connect(static_cast<std::uint16_t>(std::atoi(argv[1])));
  if (!wire) {
    std::fprintf(stderr, "cache_trace: nothing answers on port %s\n", argv[1]);
    return 1;
  }
  const minod::bench::Zipf zipf(key_count, theta);
  Count first;
  Count second;
  for (std::uint64_t sent = 0; sent < requests; sent += kPipeline) {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < kPipeline; ++i) keys.push_back(key_of(zipf.next(random)));
    if (!run_some(*wire, keys, value, sent < requests / 2 ? first : second)) {
      std::fprintf(stderr, "cache_trace: the server stopped answering\n");
      return 1;
    }
  }
  std::printf("%.4f %llu\n", static_cast<double>(second.hits) / static_cast<double>(second.requests),
              static_cast<unsigned long long>(first.refused + second.refused));
  return 0;
}
