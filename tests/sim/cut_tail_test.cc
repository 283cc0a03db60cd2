// What stood behind a tail that was cut is gone from the disk before anything is appended. Trap 3 of docs/TESTING.md:
// such bytes may be whole batches that vouch for what was cut, and a later restart would take the cut for damage.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "log/segment_name.h"
#include "tests/log/batches.h"
#include "tests/store/store_fixture.h"

namespace minod {
namespace {

class CutTail : public StoreFixture {
 protected:
  // The active segment's file, and where the log ends in it.
  std::unique_ptr<File> file() {
    auto opened = disk_->open("data/db0-0/" + segment_name(kFirstOffset, kLogSuffix), OpenMode::kReadWrite);
    check(opened.has_value(), "the segment is there");
    return std::move(*opened);
  }
  Log& log() { return store_->partition(0, 0)->log(); }
  FilePosition end() { return log().segments().rbegin()->second.end; }
};

TEST_F(CutTail, IsZerosOnTheDiskBeforeAnythingIsAppended) {
  for (int i = 0; i < 10; ++i) ASSERT_EQ(run({"SET", "key" + std::to_string(i), "v"}), "+OK\r\n");
  const FilePosition at = end();
  const Offset next = log().marks().appended();
  settle();
  disk_->kill();
  store_->abandon();
  store_.reset();
  {
    const auto torn = file();
    const std::vector<std::byte> bytes(100, std::byte{0x33});
    ASSERT_TRUE(torn->write_now(at, bytes));
    ASSERT_TRUE(torn->write_now(at + ByteCount(8192), test::batch_of(next.value() + 1, 1, {"never acknowledged"})));
    ASSERT_TRUE(torn->sync_now());
  }
  start();
  ASSERT_EQ(report_.cuts.size(), 1u);
  EXPECT_EQ(log().marks().appended(), next);
  crash(Survival::kNothing);
  std::vector<std::byte> behind(16'384);
  ASSERT_TRUE(file()->read_now(at, behind));
  for (const std::byte byte : behind) ASSERT_EQ(byte, std::byte{0});
  start();
  EXPECT_TRUE(report_.cuts.empty());
  EXPECT_EQ(run({"DBSIZE"}), ":10\r\n");
}

}  // namespace
}  // namespace minod
