#include "cluster/state_file.h"

#include <gtest/gtest.h>

#include "tests/fuzz/seed.h"

namespace minod {
namespace {

StoredState some_state() {
  constexpr MemberId kA{1, 2};
  constexpr MemberId kB{3, 4};
  StoredState state;
  state.promised = Leadership{Epoch{65537}, kA};
  state.counts = true;
  state.in_force = false;
  state.sets = {InSyncSet{SetVersion{Epoch{65536}, 2}, {kA, kB}, {kA, kB}},
                InSyncSet{SetVersion{Epoch{65537}, 0}, {kA}, {kA, kB}}};
  state.epochs = EpochHistory({{Leadership{Epoch{65536}, kB}, Offset(0)}, {state.promised, Offset(12)}});
  state.committed = Offset(9);
  state.incomplete = true;
  state.generation = 3;
  return state;
}

TEST(StateFile, ReadsWhatItWrote) {
  for (const StoredState& state : {some_state(), StoredState()}) {
    const auto parsed = parse_state(text_of(state));
    ASSERT_TRUE(parsed) << parsed.error().message();
    EXPECT_EQ(*parsed, state);
  }
}

TEST(StateFile, TheFuzzerStartsFromOne) { expect_seed("peer/state", text_of(some_state())); }

TEST(StateFile, IsAsDocsFormatShowsIt) {
  EXPECT_EQ(text_of(some_state()),
            "format 1\n"
            "promised 65537 00000000000000010000000000000002\n"
            "counts 1\n"
            "in-force 0\n"
            "incomplete 1 3\n"
            "set 65536 2 00000000000000010000000000000002 00000000000000030000000000000004 "
            "known 00000000000000010000000000000002 00000000000000030000000000000004\n"
            "set 65537 0 00000000000000010000000000000002 "
            "known 00000000000000010000000000000002 00000000000000030000000000000004\n"
            "epoch 65536 00000000000000030000000000000004 0\n"
            "epoch 65537 00000000000000010000000000000002 12\n"
            "committed 9\n" +
                text_of(some_state()).substr(text_of(some_state()).rfind("crc32c")));
}

TEST(StateFile, AnyFlippedByteOrCutIsDamage) {
  const std::string good = text_of(some_state());
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    EXPECT_FALSE(parse_state(bad)) << "byte " << at;
    EXPECT_FALSE(parse_state(good.substr(0, at))) << "cut at " << at;
  }
}

TEST(StateFile, ALaterFormatIsNotDamage) {
  std::string text = text_of(some_state());
  text.replace(0, 8, "format 2");
  const auto parsed = parse_state(text);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, Errc::kUnsupported);
}

}  // namespace
}  // namespace minod
