// Compaction of a store on a simulated disk, step by step.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "replay/log_walk.h"
#include "tests/store/store_fixture.h"

namespace minod {

class Compaction : public StoreFixture {
 protected:
  Compaction() { begin({}); }

  void begin(SimDiskOptions disk) {
    options_ = StoreOptions();
    options_.segment_bytes = std::int64_t{1} << 20;
    options_.compaction.enabled = false;  // these tests say when
    options_.compaction.bytes_per_second = 0;
    options_.compaction.delete_retention = Millis(0);
    use_disk(disk);
  }

  Partition& partition() { return *store_->partition(0, 0); }
  Compactor& compactor() { return store_->compactor(); }

  void set(const std::string& key, const std::string& value) { EXPECT_EQ(run({"SET", key, value}), "+OK\r\n"); }
  void del(const std::string& key) { EXPECT_EQ(run({"DEL", key}), ":1\r\n"); }
  std::string get(const std::string& key) {
    const std::string reply = run({"GET", key});
    if (reply == "$-1\r\n") return "-";
    return reply.substr(std::min(reply.find('\n') + 1, reply.size()), reply.size() - reply.find('\n') - 3);
  }

  // It is in the index, and not on its way to the disk yet.
  void append_only(std::string_view key, std::string_view value) {
    const std::vector<std::string_view> args{"SET", key, value};
    Request request;
    request.args = args;
    request.resume = [] {};
    ByteQueue out;
    Reply reply(out, Protocol::kResp2);
    ASSERT_EQ(store_->run(*find_command("SET"), request, reply, out), Store::Outcome::kDone);
  }

  // What was written so far is in sealed segments; returns the base offset of the active one.
  Offset seal() {
    settle();
    for (int i = 0; i < 100 && !partition().log().leave_active(); ++i) settle();
    settle();
    return partition().log().segments().rbegin()->first;
  }

  std::vector<Offset> segments() {
    std::vector<Offset> bases;
    for (const auto& [base, segment] : partition().log().segments()) bases.push_back(base);
    return bases;
  }

  // Runs until the compaction has ended; false when the power is gone.
  bool finish_compaction(int rounds = 2000) {
    for (int i = 0; i < rounds && !disk_->crashed(); ++i) {
      turn();
      if (i % 10 == 9) advance(Millis(100));
      if (!compactor().busy()) return settle();
    }
    return false;
  }
  bool compact(Offset base, Offset end) { return compactor().compact(partition(), base, end) && finish_compaction(); }
  bool compact_all() {
    const Offset end = seal();
    return end == segments().front() || compact(segments().front(), end);
  }

  void write_checkpoint() {
    settle();
    const std::uint64_t before = store_->checkpointer().counters().written;
    for (int i = 0; i < 1000 && store_->checkpointer().counters().written == before; ++i) {
      store_->tick();
      turn();
    }
    EXPECT_EQ(store_->checkpointer().counters().written, before + 1);
    settle();
  }

  // Everything that tools see: no damage, and the records.
  std::map<Offset, std::string> records_on_disk() {
    std::map<Offset, std::string> records;
    LogVisitor visitor;
    visitor.record = [&](const BatchHeader& header, const RecordView& record) {
      std::string text = header.is_control() ? "flush" : std::string(record.key);
      if (!header.is_control()) text += record.has_value ? "=" + std::string(record.value.substr(0, 8)) : " del";
      records[record.offset] = text;
      return true;
    };
    visitor.damage = [&](const LogDamage& damage) {
      ADD_FAILURE() << damage_text(damage);
      return true;
    };
    const auto found = list_segments(*disk_, "data/db0-0");
    EXPECT_TRUE(found);
    LogWalk walk(*disk_, LogRange{}, std::move(visitor));
    EXPECT_TRUE(walk.run(*found, std::nullopt));
    return records;
  }

  std::string files() {
    std::string names;
    const auto entries = disk_->list("data/db0-0");
    for (const DirectoryEntry& entry : *entries) names += entry.name + " ";
    return names;
  }
};

}  // namespace minod
