// That the presets check what they say they check: a flag that gets lost takes every later finding with it, silently.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <limits>
#include <memory>
#include <span>
#include <thread>
#include <vector>

namespace minod {
namespace {

// What the compiler can't know, and so can't remove or refuse.
[[maybe_unused]] int unknown(int value) {
  volatile int copy = value;
  return copy;
}

#if defined(_GLIBCXX_ASSERTIONS)
TEST(HardeningDeathTest, IndexPastTheEndOfASpanEndsTheProcess) {
  const std::vector<int> three{1, 2, 3};
  const std::span<const int> view(three);
  EXPECT_DEATH(std::exit(view[static_cast<std::size_t>(unknown(3))]), "Assertion");
}
#endif

#if defined(__SANITIZE_ADDRESS__)
TEST(HardeningDeathTest, AddressSanitizerSeesUseAfterFree) {
  auto value = std::make_unique<int>(1);
  const int* const freed = value.get();
  value.reset();
  EXPECT_DEATH(std::exit(*freed), "heap-use-after-free");
}

TEST(HardeningDeathTest, UndefinedBehaviorSanitizerSeesOverflow) {
  const int most = unknown(std::numeric_limits<int>::max());
  EXPECT_DEATH(std::exit(most + unknown(1)), "signed integer overflow");
}
#endif

#if defined(__SANITIZE_THREAD__)
TEST(HardeningDeathTest, ThreadSanitizerSeesARace) {
  const auto race = [] {
    int shared = 0;
    std::thread other([&shared] { shared = 1; });
    shared = 2;
    other.join();
    std::exit(0);
  };
  EXPECT_DEATH(race(), "data race");
}
#endif

}  // namespace
}  // namespace minod
