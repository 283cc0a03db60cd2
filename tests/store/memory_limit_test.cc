// maxmemory bounds the sum: index, tail, values, reads and clients. Each is driven to the limit in turn, and the sum is
// looked at after every turn.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/store/store_fixture.h"

namespace minod {
namespace {

constexpr std::uint64_t kLimit = std::uint64_t{8} << 20;

class MemoryLimit : public StoreFixture {
 protected:
  MemoryLimit() {
    options_.memory_bytes_max = kLimit;
    use_disk({});
  }
  void look() {
    turn();
    const Store::Memory memory = store_->memory();
    most_ = std::max(most_, memory.total());
    ASSERT_LE(memory.total(), kLimit) << "index " << memory.index << ", tail " << memory.tail << ", cache "
                                      << memory.cache << ", clients " << memory.clients << ", reads " << memory.reads;
  }
  void set_many(int count, std::size_t size) {
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(run({"SET", "key" + std::to_string(i), std::string(size, 'x')}), "+OK\r\n");
      if (i % 10 == 0) look();
      if (HasFatalFailure()) return;
    }
  }
  std::uint64_t most_ = 0;
};

TEST_F(MemoryLimit, WhatIsWrittenLeavesMemory) {
  set_many(2000, 20'000);
  EXPECT_GT(most_, kLimit / 4) << "memory is there to be used";
}

TEST_F(MemoryLimit, WhatIsReadFromDiskTakesWhatIsLeft) {
  set_many(2000, 20'000);
  evict_all();
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 2000; ++i) {
      ASSERT_EQ(run({"STRLEN", "key" + std::to_string(i)}), ":20000\r\n");
      if (i % 10 == 0) look();
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(store_->memory().cache, kLimit / 4);
}

TEST_F(MemoryLimit, ClientsPushValuesOut) {
  set_many(1000, 20'000);
  for (std::uint64_t clients = 0; clients <= kLimit / 2; clients += kLimit / 16) {
    store_->set_client_bytes(clients);
    look();
  }
  EXPECT_LE(store_->memory().cache + store_->memory().tail, kLimit / 2);
  EXPECT_EQ(run({"STRLEN", "key7"}), ":20000\r\n");
}

TEST_F(MemoryLimit, AnIndexThatReachesTheLimitRefusesWrites) {
  std::string reply;
  int written = 0;
  for (; written < 1'000'000; ++written) {
    reply = run({"SET", "key" + std::to_string(written), "v"});
    if (reply != "+OK\r\n") break;
    if (written % 1000 == 0) look();
    if (HasFatalFailure()) return;
  }
  EXPECT_EQ(reply.substr(0, 4), "-OOM");
  EXPECT_GT(store_->memory().index, kLimit * 3 / 4);
  look();
  EXPECT_EQ(run({"DEL", "key1"}), ":1\r\n");
  EXPECT_EQ(run({"GET", "key2"}), "$1\r\nv\r\n");
}

TEST_F(MemoryLimit, ManyReadsAtATimeAreCounted) {
  set_many(400, 20'000);
  evict_all();
  ASSERT_EQ(store_->memory().reads, 0u);
  std::vector<std::string> keys;
  for (int i = 0; i < 60; ++i) keys.push_back("key" + std::to_string(i));
  std::vector<std::vector<std::string_view>> args;
  for (const std::string& key : keys) args.push_back({"STRLEN", key});
  std::vector<std::unique_ptr<Request>> requests;
  ByteQueue out;
  Reply reply(out, Protocol::kResp2);
  for (const auto& one : args) {
    requests.push_back(std::make_unique<Request>());
    requests.back()->args = one;
    requests.back()->resume = [] {};
    ASSERT_EQ(store_->run(*find_command("STRLEN"), *requests.back(), reply, out), Store::Outcome::kParked);
  }
  EXPECT_GT(store_->memory().reads, 60u * 20'000) << "on their way";
  settle();
  EXPECT_GT(store_->memory().reads, 60u * 20'000) << "kept for the next run";
  look();
  requests.clear();
  EXPECT_EQ(store_->memory().reads, 0u);
}

TEST_F(MemoryLimit, AValueThatFitsNoClassIsCounted) {
  ASSERT_EQ(run({"SET", "large", std::string(600'000, 'x')}), "+OK\r\n");
  evict_all();
  EXPECT_EQ(store_->cache().pool_use().fallbacks_ever, 0u);
  EXPECT_EQ(run({"STRLEN", "large"}), ":600000\r\n");
  EXPECT_EQ(store_->cache().pool_use().fallback_count, 1u);
  EXPECT_GE(store_->cache().pool_use().fallback_bytes, 600'000u);
  evict_all();
  EXPECT_EQ(store_->cache().pool_use().fallback_count, 0u);
  EXPECT_EQ(store_->cache().pool_use().fallbacks_ever, 1u);
}

TEST_F(MemoryLimit, AHintMakesValuesFitClosely) {
  const auto lost = [this] {
    set_many(1500, 2500);
    evict_all();
    for (int i = 0; i < 1500; ++i) EXPECT_EQ(run({"STRLEN", "key" + std::to_string(i)}), ":2500\r\n");
    const ValueCache::PoolUse use = store_->cache().pool_use();
    return static_cast<double>(use.block_bytes) / static_cast<double>(use.used_bytes);
  };
  const double without = lost();
  use_disk({});
  store_->set_value_size_hints({2500});
  const double with = lost();
  EXPECT_LE(with, without);
  EXPECT_LT(with, 1.07);
}

}  // namespace
}  // namespace minod
