#include "net/cpu_list.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

namespace minod {
namespace {

using Cpus = std::vector<int>;

TEST(CpuList, ReadsWhatTheKernelWrites) {
  EXPECT_EQ(parse_cpu_list(""), Cpus{});
  EXPECT_EQ(parse_cpu_list("3"), Cpus{3});
  EXPECT_EQ(parse_cpu_list("1,0"), (Cpus{1, 0}));
  EXPECT_EQ(parse_cpu_list("0-2,8,4-5"), (Cpus{0, 1, 2, 8, 4, 5}));
}

TEST(CpuList, RefusesWhatIsNone) {
  for (const char* text : {"x", "-1", "1-", "2-1", "1,", ",1", "1 2", "1024", "0-1024", "99999999999"}) {
    EXPECT_FALSE(parse_cpu_list(text).has_value()) << text;
  }
}

TEST(CpuList, WritesWhatItReads) {
  for (const char* text : {"", "3", "1,0", "0-2,8,4-5"}) EXPECT_EQ(cpu_list_text(*parse_cpu_list(text)), text);
}

TEST(CpuList, AThreadStaysWhereItIsPinned) {
  std::thread pinned([] {
    cpu_set_t before;
    ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
    int last = -1;
    for (int cpu = 0; cpu <= kCpuMax; ++cpu) last = CPU_ISSET(cpu, &before) ? cpu : last;
    ASSERT_TRUE(check_cpus({last}).has_value());
    ASSERT_TRUE(pin_this_thread(last).has_value());
    EXPECT_EQ(sched_getcpu(), last);
    const auto another = check_cpus({last, last == 0 ? 1 : 0});
    ASSERT_FALSE(another.has_value());
    EXPECT_NE(another.error().message().find("minod may run on " + std::to_string(last)), std::string::npos);
  });
  pinned.join();
}

}  // namespace
}  // namespace minod
