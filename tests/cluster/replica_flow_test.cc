// How records and what is committed travel: how many messages, and what is on its way before it is acknowledged.
#include <gtest/gtest.h>

#include "tests/cluster/transcript.h"

namespace minod {
namespace {

TEST(ReplicaFlow, WhatIsCommittedIsToldWithTheRecordsThatAreGatheredMeanwhile) {
  Transcript talk = pair_in_sync();
  talk.append('A', 6, true);
  talk.deliver();
  EXPECT_EQ(talk['A'].committed(), Offset(6));
  EXPECT_EQ(talk['B'].committed(), Offset(5)) << "by no message of its own";
  talk.take();
  talk.append('A', 7);
  talk.deliver();
  talk.expect("committed_with_records");
  EXPECT_EQ(talk['B'].committed(), Offset(7));
}

TEST(ReplicaFlow, RecordsFollowWithoutBeingFetchedUntilTooManyAreNotAcknowledged) {
  Transcript talk = pair_in_sync();
  talk.slow_disk('B', true);
  for (std::int64_t end = 6; end <= 12; ++end) {
    talk.append('A', end);
    talk.deliver();
  }
  EXPECT_EQ(talk['B'].state().end, Offset(5 + std::int64_t{GroupOptions().answers_ahead}));
  talk.slow_disk('B', false);
  talk.deliver();
  talk.expect("records_ahead");
  EXPECT_EQ(talk['A'].committed(), Offset(12));
}

TEST(ReplicaFlow, WhatWasLostOnTheWayIsFetched) {
  Transcript talk = pair_in_sync();
  talk.cut_off('B', true);
  talk.append('A', 6);
  talk.deliver();
  talk.cut_off('B', false);
  talk.append('A', 7);
  talk.deliver();
  talk.expect("records_lost");
  EXPECT_EQ(talk['A'].committed(), Offset(7));
}

}  // namespace
}  // namespace minod
