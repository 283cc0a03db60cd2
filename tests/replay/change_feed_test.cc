// What threads read ahead is what the caller's own would read, in the same order, in bounded memory, and they end when
// the feed does.
#include "replay/change_feed.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

namespace minod {
namespace {

// What a source gave: which it is, and which of its pieces.
using Taken = std::vector<std::pair<std::size_t, std::int64_t>>;

class ChangeFeedTest : public ::testing::TestWithParam<unsigned> {
 protected:
  // Source i gives counts[i] pieces, each with its number in `bytes`, and i in `expected`.
  std::vector<ChangeFeed::Source> sources(const std::vector<std::int64_t>& counts) {
    std::vector<ChangeFeed::Source> made;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      made.push_back([this, i, count = counts[i]]() -> ChangeFeed::Fill {
        ++opened_;
        return [this, i, count, given = std::make_shared<std::int64_t>(0)](ChangePiece& piece) {
          EXPECT_TRUE(piece.window.changes.empty() && !piece.stop && piece.bytes == 0) << "it is clear";
          if ((*given + static_cast<std::int64_t>(i)) % 5 == 0) sched_yield();
          piece.window.changes.emplace_back(KeyHash(), Offset(*given), true, UnixMillis(0));
          piece.expected = Offset(static_cast<std::int64_t>(i));
          piece.bytes = (*given)++;
          if (*given == count) piece.stop = Error{Errc::kEnd, 0, ""};
          ++filled_;
        };
      });
    }
    return made;
  }

  static Taken taken_of(const std::vector<std::int64_t>& counts) {
    Taken all;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      for (std::int64_t number = 0; number < counts[i]; ++number) all.emplace_back(i, number);
    }
    return all;
  }

  std::atomic<int> opened_ = 0;
  std::atomic<int> filled_ = 0;
};

TEST_P(ChangeFeedTest, EachSourceIsReadOnceAndPiecesKeepTheirOrder) {
  const std::vector<std::int64_t> counts{1, 50, 3, 1, 1, 200, 7, 1, 40};
  for (int round = 0; round < 20; ++round) {
    opened_ = 0;
    ChangeFeed feed(sources(counts), GetParam());
    Taken taken;
    ChangePiece piece;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      do {
        piece = feed.take(i, std::move(piece));
        ASSERT_EQ(piece.window.changes.size(), 1u);
        ASSERT_EQ(piece.window.changes[0].offset(), Offset(piece.bytes));
        taken.emplace_back(static_cast<std::size_t>(piece.expected.value()), piece.bytes);
      } while (!piece.stop);
    }
    ASSERT_TRUE(taken == taken_of(counts));
    ASSERT_EQ(opened_, static_cast<int>(counts.size()));
  }
}

// Those behind the first one fill the memory there is for pieces, and no more; the first still comes through.
TEST_P(ChangeFeedTest, ReadingAheadIsBoundedAndTheSourceThatIsTakenGetsOn) {
  const std::vector<std::int64_t> counts{300, 300, 300, 300};
  ChangeFeed feed(sources(counts), GetParam());
  ChangePiece piece;
  int taken = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    do {
      piece = feed.take(i, std::move(piece));
      ++taken;
      // Beside the pieces in memory, the source that is taken may have two of its own, and each thread works on one.
      ASSERT_LE(filled_ - taken, static_cast<int>(ChangeFeed::kPiecesMax + GetParam() + 2));
    } while (!piece.stop);
  }
  EXPECT_EQ(taken, 1200);
}

TEST_P(ChangeFeedTest, ItEndsWhateverItsThreadsAreAt) {
  const std::vector<std::int64_t> counts{30, 1, 100, 100};
  for (int takes = 0; takes < 40; ++takes) {
    ChangeFeed feed(sources(counts), GetParam());
    ChangePiece piece;
    for (int i = 0; i < takes; ++i) piece = feed.take(i < 30 ? 0 : (i < 31 ? 1 : 2), std::move(piece));
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, ChangeFeedTest, ::testing::Values(0u, 1u, 2u, 7u));

}  // namespace
}  // namespace minod
