// Sends the same random commands to redis-server and to minod and compares every reply: see reply_rules.cc for what may
// differ. `differential_test MODE [--seed N]`; MINOD_DIFF_SECONDS says for how long, MINOD_DIFF_SEED from which seed.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

#include "tests/interop/command_writer.h"
#include "tests/interop/duel.h"
#include "tests/live/temp_directory.h"

namespace minod::live {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr int kSkipped = 77;

struct Mode {
  const char* name;
  std::vector<std::string> options;
  bool kills = false;
  bool drops_values = false;
};

const std::vector<Mode>& modes() {
  static const std::vector<Mode> all = {
      {"plain", {"--appendfsync", "everysec"}},
      {"partitioned", {"--appendfsync", "always", "--partitions", "8"}},
      {"sharded", {"--appendfsync", "everysec", "--shards", "3", "--partitions", "8", "--compression-type", "zstd"}},
      {"restart", {"--appendfsync", "always", "--segment-bytes", "1mb", "--partitions", "8", "--shards", "2"}, true},
      {"cold", {"--appendfsync", "everysec", "--segment-bytes", "1mb", "--compression-type", "zstd"}, true, true},
      {"cold_sharded",
       {"--appendfsync", "everysec", "--segment-bytes", "1mb", "--shards", "2", "--partitions", "8"},
       true,
       true},
  };
  return all;
}

class Fuzzer {
 public:
  Fuzzer(Duel& duel, const Mode& mode, std::uint64_t seed)
      : duel_(duel), mode_(mode), random_(seed), writer_(random_) {}

  // False when a mismatch was found and told.
  bool run_until(SteadyClock::time_point deadline) {
    auto next_kill = SteadyClock::now() + seconds(2);
    while (SteadyClock::now() < deadline) {
      std::vector<Step> steps = next_steps();
      if (mode_.kills && SteadyClock::now() > next_kill) {
        steps = {Step{Step::Kind::kKillSubject, 0, {}}};
        next_kill = SteadyClock::now() + seconds(2);
      }
      const bool look = steps[0].kind == Step::Kind::kKillSubject || random_.one_in(400);
      history_.insert(history_.end(), steps.begin(), steps.end());
      auto mismatch = duel_.perform(steps);
      if (!mismatch && look) mismatch = duel_.compare_state();
      if (mismatch) return tell(*mismatch), false;
    }
    const auto mismatch = duel_.compare_state();
    if (mismatch) tell(*mismatch);
    return !mismatch;
  }

  std::size_t steps() const { return history_.size(); }

 private:
  std::vector<Step> next_steps() {
    const auto client = static_cast<int>(random_.below(kClients));
    if (mode_.drops_values && random_.one_in(10)) return {Step{Step::Kind::kDropValues, 0, {}}};
    if (random_.one_in(300)) return expiring_steps(client);
    if (random_.one_in(8)) return transaction_steps(client);
    std::vector<Step> steps;
    if (random_.one_in(5)) {  // all clients at once, each with keys of its own
      for (int i = 0; i < 24; ++i) {
        const auto one = static_cast<int>(random_.below(kClients));
        steps.push_back({Step::Kind::kCommand, one, writer_.next_of("c" + std::to_string(one) + ":"), true});
      }
      return steps;
    }
    for (std::uint64_t count = 1 + random_.below(12); count > 0; --count) {
      steps.push_back({Step::Kind::kCommand, client, writer_.next()});
    }
    return steps;
  }

  // A key with little time, and a pause in which it goes in both.
  std::vector<Step> expiring_steps(int client) {
    const std::string key = writer_.key();
    std::vector<Step> steps;
    if (random_.one_in(2)) {
      steps.push_back({Step::Kind::kCommand, client, {"SET", key, "soon gone", "PX", "20"}});
    } else {
      steps.push_back({Step::Kind::kCommand, client, {"PEXPIRE", key, "20"}});
    }
    steps.push_back({Step::Kind::kPause, 0, {}});
    for (const char* name : {"GET", "EXISTS", "TTL", "PERSIST", "TYPE"}) {
      steps.push_back({Step::Kind::kCommand, client, {name, key}});
    }
    if (random_.one_in(2)) steps.push_back({Step::Kind::kCommand, client, {"APPEND", key, "new"}});
    return steps;
  }

  // WATCH, perhaps a change by another client, MULTI, commands that may be malformed, and an end.
  std::vector<Step> transaction_steps(int client) {
    std::vector<Step> steps;
    const auto add = [&](int who, Arguments command) {
      steps.push_back({Step::Kind::kCommand, who, std::move(command)});
    };
    writer_.begin_transaction();
    // The key is there, since one that is not there before and after counts as unchanged (docs/TRANSACTIONS.md).
    const std::string watched = writer_.key();
    if (random_.one_in(2)) {
      add(client, {"SET", watched, "watched"});
      add(client, {"WATCH", watched, writer_.key()});
      if (random_.one_in(10)) add(client, {"UNWATCH"});
      const int other = random_.one_in(3) ? client : static_cast<int>(random_.below(kClients));
      if (random_.one_in(2)) add(other, {"TYPE", watched});
      if (random_.one_in(3)) add(other, {random_.one_in(2) ? "GETDEL" : "STRLEN", watched});
      if (random_.one_in(6)) add(other, {"SETRANGE", watched, "0", "w"});
    }
    const bool empty = random_.one_in(30);
    const std::size_t begin = steps.size();
    if (!random_.one_in(40)) add(client, {"MULTI"});
    for (std::uint64_t count = empty ? 0 : 1 + random_.below(10); count > 0; --count) add(client, writer_.next());
    const std::vector<Arguments> odd = {{"MULTI"},     {"WATCH", watched}, {"UNWATCH"},        {"EXEC", "x"},
                                        {"WATCH"},     {"DISCARD", "x"},   {"CLIENT", "NOPE"}, {"SHUTDOWN", "FOO"},
                                        {"ECHO", "x"}, {"WAIT", "1", "10"}};
    if (random_.one_in(12)) {
      // SHUTDOWN is refused in MULTI and harmless outside because of its argument.
      const auto at = static_cast<std::ptrdiff_t>(begin + random_.below(steps.size() + 1 - begin));
      steps.insert(steps.begin() + at, {Step::Kind::kCommand, client, odd[random_.below(odd.size())]});
    }
    add(client, {random_.one_in(15) ? "DISCARD" : "EXEC"});
    writer_.end_transaction();
    add(client, {"UNWATCH"});
    return steps;
  }

