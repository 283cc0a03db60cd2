#include "base/varint.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace minod {
namespace {

TEST(Varint, EveryWidthComesBack) {
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{63}, std::int64_t{64}, std::int64_t{-65}, std::int64_t{1} << 31,
        std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    std::array<std::byte, kVarintSizeMax> space{};
    const auto size = static_cast<std::size_t>(put_varint(space.data(), value) - space.data());
    EXPECT_EQ(size, varint_size(value));
    Bytes from(space.data(), size);
    EXPECT_EQ(take_varint(from), value);
    EXPECT_TRUE(from.empty());
  }
}

TEST(Varint, CutShortIsNothing) {
  std::array<std::byte, kVarintSizeMax> space{};
  put_varint(space.data(), std::int64_t{1} << 40);
  Bytes from(space.data(), 3);
  EXPECT_EQ(take_varint(from), std::nullopt);
}

TEST(Varint, Over64BitsIsNothing) {
  std::array<std::byte, 11> space;
  space.fill(std::byte{0xff});
  Bytes from(space);
  EXPECT_EQ(take_varint(from), std::nullopt);
}

}  // namespace
}  // namespace minod
