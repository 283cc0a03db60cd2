#include "cluster/replica.h"

#include <gtest/gtest.h>

#include "tests/cluster/transcript.h"

namespace minod {
namespace {

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
  talk.tick(400);
  talk.deliver();
  ASSERT_TRUE(talk['C'].state().stored.counts);
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

TEST(Replica, ARefusedPromotionLeavesTheGroupAsItWas) {
  Transcript talk = pair_in_sync(3, 2);
  talk.node('C');
  talk.follow('C', 'A');
  talk.deliver();
  talk.tick(400);
  talk.deliver();
  talk.cut_off('C', true);
  talk.drop('A', 'C');
  talk.append('A', 9);
  talk.deliver();
  talk.cut_off('C', false);
  const Leadership before = talk['A'].leadership();
  talk.promote('C', "AB");
  talk.deliver();
  EXPECT_TRUE(talk['A'].leads());
  for (const char name : {'A', 'B', 'C'}) EXPECT_EQ(talk[name].leadership(), before);
  talk.append('A', 10);
  talk.deliver();
  EXPECT_EQ(talk['A'].committed(), Offset(10));
}

TEST(Replica, APromotionThatTooFewAnswerIsGivenUp) {
  Transcript talk = pair_in_sync(3, 2);
  talk.cut_off('A', true);
  talk.promote('B', "AC");
  talk.deliver();
  talk.take();
  talk.tick(6000);
  talk.expect("promotion_is_given_up");
  EXPECT_FALSE(talk['B'].state().asking);
  EXPECT_EQ(talk['B'].leadership(), talk['A'].leadership());
}

TEST(Replica, ALeaderHandsOverWhenAllItHasIsCommitted) {
  Transcript talk = pair_in_sync(2, 2);
  talk.slow_disk('B', true);
  talk.append('A', 7);
  talk.deliver();
  talk.take();
  talk.hand_over('A', 'B');
  EXPECT_FALSE(talk['A'].accepts_writes());
  talk.deliver();
  EXPECT_TRUE(talk['A'].leads());
  talk.slow_disk('B', false);
  talk.deliver();
  talk.expect("leader_hands_over");
  EXPECT_TRUE(talk['B'].accepts_writes());
  EXPECT_EQ(talk['B'].committed(), Offset(7));
  EXPECT_EQ(talk['A'].state().following, Transcript::id_of('B'));
}

TEST(Replica, WhoIsHandedTheLeadHasAVoteEvenIfNobodyHasToldIt) {
  const Leadership first{first_of_term(1), Transcript::id_of('A')};
  const std::vector<MemberId> both{Transcript::id_of('A'), Transcript::id_of('B')};
  StoredState stored;
  stored.promised = first;
  stored.sets = {InSyncSet{SetVersion{first.epoch, 1}, both, {both[0]}}};
  Replica node(both[1], group(2, 2), stored, kFirstOffset);
  node.follow(both[0]);
  node.receive(both[0], Message(HandOver{first, kFirstOffset}));
  EXPECT_TRUE(node.leads());
}

TEST(Replica, TwoThatStandForOneTermAreNotApartForEver) {
  Transcript talk = pair_in_sync(3, 2);
  talk.node('C');
  talk.follow('C', 'A');
  talk.deliver();
  talk.cut_off('A', true);
  talk.cut_off('C', true);
  talk['C'].receive(Transcript::id_of('A'), Message(HandOver{talk['A'].leadership(), Offset(5)}));
  talk.deliver();
  ASSERT_EQ(talk['C'].state().role, Role::kCandidate);
  talk.cut_off('A', false);
  talk.promote('B', "AC");
  talk.deliver();
  ASSERT_TRUE(talk['B'].leads());
  ASSERT_EQ(talk['B'].leadership().epoch, talk['C'].leadership().epoch);
  talk.take();
  talk.cut_off('C', false);
  talk.follow('C', 'B');
  talk.deliver();
  talk.expect("two_stand_for_one_term");
  EXPECT_TRUE(talk['B'].leads());
  EXPECT_EQ(talk['C'].leadership(), talk['B'].leadership());
  EXPECT_TRUE(talk['B'].set()->holds(Transcript::id_of('C')));
}

TEST(Replica, AHandOverIsGivenUpWithItsMember) {
  Transcript talk = pair_in_sync(2, 1);
  talk.cut_off('B', true);
  talk.append('A', 7);
  talk.hand_over('A', 'B');
  talk.tick(11000);
  talk.deliver();
  EXPECT_TRUE(talk['A'].accepts_writes());
  EXPECT_EQ(talk['A'].committed(), Offset(7));
  talk.hand_over('A', 'B');
  EXPECT_TRUE(talk['A'].accepts_writes()) << "it is not in the set";
}

TEST(Replica, AMemberWhoseLogIsLostIsDroppedCopiesItAndIsCompleteAgain) {
  Transcript talk = pair_in_sync(3, 2);
  talk.node('C');
  talk.follow('C', 'A');
  talk.deliver();
  talk.tick(400);
  talk.deliver();
  talk.append('A', 6);
  talk.deliver();
  talk.set_first('A', 4);
  talk.take();
  talk.start_anew('B');
  talk.append('A', 8);
  talk.deliver();
  EXPECT_EQ(talk['A'].committed(), Offset(8)) << "the others do not wait for it";
  talk.expect("log_is_lost");
  talk.promote('B', "AC");
  EXPECT_FALSE(talk['B'].state().asking);
  talk.take();
  talk.copied('B', 'A');
  talk.deliver();
  talk.tick(400);
  talk.deliver();
  talk.expect("log_is_copied");
  EXPECT_FALSE(talk['B'].state().stored.incomplete);
  EXPECT_TRUE(talk['A'].set()->holds(Transcript::id_of('B')));
}

TEST(Replica, AFollowerBelowWhatIsShippedStartsAnewByItself) {
  Transcript talk = pair_in_sync(2, 1);
  talk.cut_off('B', true);
  talk.append('A', 9);
  talk.tick(11000);
  talk.deliver();
  ASSERT_EQ(talk['A'].committed(), Offset(9));
  talk.set_first('A', 7);
  talk.cut_off('B', false);
  talk.take();
  talk.tick(2000);
  talk.deliver();
  talk.expect("follower_starts_anew");
  EXPECT_TRUE(talk['B'].state().copying);
  EXPECT_TRUE(talk['B'].state().stored.incomplete);
}

TEST(Replica, ALogIsWipedOnlyWhenItIsStoredThatItIsIncomplete) {
  Replica node(Transcript::id_of('B'), group(2, 2), {}, Offset(5));
  node.start_anew();
  const Output first = node.take();
  ASSERT_TRUE(first.store);
  EXPECT_TRUE(first.store->state.incomplete);
  EXPECT_FALSE(first.wipe);
  EXPECT_FALSE(node.take().wipe);
  node.stored(first.store->number);
  EXPECT_TRUE(node.take().wipe);
}

TEST(Replica, AnAnswerThatComesAgainCutsNothing) {
  Transcript talk = pair_in_sync();
  const MemberId a = Transcript::id_of('A');
  Answer parts;
  parts.leadership = talk['A'].leadership();
  parts.begin = parts.next = Offset(4);
  parts.divergence = EpochHistory::Divergence{parts.leadership, Offset(3)};
  parts.last = parts.leadership;
  parts.set = *talk['A'].set();
  talk['B'].receive(a, Message(parts));
  EXPECT_FALSE(talk['B'].take().cut) << "it was said of a log that ended at 4";
  EXPECT_EQ(talk['B'].state().end, Offset(5));
}

TEST(Replica, AFollowerGivesUpWhatItHasNotAcknowledged) {
  Transcript talk = pair_in_sync();
  talk.slow_disk('B', true);
  talk.append('A', 7);
  talk.deliver();
  talk['B'].cut_tail(Offset(6));
  EXPECT_EQ(talk['B'].take().cut, Offset(6));
  talk['B'].truncated();
  EXPECT_EQ(talk['B'].state().end, Offset(6));
}

TEST(Replica, WhoFollowedAnotherDoesNotLeadByItself) {
  Transcript talk = pair_in_sync();
  talk.restart('B');
  talk.lead('B');
  talk.expect("follower_does_not_lead");
}

TEST(Replica, WhoStoodForATermAndWasNotElectedDoesNotLeadAfterARestart) {
  Transcript talk = pair_in_sync(3, 2);
  talk['B'].receive(Transcript::id_of('A'), Message(HandOver{talk['A'].leadership(), Offset(5)}));
  talk.cut_off('B', true);
  talk.deliver();
  ASSERT_EQ(talk['B'].state().role, Role::kCandidate);
  talk.restart('B');
  talk.lead('B');
  EXPECT_FALSE(talk['B'].leads());
  talk.restart('A');
  talk.lead('A');
  EXPECT_TRUE(talk['A'].leads());
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
