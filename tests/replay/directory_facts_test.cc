// minod.meta, with one thing wrong: the directory is refused, or its facts are the right ones.
#include "replay/data_directory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace minod {
namespace {

class DataDirectoryTest : public ::testing::Test {
 protected:
  DataDirectoryTest() {
    std::string name = (std::filesystem::temp_directory_path() / "minod-directory-XXXXXX").string();
    path_ = mkdtemp(name.data());
    meta_ = path_ + "/minod.meta";
  }
  ~DataDirectoryTest() override { std::filesystem::remove_all(path_); }

  Result<DirectoryFacts> open(int partitions = 1) {
    Random random(1);
    auto directory = DataDirectory::open(path_, partitions, random);
    if (!directory) return directory.error();
    return (*directory)->facts();
  }
  std::string read() const {
    std::ifstream in(meta_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& text) const { std::ofstream(meta_, std::ios::binary) << text; }

  static bool same(const DirectoryFacts& a, const DirectoryFacts& b) {
    return a.id == b.id && a.partitions == b.partitions && a.hash_seed[0] == b.hash_seed[0] &&
           a.hash_seed[1] == b.hash_seed[1];
  }
  void expect_refused_or(const DirectoryFacts& facts) {
    const auto found = open();
    if (!found) {
      EXPECT_NE(found.error().message().find("minod.meta"), std::string::npos) << found.error().message();
    } else {
      EXPECT_TRUE(same(*found, facts));
    }
  }

  std::string path_;
  std::string meta_;
};

TEST_F(DataDirectoryTest, AFlippedBitAnywhereIsNeverTakenForAFact) {
  const auto facts = open(16);
  ASSERT_TRUE(facts);
  const std::string text = read();
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string flipped = text;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    write(flipped);
    SCOPED_TRACE("bit " + std::to_string(bit));
    const auto found = open();
    EXPECT_FALSE(found);
  }
}

TEST_F(DataDirectoryTest, ACutIsNeverTakenForTheWhole) {
  const auto facts = open(16);
  ASSERT_TRUE(facts);
  const std::string text = read();
  for (std::size_t size = 0; size < text.size(); ++size) {
    write(text.substr(0, size));
    SCOPED_TRACE("cut to " + std::to_string(size));
    expect_refused_or(*facts);
  }
}

TEST_F(DataDirectoryTest, FactsFromBeforeTheChecksumAreRead) {
  const auto facts = open(4);
  ASSERT_TRUE(facts);
  const std::string text = read();
  write(text.substr(0, text.find("crc32c")));
  const auto found = open();
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_TRUE(same(*found, *facts));
}

// New facts would look for keys in other partitions.
TEST_F(DataDirectoryTest, MissingFactsBesideDataAreRefused) {
  ASSERT_TRUE(open(4));
  std::filesystem::create_directory(path_ + "/db0-3");
  std::filesystem::remove(meta_);
  const auto found = open(4);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::kCorrupt);
  EXPECT_NE(found.error().message().find("minod.meta is missing"), std::string::npos) << found.error().message();
}

}  // namespace
}  // namespace minod
