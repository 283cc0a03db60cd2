// How the disk is opened: as deep as the kernel allows, with O_DIRECT where there is any.
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "base/buffer.h"
#include "log/aio_disk.h"

namespace minod {
namespace {

TEST(AioDiskOpen, TooDeepNamesTheSysctl) {
  std::ifstream limit("/proc/sys/fs/aio-max-nr");
  unsigned long max = 0;
  ASSERT_TRUE(limit >> max);
  if (max > 4'000'000) GTEST_SKIP() << "fs.aio-max-nr is beyond what io_setup takes at all";
  const auto disk = AioDisk::open({.depth = static_cast<unsigned>(max) + 1});
  ASSERT_FALSE(disk);
  EXPECT_EQ(disk.error().sys, EAGAIN);
  EXPECT_NE(disk.error().message().find("sysctl -w fs.aio-max-nr="), std::string::npos);
}

TEST(AioDiskOpen, ProbesForDirect) {
  const auto here = AioDisk::supports_direct(".");
  ASSERT_TRUE(here) << here.error().message();
  EXPECT_FALSE(std::filesystem::exists(".minod-direct-probe"));
  const auto nowhere = AioDisk::supports_direct("./no-such-directory");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, Errc::kNotFound);
}

// procfs refuses O_DIRECT with EINVAL, as some file systems do.
TEST(AioDiskOpen, FallsBackToTheBufferedMode) {
  auto disk = AioDisk::open({.depth = 8});
  ASSERT_TRUE(disk);
  ASSERT_TRUE((*disk)->direct());
  auto file = (*disk)->open("/proc/self/stat", OpenMode::kRead);
  ASSERT_TRUE(file) << file.error().message();
  EXPECT_FALSE((*disk)->direct());
  AlignedBuffer into(4096);
  std::size_t got = 0;
  (*file)->read(FilePosition(0), into.span(), [&](Result<std::size_t> result) { got = *result; });
  while ((*disk)->in_flight() != 0) (*disk)->poll();
  EXPECT_GT(got, 0u);
}

}  // namespace
}  // namespace minod
