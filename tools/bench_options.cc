#include "tools/bench_options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "tools/bench_ledger.h"

namespace minod::bench {

namespace {

Error refused(std::string detail) { return Error{Errc::kInvalid, 0, std::move(detail)}; }

}  // namespace

Result<TtlRange> parse_ttl(std::string_view text) {
  TtlRange ttl;
  const char* end_of_text = text.data() + text.size();
  auto [end, failure] = std::from_chars(text.data(), end_of_text, ttl.low);
  ttl.high = ttl.low;
  if (failure == std::errc() && end != end_of_text && *end == '-') {
    const auto high = std::from_chars(end + 1, end_of_text, ttl.high);
    end = high.ptr;
    failure = high.ec;
  }
  if (failure != std::errc() || end != end_of_text || ttl.low == 0 || ttl.high < ttl.low) {
    return refused("'" + std::string(text) + "' is not a time to live; write seconds, 60 or 30-90");
  }
  return ttl;
}

Result<void> apply_ycsb(Options& options, std::string_view letter, bool keep_distribution) {
  Mix mix = Mix::of(Operation::kGet);
  auto kind = KeyDistribution::Kind::kZipfian;
  if (letter == "A") {
    mix.set(Operation::kSet, 1);
  } else if (letter == "B") {
    mix.set(Operation::kGet, 95);
    mix.set(Operation::kSet, 5);
  } else if (letter == "D") {
    mix.set(Operation::kGet, 95);
    mix.set(Operation::kInsert, 5);
    kind = KeyDistribution::Kind::kLatest;
  } else if (letter == "F") {
    mix.set(Operation::kRmw, 1);
  } else if (letter == "E") {
    return refused("YCSB E is not applicable: it scans ranges of keys, and the protocol has no ordered scan");
  } else if (letter != "C") {
    return refused("'" + std::string(letter) + "' is not a YCSB workload; write A, B, C, D or F");
  }
  options.mix = mix;
  options.ycsb = std::string(letter);
  if (!keep_distribution) options.distribution = KeyDistribution{.kind = kind};
  return {};
}

Result<void> settle(Options& options) {
  if (options.keys == 0 || options.keys > kKeysMax) return refused("--keys must be from 1 to 4294967296");
  if (options.connections < options.threads) {
    return refused("--connections must be at least --threads: each thread needs one");
  }
  if (options.poisson && !options.open_loop()) return refused("--poisson needs --rate");
  if (options.lockstep && options.open_loop()) return refused("--lockstep is a closed loop, and --rate an open one");
  if (!options.runs() && !options.load) return refused("nothing to do: --duration 0 is for --load alone");
  if (options.key_prefix.find_first_of("\r\n") != std::string::npos || options.key_prefix.size() > 1024) {
    return refused("--key-prefix must be at most 1024 bytes without line ends");
  }
  if (options.mix.has(Operation::kSetex) && !options.ttl.used()) options.ttl = TtlRange{60, 60};
  if (options.requests != 0) options.warmup_seconds = 0;
  if (options.requests != 0 && options.requests < options.connections) {
    options.connections = static_cast<unsigned>(std::max<std::uint64_t>(options.requests, options.threads));
  }
  if (options.verify) {
    if (options.keys > kVerifiedKeysMax) return refused("--verify keeps 4 bytes a key; --keys at most 268435456");
    if (options.keys < options.connections) return refused("--verify needs at least one key for each connection");
    options.values.raise_to(kStampBytes);
  }
  return {};
}

Options load_phase(const Options& options) {
  Options load = options;
  load.mix = Mix::of(Operation::kSet);
  load.distribution.kind = KeyDistribution::Kind::kSequential;
  load.rate = 0;
  load.poisson = false;
  load.pipeline = std::max(options.pipeline, 32u);
  load.warmup_seconds = 0;
  load.duration_seconds = 0;
  load.requests = options.keys;
  // With fewer keys than connections, some have nothing to load.
  load.connections = static_cast<unsigned>(std::min<std::uint64_t>(options.connections, options.keys));
  load.threads = std::min(load.threads, load.connections);
  return load;
}

std::string target_text(const Options& options) {
  const resp::Address& address = options.address;
  const std::string where =
      address.unix_path.empty() ? address.host + ":" + std::to_string(address.port) : address.unix_path;
  return where + " db " + std::to_string(address.db);
}

std::string workload_text(const Options& options) {
  char text[128];
  std::snprintf(text, sizeof text, "%llu keys %s; values %s (mean %.0f B, %.0f %% compressible)",
                static_cast<unsigned long long>(options.keys), distribution_text(options.distribution).c_str(),
                options.values.text().c_str(), options.values.mean(), options.compressible * 100);
  std::string workload =
      (options.ycsb.empty() ? "" : "YCSB " + options.ycsb + ": ") + mix_text(options.mix) + "; " + text;
  if (options.ttl.used()) {
    workload += "; ttl " + std::to_string(options.ttl.low) + "-" + std::to_string(options.ttl.high) + " s";
  }
  if (options.verify) workload += "; reads verified";
  return workload;
}

std::string loop_text(const Options& options) {
  if (options.lockstep) return "closed loop, a whole pipeline at a time: latency is service time";
  if (!options.open_loop()) return "closed loop: latency is service time";
  char text[96];
  std::snprintf(text, sizeof text, "open loop: %.0f requests/s, %s; latency counts from the intended send time",
                options.rate, options.poisson ? "Poisson" : "even");
  return text;
}

}  // namespace minod::bench