  void tell_replies(const Mismatch& mismatch) {
    std::printf("MISMATCH\n  %s\n  redis: %s\n  minod: %s\n", shown(mismatch.step).c_str(),
                shown(mismatch.oracle, 1000).c_str(), shown(mismatch.subject, 1000).c_str());
  }

  void tell(const Mismatch& mismatch) {
    tell_replies(mismatch);
    std::printf("\nthe last steps:\n");
    const std::size_t from = history_.size() > 20 ? history_.size() - 20 : 0;
    for (std::size_t i = from; i < history_.size(); ++i) std::printf("  %s\n", shown(history_[i]).c_str());
    const auto small = shrink();
    if (!small.empty()) {
      std::printf("\nenough to see it again, from empty databases:\n");
      for (const Step& step : small) std::printf("  %s\n", shown(step).c_str());
      if (fails(small)) tell_replies(*seen_again_);
    }
    std::printf("\nminod's log:\n%s\n", duel_.subject_log().c_str());
  }

  bool fails(const std::vector<Step>& steps) {
    if (!duel_.reset()) return false;
    seen_again_ = duel_.perform(steps);
    if (!seen_again_) seen_again_ = duel_.compare_state();
    return seen_again_.has_value();
  }

  // The fewest steps found in some seconds that still fail; empty when the failure does not come again.
  std::vector<Step> shrink() {
    const auto deadline = SteadyClock::now() + seconds(20);
    constexpr std::size_t kEnough = 4000;
    std::vector<Step> steps(history_.end() - static_cast<std::ptrdiff_t>(std::min(kEnough, history_.size())),
                            history_.end());
    if (!fails(steps)) return {};
    for (std::size_t size = steps.size() / 2; size > 0; size /= 2) {
      for (std::size_t at = 0; at < steps.size() && SteadyClock::now() < deadline;) {
        std::vector<Step> fewer(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(at));
        fewer.insert(fewer.end(), steps.begin() + static_cast<std::ptrdiff_t>(std::min(at + size, steps.size())),
                     steps.end());
        if (!fewer.empty() && fails(fewer)) {
          steps = fewer;
        } else {
          at += size;
        }
      }
    }
    return steps;
  }

  Duel& duel_;
  const Mode& mode_;
  Random random_;
  CommandWriter writer_;
  std::vector<Step> history_;
  std::optional<Mismatch> seen_again_;
};

int run(const Mode& mode, std::uint64_t seed) {
  const std::string redis = program_in_path("redis-server");
  if (redis.empty() || minod_path().empty()) {
    std::printf("SKIPPED: %s\n", redis.empty() ? "no redis-server in PATH" : "MINOD_BINARY is not set");
    return kSkipped;
  }
  const std::vector<std::string> missing = CommandWriter::missing_commands();
  for (const std::string& name : missing) std::printf("no test command for %s\n", name.c_str());
  if (!missing.empty()) return 1;

  const char* limit = std::getenv("MINOD_DIFF_SECONDS");
  const int limit_s = limit == nullptr ? 20 : std::atoi(limit);
  const std::string bulk_max = std::to_string(kBulkSizeMax);
  TempDirectory directory;
  std::vector<std::string> subject{
      minod_path(), "--dir", directory / "data", "--proto-max-bulk-len", bulk_max, "--enable-debug-command", "yes"};
  subject.insert(subject.end(), mode.options.begin(), mode.options.end());
  Duel duel({redis, "--save", "", "--appendonly", "no", "--dir", directory.path(), "--proto-max-bulk-len", bulk_max},
            subject, directory.path());
  if (!duel.start()) {
    std::printf("a server did not start:\n%s\n", duel.subject_log().c_str());
    return 1;
  }
  std::printf("%s, seed %llu, %d s\n", mode.name, static_cast<unsigned long long>(seed), limit_s);
  std::fflush(stdout);
  Fuzzer fuzzer(duel, mode, seed);
  const bool same = fuzzer.run_until(SteadyClock::now() + seconds(limit_s));
  std::printf("%s after %zu steps, seed %llu\n", same ? "no difference" : "FAILED", fuzzer.steps(),
              static_cast<unsigned long long>(seed));
  return same ? 0 : 1;
}

int main_of(int argc, char** argv) {
  const char* const wanted = std::getenv("MINOD_DIFF_SEED");
  std::uint64_t seed = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : std::random_device()();
  const Mode* mode = nullptr;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--seed") == 0 && i + 1 < argc) seed = std::strtoull(argv[++i], nullptr, 10);
    for (const Mode& one : modes()) {
      if (std::strcmp(argv[i], one.name) == 0) mode = &one;
    }
  }
  if (mode == nullptr) {
    std::printf("usage: differential_test plain|partitioned|sharded|restart|cold|cold_sharded [--seed N]\n");
    return 2;
  }
  return run(*mode, seed);
}

}  // namespace
}  // namespace minod::live

int main(int argc, char** argv) { return minod::live::main_of(argc, argv); }
