// docs/REPLICATION.md, "Rules": with all of them nothing that was acknowledged is lost, whatever happens; without any
// one of them something is.
#include "tests/cluster/protocol_model.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

namespace minod {
namespace {

GroupOptions three_nodes() {
  GroupOptions options;
  options.nodes = 3;
  options.least = 2;
  return options;
}

void show(const char* name, const ModelResult& result) {
  std::printf("%s: %zu states, %zu moves%s%s\n", name, result.states, result.moves, result.complete ? ", complete" : "",
              result.lost ? result.lost->c_str() : "");
}

struct Case {
  const char* name;
  bool Rules::*rule;
  WorldBounds bounds;
};

// Enough of everything for each of the faults; found by trying.
WorldBounds roomy() {
  WorldBounds bounds;
  bounds.records = 2;
  bounds.terms = 4;
  bounds.crashes = 2;
  bounds.drops = 2;
  bounds.losses = true;
  bounds.slow_votes = false;
  return bounds;
}

WorldBounds without_losses() {
  WorldBounds bounds = roomy();
  bounds.losses = false;
  return bounds;
}

WorldBounds with_new_disk() {
  WorldBounds bounds = roomy();
  bounds.replaced_disks = 1;
  return bounds;
}

WorldBounds with_slow_votes() {
  WorldBounds bounds = roomy();
  bounds.slow_votes = true;
  return bounds;
}

WorldBounds with_repeats() {
  WorldBounds bounds = roomy();
  bounds.repeats = 3;
  return bounds;
}

WorldBounds with_hand_overs() {
  WorldBounds bounds = roomy();
  bounds.hand_overs = 2;
  bounds.repeats = 1;
  return bounds;
}

WorldBounds with_damage() {
  WorldBounds bounds = roomy();
  bounds.damages = 2;
  bounds.repeats = 1;
  bounds.floors = true;
  return bounds;
}

const Case kCases[] = {
    {"fence_epochs", &Rules::fence_epochs, roomy()},
    {"keep_promises", &Rules::keep_promises, roomy()},
    {"truncate_by_epoch", &Rules::truncate_by_epoch, roomy()},
    {"acknowledge_durable", &Rules::acknowledge_durable, roomy()},
    {"leader_is_durable", &Rules::leader_is_durable, roomy()},
    {"count_requested_sets", &Rules::count_requested_sets, roomy()},
    {"shrink_when_stored", &Rules::shrink_when_stored, roomy()},
    {"store_sets_everywhere", &Rules::store_sets_everywhere, roomy()},
    {"begin_with_own_set", &Rules::begin_with_own_set, without_losses()},
    {"join_at_high_watermark", &Rules::join_at_high_watermark, roomy()},
    {"join_at_epoch_start", &Rules::join_at_epoch_start, roomy()},
    {"enough_in_sync", &Rules::enough_in_sync, roomy()},
    {"elect_from_set", &Rules::elect_from_set, roomy()},
    {"ask_before_leading", &Rules::ask_before_leading, roomy()},
    {"admit_with_others", &Rules::admit_with_others, with_new_disk()},
    {"vote_when_in_force", &Rules::vote_when_in_force, with_new_disk()},
    {"members_promise", &Rules::members_promise, with_new_disk()},
    {"cut_what_was_compared", &Rules::cut_what_was_compared, with_repeats()},
    {"inquire_first", &Rules::inquire_first, roomy()},
    {"hand_over_when_committed", &Rules::hand_over_when_committed, with_hand_overs()},
    {"hand_over_in_quiet", &Rules::hand_over_in_quiet, with_hand_overs()},
    {"lead_when_led", &Rules::lead_when_led, with_hand_overs()},
    {"lead_when_complete", &Rules::lead_when_complete, with_damage()},
    {"keep_incomplete", &Rules::keep_incomplete, with_damage()},
    {"forget_generations", &Rules::forget_generations, with_damage()},
    {"complete_by_leader", &Rules::complete_by_leader, with_damage()},
    {"answer_generation", &Rules::answer_generation, with_damage()},
};

class RuleLeftOut : public testing::TestWithParam<Case> {};

TEST_P(RuleLeftOut, LosesAnAcknowledgedWrite) {
  GroupOptions options = three_nodes();
  options.rules.*GetParam().rule = false;
  const ModelResult result = walk(options, GetParam().bounds, 1, 20'000'000);
  show(GetParam().name, result);
  EXPECT_TRUE(result.lost);
}

INSTANTIATE_TEST_SUITE_P(ProtocolModel, RuleLeftOut, testing::ValuesIn(kCases),
                         [](const auto& one) { return one.param.name; });

TEST(ProtocolModel, ADiskThatComesBackEmptyIsAnotherMember) {
  WorldBounds bounds = with_new_disk();
  bounds.new_disk_is_new_member = false;
  const ModelResult result = walk(three_nodes(), bounds, 1, 20'000'000);
  show("the same member", result);
  EXPECT_TRUE(result.lost);
}

TEST(ProtocolModel, NothingThatWasAcknowledgedIsLostInTheFirstStates) {
  WorldBounds bounds;
  bounds.slow_votes = bounds.slow_disks = false;
  bounds.drops = 1;
  const ModelResult result = search(three_nodes(), bounds, 200'000);
  show("all rules", result);
  EXPECT_FALSE(result.lost) << *result.lost;
}

std::uint64_t seed() {
  const char* const text = std::getenv("MINOD_SEED");
  return text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
}

TEST(ProtocolModel, NothingThatWasAcknowledgedIsLostOnLongWalks) {
  for (const WorldBounds& bounds :
       {roomy(), with_new_disk(), with_slow_votes(), with_repeats(), with_hand_overs(), with_damage()}) {
    const ModelResult result = walk(three_nodes(), bounds, seed(), 3'000'000);
    show("all rules", result);
    EXPECT_FALSE(result.lost) << "MINOD_SEED=" << seed() << *result.lost;
  }
}

}  // namespace
}  // namespace minod
