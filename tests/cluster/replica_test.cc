#include "cluster/replica.h"

#include <gtest/gtest.h>

#include "tests/cluster/transcript.h"

namespace minod {
namespace {

GroupOptions group(std::size_t nodes, std::size_t least) {
  GroupOptions options;
  options.nodes = nodes;
  options.least = least;
  return options;
}

// A leads and B is in sync; nothing is under way.
Transcript pair_in_sync(std::size_t nodes = 2, std::size_t least = 2) {
  Transcript talk(group(nodes, least));
  talk.node('A');
  talk.node('B');
  talk.lead('A');
  talk.append('A', 5);
  talk.follow('B', 'A');
  talk.deliver();
  talk.take();
  return talk;
}

TEST(Replica, ANewFollowerFetchesJoinsAndThenEveryRecordWaitsForIt) {
  Transcript talk(group(2, 2));
  talk.node('A');
  talk.node('B');
  talk.lead('A');
  talk.append('A', 5);
  talk.follow('B', 'A');
  talk.deliver();
  talk.expect("follower_joins");
  talk.slow_disk('B', true);
  talk.append('A', 6);
  talk.deliver();
  talk.expect("record_waits_for_its_disk");
  talk.slow_disk('B', false);
  talk.deliver();
  talk.expect("record_is_on_its_disk");
}

TEST(Replica, ALeaderThatLosesItsTailIsFollowedFromWhereItsLogParts) {
  Transcript talk = pair_in_sync();
  talk.slow_disk('A', true);
  talk.append('A', 8);
  talk.deliver();
  talk.take();
  talk.restart('A');
  talk.lead('A');
  talk.slow_disk('A', false);
  talk.append('A', 6);
  talk.tick(2000);
  talk.deliver();
  talk.expect("leader_loses_its_tail");
  EXPECT_EQ(talk['B'].state().end, Offset(6));
}

TEST(Replica, AFollowerThatIsSilentLeavesTheSetAndJoinsAgain) {
  Transcript talk = pair_in_sync(2, 1);
  talk.cut_off('B', true);
  talk.append('A', 7);
  talk.deliver();
  EXPECT_EQ(talk['A'].committed(), Offset(5));
  talk.tick(5000);
  talk.deliver();
  EXPECT_EQ(talk['A'].committed(), Offset(5)) << "it may still come back in time";
  talk.tick(6000);
  talk.deliver();
  EXPECT_EQ(talk['A'].committed(), Offset(7));
  talk.take();
  talk.cut_off('B', false);
  talk.tick(2000);
  talk.deliver();
  talk.expect("silent_member_comes_back");
  EXPECT_TRUE(talk['A'].set()->holds(Transcript::id_of('B')));
}

TEST(Replica, BelowTheLeastNothingIsCommitted) {
  Transcript talk = pair_in_sync(2, 2);
  talk.cut_off('B', true);
  talk.append('A', 7);
  talk.tick(11000);
  talk.deliver();
  EXPECT_FALSE(talk['A'].enough_in_sync());
  EXPECT_EQ(talk['A'].committed(), Offset(5));
}

TEST(Replica, AMemberOfTheSetIsPromotedAndTheOldLeaderFollowsIt) {
  Transcript talk = pair_in_sync(2, 2);
  talk.cut_off('A', true);
  talk.append('A', 7);
  talk.deliver();
  talk.take();
  talk.promote('B', "A");
  talk.append('B', 6);
  talk.deliver();
  talk.expect("member_is_promoted");
  talk.cut_off('A', false);
  talk.follow('A', 'B');
  talk.deliver();
  talk.expect("old_leader_follows");
  EXPECT_EQ(talk['B'].committed(), Offset(6));
}

TEST(Replica, ANodeOutsideTheSetIsNotPromotedUnlessTheLossIsAccepted) {
  Transcript talk = pair_in_sync(3, 2);
  talk.node('C');
  talk.follow('C', 'A');
  talk.deliver();
  ASSERT_TRUE(talk['A'].set()->holds(Transcript::id_of('C')));
  talk.cut_off('C', true);
  talk.drop('A', 'C');
  talk.append('A', 9);
  talk.deliver();
  ASSERT_EQ(talk['A'].committed(), Offset(9));
  talk.cut_off('C', false);
  talk.cut_off('A', true);
  talk.take();
  talk.promote('C', "AB");
  talk.deliver();
  talk.expect("outsider_is_refused");
  EXPECT_FALSE(talk['C'].leads());
  talk.promote('C', "AB", true);
  EXPECT_TRUE(talk['C'].leads());
}

TEST(Replica, WhoFollowedAnotherDoesNotLeadByItself) {
  Transcript talk = pair_in_sync();
  talk.restart('B');
  talk.lead('B');
  talk.expect("follower_does_not_lead");
}

TEST(Replica, ACommittedRecordIsNeverCut) {
  Transcript talk(group(2, 1));
  const Leadership first{first_of_term(1), Transcript::id_of('C')};
  StoredState stored;
  stored.promised = first;
  stored.epochs = EpochHistory({{first, Offset(0)}});
  stored.committed = Offset(4);
  talk.node('B', stored, 4);
  stored.epochs = EpochHistory();
  stored.committed = Offset(0);
  talk.node('A', stored, 0);
  talk.promote('A', "", true);
  talk.append('A', 9);
  talk.follow('B', 'A');
  talk.deliver();
  talk.expect("committed_record_is_not_cut");
  EXPECT_TRUE(talk['B'].state().stuck);
  EXPECT_EQ(talk['B'].state().end, Offset(4));
}

TEST(Replica, AMemberThatLagsDoesNotJoinBeforeItHasWhatWasCommittedWithoutIt) {
  Transcript talk = pair_in_sync(2, 1);
  talk.slow_disk('B', true);
  talk.append('A', 7);
  talk.deliver();
  talk.drop('A', 'B');
  talk.deliver();
  EXPECT_EQ(talk['A'].committed(), Offset(7));
  EXPECT_FALSE(talk['A'].set()->holds(Transcript::id_of('B')));
  talk.slow_disk('B', false);
  talk.deliver();
  EXPECT_TRUE(talk['A'].set()->holds(Transcript::id_of('B')));
}

TEST(Replica, WhatIsSaidWaitsUntilItIsStored) {
  Replica node(Transcript::id_of('B'), group(2, 2), {}, kFirstOffset);
  node.receive(Transcript::id_of('A'), Message(Promise{Leadership{first_of_term(1), Transcript::id_of('A')}}));
  const Output first = node.take();
  ASSERT_TRUE(first.store);
  EXPECT_EQ(term_of(first.store->state.promised.epoch), 1);
  EXPECT_TRUE(first.messages.empty());
  EXPECT_TRUE(node.take().messages.empty());
  node.stored(first.store->number);
  EXPECT_EQ(node.take().messages.size(), 1u);
}

}  // namespace
}  // namespace minod
