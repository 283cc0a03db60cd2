// Store, log and restart against a std::map, under simulated power loss: whatever survives must be the state after some
// command that was issued, and not before the last one that was acknowledged, or that a reply has told of: the clients
// are several, and each sees what the others write. A failure prints its seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <deque>
#include <functional>
#include <map>
#include <optional>

#include "tests/replay/whole_log.h"
#include "tests/sim/pipelined_replies.h"
#include "tests/sim/seeds.h"
#include "tests/store/store_fixture.h"

namespace minod {
namespace {

struct Stored {
  std::string value;
  UnixMillis expires_at = kNeverExpires;
  friend bool operator==(const Stored&, const Stored&) = default;
};
using State = std::map<std::string, Stored>;

class StoreModel : public StoreFixture {
 protected:
  void begin(std::uint64_t seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    chance_ = Random(seed);
    options_ = StoreOptions();
    options_.segment_bytes = std::int64_t{1} << 20;
    options_.compress = chance_.one_in(3);
    options_.sync = chance_.one_in(4) ? SyncPolicy::kEverySec : SyncPolicy::kAlways;
    options_.memory_bytes_max = std::uint64_t{2} << 20;
    options_.checkpoint_bytes = chance_.one_in(2) ? 1 + static_cast<std::int64_t>(chance_.below(30'000)) : 0;
    SimDiskOptions disk;
    disk.seed = seed;
    disk.delay_max = 1 + static_cast<unsigned>(chance_.below(6));
    disk.tear_sectors = chance_.one_in(2);
    use_disk(disk);
    connections_.resize(1 + chance_.below(3));
    forget(State());
  }

  // Issues one random command, as the next of one of the pipelined connections.
  void issue() {
    const std::vector<std::string> command = draw();
    PipelinedReplies& connection = connections_[chance_.below(connections_.size())];
    ReplyQueue& replies = connection.replies;
    std::vector<std::string_view> args(command.begin(), command.end());
    const CommandSpec* const spec = find_command(args[0]);
    Request request;
    bool again = true;
    request.args = args;
    request.resume = [&again] { again = true; };
    const std::size_t begin = replies.bytes().size();
    while (!disk_->crashed() && failures_.empty()) {
      if (!std::exchange(again, false)) {
        turn();
        continue;
      }
      Reply reply(replies.bytes(), Protocol::kResp2);
      if (store_->run(*spec, request, reply, replies.bytes()) == Store::Outcome::kParked) continue;
      replies.hold(begin, request.dependencies);
      const std::string text(replies.bytes().view().substr(begin));
      State next = visible(history_.back());
      if (text.rfind("-NOSPACE", 0) != 0 && text.rfind("-OOM", 0) != 0 && text.rfind("-IOERR", 0) != 0) {
        const std::string expected = apply(next, command);
        EXPECT_EQ(text, expected) << command[0] << " " << command[1];
      }
      history_.push_back(std::move(next));
      connection.pending.emplace_back(connection.sent + replies.bytes().size(), told_of(command));
      return;
    }
  }

  // Replies that may leave, leave: what they acknowledge must survive.
  void collect() {
    for (PipelinedReplies& connection : connections_) acknowledged_ = connection.send(acknowledged_);
  }

  // The state on disk, read through the store, is one that the commands passed through, no older than acknowledged.
  void compare() {
    State found;
    for (const std::string& key : keys_) {
      const std::string reply = run({"GET", key});
      if (reply == "$-1\r\n") continue;
      Stored stored;
      stored.value = reply.substr(reply.find('\n') + 1, reply.size() - reply.find('\n') - 3);
      const std::int64_t at = std::stoll(run({"PEXPIRETIME", key}).substr(1));
      if (at >= 0) stored.expires_at = UnixMillis(at);
      found[key] = stored;
    }
    for (std::size_t i = acknowledged_; i < history_.size(); ++i) {
      if (visible(history_[i]) != found) continue;
      forget(found);
      return;
    }
    ADD_FAILURE() << "what survived is no state between acknowledged command " << acknowledged_ << " and the last of "
                  << history_.size() - 1 << describe(found);
  }

  // A crash, and a start that may crash too.
  void restart(Survival survival) {
    connections_ = std::vector<PipelinedReplies>(connections_.size());
    crash(survival);
    while (chance_.one_in(3)) {
      disk_->crash_at_operation(disk_->operations() + 1 + chance_.below(12));
      const auto started = try_start();
      if (started && !disk_->crashed()) settle();
      if (!disk_->crashed()) break;
      crash(survival);
    }
    disk_->crash_at_operation(0);
    if (store_) stop();
    const auto started = try_start();
    ASSERT_TRUE(started.has_value()) << started.error().message();
    if (store_->partition(0, 0) != nullptr) {
      const auto whole = test::read_whole_log(*disk_, "data/db0-0", store_->hasher());
      test::expect_same(*store_->partition(0, 0), *whole);
    }
    compare();
  }

  Random chance_{1};
  std::vector<State> history_;  // after each command since the last restart; the first is what the restart found
  std::uint64_t acknowledged_ = 0;

 private:
  void forget(const State& found) {
    history_ = {found};
    changed_.clear();
    acknowledged_ = 0;
  }

  // What the reply to the last command says something of: what it wrote itself, or who wrote what it has seen.
  std::size_t told_of(const std::vector<std::string>& command) {
    const std::size_t last = history_.size() - 1;
    const State before = visible(history_[last - 1]);
    std::size_t newest = 0;
    for (const std::string& key : keys_) {
      const auto old = before.find(key);
      const auto now = history_[last].find(key);
      const bool was = old != before.end();
      const bool is = now != history_[last].end();
      if (was != is || (is && old->second != now->second)) changed_[key] = newest = last;
    }
    const std::size_t keys = command[0] == "DEL" ? 2 : 1;  // of those that may change nothing
    for (std::size_t i = 1; i <= keys; ++i) {
      const auto seen = changed_.find(command[i]);
      if (seen != changed_.end()) newest = std::max(newest, seen->second);
    }
    return newest;
  }

  State visible(const State& state) const {
    State result;
    for (const auto& [key, stored] : state) {
      if (stored.expires_at > clock_.now()) result.emplace(key, stored);
    }
    return result;
  }

  std::string describe(const State& found) const {
    std::string text;
    for (const auto& [key, stored] : found) {
      text += "\n  " + key + " = " + stored.value.substr(0, 30) + " (" + std::to_string(stored.value.size()) + ")";
      for (const char* when : {"acknowledged", "last"}) {
        const State& state = std::string(when) == "last" ? history_.back() : history_[acknowledged_];
        const auto at = state.find(key);
        text += std::string("; ") + when + ": " + (at == state.end() ? "-" : at->second.value.substr(0, 30));
      }
    }
    return text;
  }

  std::string value() {
    const std::size_t size = chance_.one_in(20) ? chance_.below(60'000) : chance_.below(200);
    std::string text = std::to_string(chance_.next());
    text.resize(std::max<std::size_t>(size, 1), static_cast<char>('a' + chance_.below(26)));
    return text;
  }

  std::vector<std::string> draw() {
    const std::string& key = keys_[chance_.below(keys_.size())];
    const std::string& other = keys_[chance_.below(keys_.size())];
    switch (chance_.below(13)) {
      case 0:
      case 1:
      case 2:
        return {"SET", key, value()};
      case 3:
        return {"SET", key, value(), "PX", std::to_string(1 + chance_.below(5000))};
      case 4:
        return {"DEL", key, other};
      case 5:
        return {"MSET", key, value(), other, value()};
      case 6:
        return {"APPEND", key, value()};
      case 7:
        return {"PEXPIREAT", key,
                std::to_string(clock_.now().value() + 1 + static_cast<std::int64_t>(chance_.below(5000)))};
      case 8:
        return {"PERSIST", key};
      case 9:
        return {"RENAME", key, other};
      case 10:
        return chance_.one_in(10) ? std::vector<std::string>{"FLUSHDB", "SYNC"} : std::vector<std::string>{"GET", key};
      default:
        return {"GET", key};
    }
  }

  // What Redis does, to a map. Returns the reply.
  std::string apply(State& state, const std::vector<std::string>& c) {
    const auto at = state.find(c[1]);
    const auto bulk = [](const std::string& text) {
      return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
    };
    if (c[0] == "SET") {
      state[c[1]] = Stored{c[2], c.size() > 3 ? clock_.now() + Millis(std::stoll(c[4])) : kNeverExpires};
      return "+OK\r\n";
    }
    if (c[0] == "MSET") {
      state[c[1]] = Stored{c[2]};
      state[c[3]] = Stored{c[4]};
      return "+OK\r\n";
    }
    if (c[0] == "DEL") return ":" + std::to_string(state.erase(c[1]) + state.erase(c[2])) + "\r\n";
    if (c[0] == "APPEND") {
      Stored& stored = state[c[1]];
      stored.value += c[2];
      return ":" + std::to_string(stored.value.size()) + "\r\n";
    }
    if (c[0] == "FLUSHDB") {
      state.clear();
      return "+OK\r\n";
    }
    if (c[0] == "GET") return at == state.end() ? "$-1\r\n" : bulk(at->second.value);
    if (c[0] == "RENAME") {
      if (at == state.end()) return "-ERR no such key\r\n";
      const Stored moved = at->second;
      state.erase(at);
      state[c[2]] = moved;
      return "+OK\r\n";
    }
    if (at == state.end()) return ":0\r\n";
    const UnixMillis before = at->second.expires_at;
    at->second.expires_at = c[0] == "PERSIST" ? kNeverExpires : UnixMillis(std::stoll(c[2]));
    return c[0] == "PERSIST" && before == kNeverExpires ? ":0\r\n" : ":1\r\n";
  }

  std::vector<std::string> keys_{"a", "b", "c", "dd", "ee", "f0", "f1", "f2"};
  std::vector<PipelinedReplies> connections_;
  std::map<std::string, std::size_t> changed_;  // where in history_ a key was last written
};

void for_seeds(std::size_t rounds, const std::function<void(std::uint64_t)>& run) {
  for (const std::uint64_t seed : seeds(share_of(rounds))) {
    run(seed);
    if (::testing::Test::HasFailure()) {
      std::printf("reproduce with MINOD_SEED=%llu\n", static_cast<unsigned long long>(seed));
      return;
    }
  }
}

TEST_F(StoreModel, PowerLoss) {
  for_seeds(60, [this](std::uint64_t seed) {
    begin(seed);
    for (int restarts = 0; restarts < 4 && !HasFailure(); ++restarts) {
      if (chance_.one_in(2)) disk_->crash_at_operation(disk_->operations() + 1 + chance_.below(60));
      for (std::uint64_t left = chance_.below(150); left > 0 && !disk_->crashed(); --left) {
        issue();
        if (chance_.one_in(3)) turn();
        if (chance_.one_in(8)) store_->tick();
        if (chance_.one_in(20)) advance(Millis(static_cast<std::int64_t>(chance_.below(2000))));
        if (chance_.one_in(10)) store_->sync_logs();
        if (chance_.one_in(25) && !disk_->crashed()) evict_all();
        collect();
      }
      // Under everysec a power loss may take a second's worth; only a kill of the process must lose nothing.
      const bool process_only = options_.sync != SyncPolicy::kAlways;
      if (process_only && !disk_->crashed()) {
        disk_->kill();
        disk_->crash_at_operation(0);
        restart(Survival::kAll);
      } else if (process_only) {
        restart(Survival::kAll);
      } else {
        restart(Survival::kSome);
      }
    }
  });
}

// As above, with segments that are left and compacted at any moment, several times over, while checkpoints and hints
// are written.
TEST_F(StoreModel, CompactionAndPowerLoss) {
  std::uint64_t runs = 0;
  std::uint64_t dropped = 0;
  std::uint64_t from_checkpoints = 0;
  std::uint64_t from_hints = 0;
  for_seeds(60, [&](std::uint64_t seed) {
    begin(seed);
    options_.checkpoint_bytes = chance_.one_in(4) ? 0 : 1 + static_cast<std::int64_t>(chance_.below(5000));
    options_.compaction.delete_retention = Millis(chance_.one_in(2) ? 0 : 3000);
    options_.compaction.live_percent = chance_.one_in(2) ? 100 : 50;
    options_.compaction.bytes_per_second = chance_.one_in(2) ? 0 : std::uint64_t{1} << 20;
    store_->compactor().set_options(options_.compaction);
    for (int restarts = 0; restarts < 4 && !HasFailure(); ++restarts) {
      if (chance_.one_in(2)) disk_->crash_at_operation(disk_->operations() + 1 + chance_.below(400));
      for (std::uint64_t left = chance_.below(300); left > 0 && !disk_->crashed(); --left) {
        issue();
        if (chance_.one_in(2)) turn();
        if (chance_.one_in(3)) store_->tick();
        if (chance_.one_in(15)) store_->request_compaction();
        if (chance_.one_in(20)) advance(Millis(static_cast<std::int64_t>(chance_.below(2000))));
        if (chance_.one_in(10)) store_->sync_logs();
        if (chance_.one_in(25) && !disk_->crashed()) evict_all();
        collect();
      }
      runs += store_->compaction_report().runs;
      dropped += store_->compaction_report().records_dropped;
      if (options_.sync == SyncPolicy::kAlways) {
        restart(Survival::kSome);
      } else {
        if (!disk_->crashed()) disk_->kill();
        disk_->crash_at_operation(0);
        restart(Survival::kAll);
      }
      if (report_.checkpoint_records > 0) ++from_checkpoints;
      if (report_.hint_records > 0) ++from_hints;
    }
  });
  EXPECT_GT(runs, share_of(100));
  EXPECT_GT(dropped, share_of(1000));
  EXPECT_GE(from_checkpoints, share_of(10));
  EXPECT_GE(from_hints, share_of(10));
}

TEST_F(StoreModel, WriteErrorsStopTheLogAndLoseNothing) {
  for_seeds(40, [this](std::uint64_t seed) {
    begin(seed);
    options_.sync = SyncPolicy::kAlways;
    store_->set_sync_policy(SyncPolicy::kAlways);
    while (store_->partition(0, 0) == nullptr ||
           !store_->partition(0, 0)->has_log()) {  // the database is there: only the log writes from here on
      issue();
      turn();
      collect();
    }
    disk_->fail(SimOperation::kWrite, 1 + chance_.below(20), EIO);
    for (int left = 200; left > 0 && failures_.empty(); --left) {
      issue();
      if (chance_.one_in(2)) turn();
      collect();
    }
    for (int turns = 0; turns < 200 && failures_.empty(); ++turns) turn();
    EXPECT_EQ(failures_.size(), 1u);
    const std::size_t acknowledged = acknowledged_;
    for (int turns = 0; turns < 50; ++turns) turn();
    collect();
    EXPECT_EQ(acknowledged_, acknowledged) << "nothing is acknowledged after a failed write";
    restart(Survival::kSome);
  });
}

}  // namespace
}  // namespace minod
