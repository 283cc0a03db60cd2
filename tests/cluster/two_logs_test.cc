// docs/REPLICATION.md, "Who leads the first log leads them all": with its rules no log that has acknowledged records is
// taken for new or empty; without any one of them one is.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "tests/cluster/two_logs_world.h"

namespace minod {
namespace {

struct Walked {
  std::size_t moves = 0;
  std::size_t taken_over = 0;
  std::optional<std::string> lost;
};

Walked walk_two_logs(const Rules& rules, std::uint64_t seed, std::size_t moves_max) {
  GroupOptions options;
  options.nodes = TwoLogs::kNodes;
  options.least = 2;
  options.rules = rules;
  Random random(seed);
  Walked walked;
  while (walked.moves < moves_max) {
    TwoLogs world(options, random.next());
    std::string trace;
    for (int i = 0; i < 250; ++i) {
      trace += "\n  " + world.step();
      ++walked.moves;
      if (const auto wrong = world.violation()) {
        walked.lost = trace + "\n  => " + *wrong;
        return walked;
      }
    }
    walked.taken_over += world.was_taken_over() ? 1 : 0;
  }
  return walked;
}

std::uint64_t seed() {
  const char* const text = std::getenv("MINOD_SEED");
  return text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
}

struct Case {
  const char* name;
  bool Rules::*rule;
};

class RuleOfTwoLogsLeftOut : public testing::TestWithParam<Case> {};

TEST_P(RuleOfTwoLogsLeftOut, LosesAnAcknowledgedWrite) {
  Rules rules;
  rules.*GetParam().rule = false;
  const Walked walked = walk_two_logs(rules, 1, 20'000'000);
  std::printf("%s: %zu moves%s\n", GetParam().name, walked.moves, walked.lost ? walked.lost->c_str() : "");
  EXPECT_TRUE(walked.lost);
}

constexpr Case kCases[] = {
    {"elect_for_new_logs", &Rules::elect_for_new_logs},
    {"begin_with_leader_of_all", &Rules::begin_with_leader_of_all},
    {"tell_all_logs", &Rules::tell_all_logs},
    {"show_all_logs", &Rules::show_all_logs},
};
INSTANTIATE_TEST_SUITE_P(ProtocolModel, RuleOfTwoLogsLeftOut, testing::ValuesIn(kCases),
                         [](const auto& one) { return one.param.name; });

TEST(ProtocolModel, NoLogIsTakenForNewOrEmpty) {
  const Walked walked = walk_two_logs(Rules(), seed(), 3'000'000);
  std::printf("two logs: %zu moves, %zu walks in which a log was taken over\n", walked.moves, walked.taken_over);
  EXPECT_FALSE(walked.lost) << "MINOD_SEED=" << seed() << *walked.lost;
  EXPECT_GT(walked.taken_over, 100u);
}

}  // namespace
}  // namespace minod
