// A Store over a simulated disk, as verbs: run a command and get its reply's bytes, move the clock, take values out of
// RAM, stop and start again, lose power. Belongs to the tests of every folder that needs a store.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "net/reply_queue.h"
#include "replay/data_directory.h"
#include "replay/joint_cut.h"
#include "replay/recovery.h"
#include "store/command.h"
#include "store/store.h"
#include "tests/sim/sim_disk.h"

namespace minod {

class ManualClock final : public Clock {
 public:
  UnixMillis now() const override { return now_; }
  MonotonicNanos monotonic() const override { return MonotonicNanos(ticks_ += look_.value()); }
  // From now on time goes by so much with each look at it: what looks seldom takes long.
  void set_look(Nanos look) { look_ = look; }
  void advance(Millis by) {
    now_ += by;
    ticks_ += by.value() * 1'000'000;
  }

 private:
  UnixMillis now_{1'700'000'000'000};
  mutable std::int64_t ticks_ = 1'000'000'000;
  Nanos look_{1000};
};

class StoreFixture : public ::testing::Test {
 protected:
  StoreFixture() { use_disk({}); }
  ~StoreFixture() override { stop(); }

  void use_disk(SimDiskOptions options) {
    stop();
    disk_ = std::make_unique<SimDisk>(options);
    check(disk_->make_directory("data").has_value() && disk_->sync_directory("").has_value(),
          "the simulated disk has a data directory");
    start();
  }

  // Opens what the disk has. The error when it does not start.
  Result<void> try_start(bool force_truncate = false, const std::string& directory = "data") {
    StoreOptions options = options_;
    directory_ = options.directory = directory;
    store_ = std::make_unique<Store>(*disk_, clock_, random_, options);
    store_->on_released = [](Log&) {};
    store_->on_failed = [this](const Error& error) { failures_.push_back(error.message()); };
    const auto found = list_partitions(*disk_, directory);
    if (!found) return found.error();
    report_ = RecoveryReport();
    RecoveryOptions recovery;
    recovery.force_truncate = force_truncate;
    std::vector<std::unique_ptr<Partition>> partitions;
    std::vector<LogToRecover> logs;
    for (const PartitionDirectory& partition : *found) {
      partitions.push_back(store_->new_partition(partition.db, partition.number));
      logs.push_back({disk_.get(), directory + "/" + partition.name, partitions.back().get()});
    }
    auto starts = recover_together(logs, store_->hasher(), recovery, report_);
    if (!starts) return starts.error();
    for (std::size_t i = 0; i < partitions.size(); ++i) {
      auto adopted = store_->adopt(std::move(partitions[i]), std::move((*starts)[i]));
      if (!adopted) return adopted.error();
    }
    store_->start();
    return {};
  }
  void start() {
    const auto started = try_start();
    check(started.has_value(), started ? "" : started.error().message().c_str());
  }

  void turn() {
    store_->end_turn();
    disk_->poll();
    store_->poll();
  }
  bool settle(int turns_max = 10'000) {
    for (int i = 0; i < turns_max; ++i) {
      turn();
      if (store_->idle() && disk_->in_flight() == 0) return true;
      if (disk_->crashed()) return false;
    }
    return false;
  }

  // A clean stop, when there is something to stop.
  void stop() {
    if (!store_) return;
    if (!disk_->crashed() && failures_.empty()) {
      store_->sync_logs();
      check(settle(), "a store comes to rest");
      store_->for_each_partition([&](Partition& partition) {
        const auto noted =
            note_clean_end(*disk_, directory_ + "/" + partition.name(), partition.log().marks().committed());
        check(noted.has_value(), "the clean end is noted");
      });
    }
    store_->abandon();
    store_.reset();
  }
  // Power loss, then a start.
  void lose_power(Survival survival = Survival::kSome) {
    crash(survival);
    start();
  }
  void crash(Survival survival = Survival::kSome) {
    disk_->crash(survival);
    store_->abandon();
    store_.reset();
    failures_.clear();
  }

  // The reply's RESP bytes once they may leave; "" when they never can (the log has failed or the power is gone).
  std::string run(const std::vector<std::string>& args, Protocol protocol = Protocol::kResp2) {
    std::vector<std::string_view> views(args.begin(), args.end());
    const CommandSpec* spec = find_command(views[0]);
    check(spec != nullptr && spec->run != nullptr, "the command runs in the store");
    if (has_subcommands(*spec)) spec = find_subcommand(spec->name, views[1]);
    if (!arity_fits(*spec, views.size())) {
      return "-ERR wrong number of arguments for '" + std::string(spec->name) + "' command\r\n";
    }
    Request request;
    ReplyQueue replies;
    bool again = true;
    request.args = views;
    request.db = db_;
    request.resume = [&again] { again = true; };
    for (int i = 0; i < 100'000; ++i) {
      if (again) {
        again = false;
        Reply reply(replies.bytes(), protocol);
        if (store_->run(*spec, request, reply, replies.bytes()) == Store::Outcome::kDone) {
          replies.hold(0, request.dependencies);
          return wait_for(replies);
        }
      }
      if (disk_->crashed()) return "";
      turn();
      if (i % 100 == 99) {
        clock_.advance(Millis(100));
        store_->tick();
      }
    }
    return "";
  }
  std::string run(std::initializer_list<std::string_view> args) {
    return run(std::vector<std::string>(args.begin(), args.end()));
  }

  void select(int db) { db_ = db; }
  void advance(Millis by) {
    clock_.advance(by);
    store_->tick();
  }
  // Values leave RAM as far as they are on disk; the next read parks.
  void evict_all() {
    check(settle() || disk_->crashed() || !failures_.empty(), "a store comes to rest");
    store_->drop_values();
  }

  StoreOptions options_;
  ManualClock clock_;
  Random random_{1};
  std::unique_ptr<SimDisk> disk_;
  std::unique_ptr<Store> store_;
  RecoveryReport report_;
  std::vector<std::string> failures_;
  int db_ = 0;
  std::string directory_;  // what the store was started on

 private:
  std::string wait_for(ReplyQueue& replies) {
    for (int i = 0; i < 100'000; ++i) {
      if (replies.released() == replies.bytes().size()) return std::string(replies.bytes().view());
      if (disk_->crashed() || !failures_.empty()) return "";
      turn();
    }
    return "";
  }
};

}  // namespace minod
