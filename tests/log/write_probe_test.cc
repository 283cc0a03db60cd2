#include "log/write_probe.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace minod {
namespace {

TEST(WriteProbe, MeasuresAndLeavesNothing) {
  const SystemClock clock;
  const auto probe = probe_writes(".", clock);
  ASSERT_TRUE(probe) << probe.error().message();
  EXPECT_GT(probe->buffered_ns, 0);
  if (probe->direct) {
    EXPECT_GT(probe->dsync_ns, 0);
    EXPECT_GT(probe->fdsync_ns, 0);
  }
  EXPECT_FALSE(std::filesystem::exists(".minod-write-probe"));
  std::printf("%s: %s\n", name_of(best_way(*probe)), text_of(*probe).c_str());
}

TEST(WriteProbe, AMissingDirectoryIsAnError) {
  const SystemClock clock;
  EXPECT_EQ(probe_writes("./no-such-directory", clock).error().code, Errc::kNotFound);
}

TEST(WriteProbe, ChoosesTheFastestWithAPreferenceForOneRequestAGroup) {
  EXPECT_EQ(best_way({.direct = true, .dsync_ns = 84'000, .fdsync_ns = 93'000, .buffered_ns = 197'000}),
            WriteWay::kDsync);
  EXPECT_EQ(best_way({.direct = true, .dsync_ns = 84'000, .fdsync_ns = 75'000, .buffered_ns = 197'000}),
            WriteWay::kDsync);
  EXPECT_EQ(best_way({.direct = true, .dsync_ns = 900'000, .fdsync_ns = 500'000, .buffered_ns = 600'000}),
            WriteWay::kFdsync);
  EXPECT_EQ(best_way({.direct = true, .dsync_ns = 900'000, .fdsync_ns = 900'000, .buffered_ns = 300'000}),
            WriteWay::kBuffered);
  EXPECT_EQ(best_way({.direct = false, .buffered_ns = 300'000}), WriteWay::kBuffered);
  EXPECT_EQ(best_way({.direct = true}), WriteWay::kDsync) << "nothing could be measured";
  EXPECT_EQ(best_way({.direct = true, .fdsync_ns = 90'000}), WriteWay::kFdsync) << "no RWF_DSYNC";
}

TEST(WriteProbe, IsToldInOneLine) {
  EXPECT_EQ(text_of({.direct = true, .dsync_ns = 84'400, .fdsync_ns = 93'000}),
            "RWF_DSYNC 84 us, fdatasync 93 us, buffered not measured");
  EXPECT_EQ(text_of({.direct = false, .buffered_ns = 197'000}), "no O_DIRECT, buffered 197 us");
}

}  // namespace
}  // namespace minod
