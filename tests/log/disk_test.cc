#include "log/disk.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <string>
#include <utility>

#include "tests/log/memory_file.h"

namespace minod {
namespace {

// A directory in memory that writes down what is asked of it, and fails from the n-th request on.
class MemoryDisk final : public Disk {
 public:
  std::map<std::string, std::string> files;
  std::string asked;
  int requests_left = 100;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    if (!allows("open " + path)) return refusal();
    if (mode == OpenMode::kCreate) files[path].clear();
    if (!files.contains(path)) return errno_error("open " + path, ENOENT);
    return std::unique_ptr<File>(std::make_unique<OpenFile>(*this, path));
  }
  Result<std::vector<DirectoryEntry>> list(const std::string&) override { return refusal(); }
  Result<void> make_directory(const std::string&) override { return refusal(); }
  Result<void> rename(const std::string& from, const std::string& to) override {
    if (!allows("rename")) return refusal();
    files[to] = files[from];
    files.erase(from);
    return {};
  }
  Result<void> link(const std::string&, const std::string&) override { return refusal(); }
  Result<void> remove(const std::string& path) override {
    files.erase(path);
    return {};
  }
  Result<void> sync_directory(const std::string& path) override {
    if (!allows("sync " + path)) return refusal();
    return {};
  }
  Result<std::uint64_t> free_bytes(const std::string&) override { return refusal(); }
  void run_aside(std::function<void()> job, std::function<void()> done) override {
    job();
    done();
  }
  void submit() override {}
  std::size_t poll() override { return 0; }
  std::size_t in_flight() const override { return 0; }

 private:
  class OpenFile final : public File {
   public:
    OpenFile(MemoryDisk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
    void write(FilePosition, Bytes, WriteMode, IoCallback done) override { done(refusal()); }
    void sync(IoCallback done) override { done(refusal()); }
    void read(FilePosition, MutableBytes, IoCallback done) override { done(refusal()); }
    Result<std::size_t> read_now(FilePosition position, MutableBytes into) override {
      const std::string& text = disk_.files[path_];
      return text.copy(reinterpret_cast<char*>(into.data()), into.size(), static_cast<std::size_t>(position.value()));
    }
    Result<void> write_now(FilePosition, Bytes bytes) override {
      if (!disk_.allows("write")) return refusal();
      disk_.files[path_] = as_text(bytes);
      return {};
    }
    Result<void> sync_now() override {
      if (!disk_.allows("sync")) return refusal();
      return {};
    }
    Result<std::int64_t> size_now() override { return static_cast<std::int64_t>(disk_.files[path_].size()); }
    Result<void> truncate_now(std::int64_t) override { return refusal(); }
    Result<std::int64_t> links_now() override { return std::int64_t{1}; }
    Result<void> prepare_now(std::int64_t, std::int64_t) override { return refusal(); }

   private:
    MemoryDisk& disk_;
    std::string path_;
  };

  bool allows(const std::string& request) {
    asked += request + "; ";
    return requests_left-- > 0;
  }
  static Error refusal() { return errno_error("memory disk", ENOSPC); }
};

TEST(Disk, FileIsReplacedInTheOrderThatSurvivesACrash) {
  MemoryDisk disk;
  ASSERT_TRUE(replace_file(disk, "dir", "name", as_bytes("new")));
  EXPECT_EQ(disk.asked, "open dir/name.tmp; write; sync; rename; sync dir; ");
  EXPECT_EQ(disk.files, (std::map<std::string, std::string>{{"dir/name", "new"}}));
}

TEST(Disk, FailedReplacementLeavesTheOldFile) {
  for (int requests = 0; requests < 5; ++requests) {
    MemoryDisk disk;
    disk.files["dir/name"] = "old";
    disk.requests_left = requests;
    const auto replaced = replace_file(disk, "dir", "name", as_bytes("new"));
    ASSERT_FALSE(replaced) << requests;
    EXPECT_EQ(replaced.error().code, Errc::kNoSpace);
    EXPECT_EQ(disk.files, (std::map<std::string, std::string>{{"dir/name", requests < 4 ? "old" : "new"}}));
  }
}

TEST(Disk, SmallFileIsReadWhole) {
  MemoryDisk disk;
  disk.files["a"] = "12345";
  EXPECT_EQ(*read_file(disk, "a", 5), "12345");
  EXPECT_EQ(read_file(disk, "a", 4).error().code, Errc::kTooLarge);
  EXPECT_EQ(read_file(disk, "b", 4).error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace minod
