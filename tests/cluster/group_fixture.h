// Several nodes, each the real Store, logs and Replication on a simulated disk of its own, and a network that is a list
// of what is under way: links can be cut, nodes lose power, stop and start again. Belongs to the tests of cluster/.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/replication.h"
#include "cluster/wire.h"
#include "net/reply_queue.h"
#include "tests/sim/sim_disk.h"
#include "tests/store/store_fixture.h"

namespace minod {

class TestNetwork {
 public:
  struct Parcel {
    MemberId from;
    MemberId to;
    std::vector<std::byte> frame;
  };
  std::deque<Parcel> under_way;
  std::set<std::pair<MemberId, MemberId>> cut;  // from, to
  std::set<LogName> silent;                     // nothing about these travels
  std::uint64_t sent = 0;

  void send(MemberId from, MemberId to, const LogName& log, const Message& message, const SharedBytes& batches) {
    if (cut.contains({from, to}) || silent.contains(log)) return;
    ++sent;
    under_way.push_back({from, to, encode_frame(log, message, batches ? Bytes(*batches) : Bytes())});
  }
};

class GroupNode {
 public:
  GroupNode(TestNetwork& network, std::uint64_t number, ReplicationOptions options, SimDiskOptions disk = {})
      : self_{number, number}, options_(std::move(options)), transport_(network, self_) {
    disk.seed = number;
    disk_ = std::make_unique<SimDisk>(disk);
    check(disk_->make_directory("data").has_value() && disk_->sync_directory("").has_value(), "a data directory");
  }
  ~GroupNode() { stop(); }

  void start() {
    const auto started = try_start();
    check(started.has_value(), started ? "" : started.error().message().c_str());
  }
  // What is left after an error is as after kill().
  Result<void> try_start() {
    auto started = recover_and_open();
    if (!started) kill();
    return started;
  }
  void stop() {
    if (!store_) return;
    for (int i = 0; i < 1000 && !(store_->idle() && replication_->idle()); ++i) turn();
    kill();
  }
  // The process ends, the kernel goes on.
  void kill() {
    disk_->kill();
    down();
  }
  void crash(Survival survival = Survival::kSome) {
    disk_->crash(survival);
    down();
  }
  void turn() {
    if (!store_) return;
    disk_->poll();
    replication_->poll();
    store_->poll();
    store_->end_turn();
  }
  void tick(Millis by) {
    clock_.advance(by);
    if (!store_) return;
    store_->tick();
    replication_->tick();
  }
  bool is_up() const { return store_ != nullptr; }

  // A command that waits for its reply, step by step.
  struct Running {
    std::vector<std::string> args;
    std::vector<std::string_view> views;
    Request request;
    ReplyQueue replies;
    const CommandSpec* spec = nullptr;
    bool again = true;
    bool executed = false;
    std::string reply;  // once it may leave
  };
  std::unique_ptr<Running> begin(std::vector<std::string> args, int db = 0) {
    auto running = std::make_unique<Running>();
    running->args = std::move(args);
    running->views.assign(running->args.begin(), running->args.end());
    running->spec = find_command(running->views[0]);
    check(running->spec != nullptr, "the command is known");
    running->request.args = running->views;
    running->request.db = db;
    running->request.resume = [at = running.get()] { at->again = true; };
    step(*running);
    return running;
  }
  bool step(Running& running) {
    if (!running.executed && running.again) {
      running.again = false;
      Reply reply(running.replies.bytes(), Protocol::kResp2);
      if (store_->run(*running.spec, running.request, reply, running.replies.bytes()) == Store::Outcome::kDone) {
        running.executed = true;
        running.replies.hold(0, running.request.dependencies);
      }
    }
    if (!running.executed || running.replies.released() != running.replies.bytes().size()) return false;
    running.reply = std::string(running.replies.bytes().view());
    return true;
  }

  Store& store() { return *store_; }
  Replication& replication() { return *replication_; }
  SimDisk& disk() { return *disk_; }
  // Of a node that is down.
  void use_disk(std::unique_ptr<SimDisk> disk) { disk_ = std::move(disk); }
  MemberId self() const { return self_; }
  Log& log(int db = 0) { return store_->partition(db, 0)->log(); }

  // Of all its segments, one behind the other.
  std::vector<std::byte> log_bytes() {
    std::vector<std::byte> all;
    for (const auto& [base, segment] : log().segments()) {
      std::vector<std::byte> bytes(static_cast<std::size_t>(segment.end.value()));
      EXPECT_TRUE(segment.file->read_now(FilePosition(0), bytes));
      all.insert(all.end(), bytes.begin(), bytes.end());
    }
    return all;
  }

  std::vector<std::string> failures;
  std::vector<std::string> refused;
  StoreOptions store_options;
  RecoveryReport report;

 private:
  class Link final : public Transport {
   public:
    Link(TestNetwork& network, MemberId self) : network_(network), self_(self) {}
    void send(MemberId to, const LogName& log, Message message, SharedBytes batches) override {
      network_.send(self_, to, log, message, batches);
    }
    std::size_t backlog(MemberId) const override { return 0; }

   private:
    TestNetwork& network_;
    MemberId self_;
  };

