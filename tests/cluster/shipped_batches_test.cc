#include "cluster/shipped_batches.h"

#include <gtest/gtest.h>

#include "tests/log/batches.h"

namespace minod {
namespace {

using test::Blob;

constexpr MemberId kLeader{1, 2};

// [10, 12) of epoch 5, [12, 13) of epoch 6.
Answer answer() {
  Answer one;
  one.begin = Offset(10);
  one.next = Offset(13);
  one.epochs = {EpochLine{{Epoch{5}, kLeader}, Offset(3)}, EpochLine{{Epoch{6}, kLeader}, Offset(12)}};
  return one;
}

Blob first() { return test::batch_of(10, 5, {"a", "b"}); }
Blob second() { return test::batch_of(12, 6, {"c"}); }

Errc why_not(const Answer& answer, const Blob& batches) {
  const auto checked = check_shipped(answer, batches);
  return checked ? Errc::kEnd : checked.error().code;
}

TEST(ShippedBatches, TellsHowFarTheyGo) {
  EXPECT_EQ(*check_shipped(answer(), test::joined({first(), second()})), Offset(13));
  EXPECT_EQ(*check_shipped(answer(), first()), Offset(12));
  EXPECT_EQ(*check_shipped(answer(), Bytes()), Offset(10));
}

TEST(ShippedBatches, AnyFlippedByteIsFound) {
  const Blob good = test::joined({first(), second()});
  for (std::size_t at = 0; at < good.size(); ++at) {
    Blob bad = good;
    bad[at] ^= std::byte{1};
    EXPECT_EQ(why_not(answer(), bad), Errc::kCorrupt) << "byte " << at;
  }
}

TEST(ShippedBatches, GapsRepetitionsAndOtherEpochsAreRefused) {
  EXPECT_EQ(why_not(answer(), second()), Errc::kCorrupt);
  EXPECT_EQ(why_not(answer(), test::joined({first(), first()})), Errc::kCorrupt);
  EXPECT_EQ(why_not(answer(), test::batch_of(10, 6, {"a", "b"})), Errc::kCorrupt);
  EXPECT_EQ(why_not(answer(), test::batch_of(10, 5, {"a", "b", "c"})), Errc::kCorrupt) << "over an epoch's end";
  EXPECT_EQ(why_not(answer(), test::joined({first(), second(), test::batch_of(13, 6, {"d"})})), Errc::kCorrupt);
  Answer unnamed = answer();
  unnamed.epochs.clear();
  EXPECT_EQ(why_not(unnamed, first()), Errc::kCorrupt);
}

}  // namespace
}  // namespace minod
