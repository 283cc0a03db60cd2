// Trap 10 of docs/TESTING.md: two keys with one hash. 112 bits of a keyed hash make that too rare to meet, so the test
// makes the index say it: whatever it says, a key's reply never is another key's value.
#include <gtest/gtest.h>

#include "tests/store/store_fixture.h"

namespace minod {
namespace {

class KeyHashCollision : public StoreFixture {
 protected:
  // The index takes `other` for `key`.
  void mistake(std::string_view other, std::string_view key) {
    store_->for_each_partition([&](Partition& partition) {
      const auto entry = partition.index().find(store_->hash(key));
      ASSERT_TRUE(entry);
      partition.index().put(store_->hash(other), *entry);
    });
  }
  void expect_refused(const std::string& reply) {
    EXPECT_EQ(reply.substr(0, 5), "-ERR ") << reply;
    EXPECT_EQ(reply.find("secret"), std::string::npos) << reply;
  }
};

TEST_F(KeyHashCollision, Trap10_AnotherKeysValueIsNotServedFromMemory) {
  run({"SET", "mine", "secret"});
  mistake("yours", "mine");
  expect_refused(run({"GET", "yours"}));
  expect_refused(run({"MGET", "yours"}));
  expect_refused(run({"GETRANGE", "yours", "0", "-1"}));
  EXPECT_EQ(run({"GET", "mine"}), "$6\r\nsecret\r\n");
}

TEST_F(KeyHashCollision, Trap10_NorFromTheDisk) {
  run({"SET", "mine", "secret"});
  mistake("yours", "mine");
  evict_all();
  expect_refused(run({"GET", "yours"}));
  evict_all();
  EXPECT_EQ(run({"GET", "mine"}), "$6\r\nsecret\r\n");
}

TEST_F(KeyHashCollision, Trap10_AWriteGivesTheKeyItsOwnRecord) {
  run({"SET", "mine", "secret"});
  mistake("yours", "mine");
  EXPECT_EQ(run({"SET", "yours", "other"}), "+OK\r\n");
  EXPECT_EQ(run({"GET", "yours"}), "$5\r\nother\r\n");
  EXPECT_EQ(run({"GET", "mine"}), "$6\r\nsecret\r\n");
}

}  // namespace
}  // namespace minod