  Result<void> recover_and_open() {
    store_options.directory = "data";
    store_options.directory_id = text_of(self_);
    store_ = std::make_unique<Store>(*disk_, clock_, random_, store_options);
    store_->on_released = [](Log&) {};
    store_->on_failed = [this](const Error& error) { failures.push_back(error.message()); };
    const auto found = list_partitions(*disk_, "data");
    if (!found) return found.error();
    std::vector<std::unique_ptr<Partition>> partitions;
    std::vector<LogToRecover> logs;
    for (const PartitionDirectory& partition : *found) {
      const std::string directory = "data/" + partition.name;
      partitions.push_back(store_->new_partition(partition.db, partition.number));
      auto followed = followed_log(*disk_, directory, self_, true);
      if (!followed) return followed.error();
      logs.push_back({disk_.get(), directory, partitions.back().get(), *followed});
    }
    report = RecoveryReport();
    RecoveryOptions recovery;
    recovery.directory_id = store_options.directory_id;
    auto starts = recover_together(logs, store_->hasher(), recovery, report);
    if (!starts) return starts.error();
    for (std::size_t i = 0; i < partitions.size(); ++i) {
      auto adopted = store_->adopt(std::move(partitions[i]), std::move((*starts)[i]));
      if (!adopted) return adopted.error();
    }
    replication_ = std::make_unique<Replication>(*disk_, clock_, *store_, self_, options_, transport_);
    replication_->on_refused = [this](const std::string& why) { refused.push_back(why); };
    if (auto opened = replication_->open(); !opened) return opened.error();
    store_->start();
    return {};
  }

  void down() {
    if (replication_) replication_->abandon();
    if (store_) store_->abandon();
    replication_.reset();
    store_.reset();
    failures.clear();
  }

  MemberId self_;
  ReplicationOptions options_;
  ManualClock clock_;
  Random random_{7};
  Link transport_;
  std::unique_ptr<SimDisk> disk_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Replication> replication_;
};

class GroupFixture : public ::testing::Test {
 protected:
  void make(std::size_t count, std::size_t least) {
    options.group.nodes = count;
    options.group.least = least;
    for (std::size_t i = 0; i < count; ++i) {
      nodes.push_back(std::make_unique<GroupNode>(network, i + 1, options));
      nodes.back()->store_options.segment_bytes = segment_bytes;
      nodes.back()->store_options.compaction.enabled = compaction;
      nodes.back()->start();
    }
  }
  // The first leads, the others follow it.
  void begin() {
    node(0).replication().lead();
    for (std::size_t i = 1; i < nodes.size(); ++i) link(i, 0);
  }
  GroupNode& node(std::size_t i) { return *nodes[i]; }
  void link(std::size_t follower, std::size_t leader) {
    node(leader).replication().connected(node(follower).self());
    node(follower).replication().follow(node(leader).self());
  }
  void cut(std::size_t from, std::size_t to) { network.cut.insert({node(from).self(), node(to).self()}); }
  void heal() { network.cut.clear(); }

  void deliver() {
    for (std::size_t left = network.under_way.size(); left != 0; --left) {
      const TestNetwork::Parcel parcel = std::move(network.under_way.front());
      network.under_way.pop_front();
      for (const auto& one : nodes) {
        if (one->self() != parcel.to || !one->is_up()) continue;
        Bytes bytes = parcel.frame;
        const auto frame = take_frame(bytes);
        ASSERT_TRUE(frame) << frame.error().message();
        one->replication().receive(parcel.from, frame->log, frame->message, frame->batches);
      }
    }
  }
  void turn() {
    for (const auto& one : nodes) one->turn();
    deliver();
    for (const auto& one : nodes) {
      ASSERT_TRUE(!one->is_up() || one->failures.empty()) << one->failures.front();
    }
  }
  void turns(int count) {
    for (int i = 0; i < count; ++i) {
      turn();
      if (i % 50 == 49) {
        for (const auto& one : nodes) one->tick(Millis(100));
      }
    }
  }
  template <class Condition>
  bool until(Condition condition, int turns_max = 4000) {
    for (int i = 0; i < turns_max; i += 10) {
      if (condition()) return true;
      turns(10);
      if (i % 50 == 0) {
        for (const auto& one : nodes) one->tick(Millis(100));
      }
      if (HasFatalFailure()) return false;
    }
    return condition();
  }
  // The reply, or nothing when it may not leave within so many turns.
  std::string run(std::size_t at, std::vector<std::string> args, int turns_max = 4000) {
    const auto running = node(at).begin(std::move(args));
    until([&] { return node(at).step(*running); }, turns_max);
    return running->reply;
  }
  // All nodes are of the in-sync set of all logs, and have heard of it.
  bool all_in_sync(std::size_t leader) {
    const bool requested = until([&] { return node(leader).replication().report().in_sync_least == nodes.size(); });
    turns(100);
    return requested;
  }
  bool caught_up(std::size_t follower, std::size_t leader) {
    return until([&] {
      Partition* const there = node(leader).store().partition(0, 0);
      Partition* const here = node(follower).store().partition(0, 0);
      if (there == nullptr || !there->has_log() || here == nullptr || !here->has_log()) return false;
      return here->log().marks().committed() == there->log().marks().appended() &&
             node(follower).replication().may_read(0, 0);
    });
  }

  TestNetwork network;
  ReplicationOptions options;
  std::int64_t segment_bytes = std::int64_t{1} << 20;
  bool compaction = true;  // without it, all logs have the same bytes
  std::vector<std::unique_ptr<GroupNode>> nodes;
};

}  // namespace minod
