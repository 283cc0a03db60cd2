// A store in cache mode on a simulated disk, and what each key's newest value may be: it may go at any time, but
// nothing older comes back, and nothing that a reply said was gone.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/store/store_fixture.h"

namespace minod {

inline constexpr std::uint64_t kCacheBudget = std::uint64_t{16} << 20;
inline constexpr std::int64_t kCacheSegment = std::int64_t{1} << 20;

class CacheNode : public StoreFixture {
 protected:
  // A key's newest value is one of these; null: it is absent. Without a reply it is the old one or the new one.
  using Values = std::vector<std::shared_ptr<const std::string>>;
  using Newest = std::map<std::uint64_t, Values>;

  void begin(std::uint64_t seed, DiskPolicy policy, bool compress = false) {
    chance_ = Random(seed);
    const std::int64_t checkpoint_bytes = options_.checkpoint_bytes;
    options_ = StoreOptions();
    options_.checkpoint_bytes = checkpoint_bytes;
    options_.segment_bytes = segment_bytes_;
    options_.disk = {budget_, policy};
    options_.compress = compress;
    use_disk({.seed = seed, .delay_max = 1 + static_cast<unsigned>(chance_.below(5))});
    newest_.clear();
    next_ = 0;
  }

  static std::string key(std::uint64_t i) { return "key" + std::to_string(i); }
  static std::string bulk(const std::string& text) {
    return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
  }
  const std::string& newest(std::uint64_t i) { return *newest_[i].front(); }

  std::string set(std::uint64_t i, std::size_t size = 20'000) {
    std::string value = std::to_string(++next_) + ":";
    for (std::size_t j = 0; value.size() < size; j += 8) value += std::to_string(chance_.next());
    return set(i, std::move(value));
  }
  std::string set(std::uint64_t i, std::string value) {
    const auto shared = std::make_shared<const std::string>(std::move(value));
    newest_[i].push_back(shared);
    const std::string reply = run({"SET", key(i), *shared});
    if (reply == "+OK\r\n") newest_[i] = {shared};
    if (reply.starts_with("-")) newest_[i].pop_back();
    return reply;
  }
  void erase(std::uint64_t i) {
    newest_[i].push_back(nullptr);
    if (!run({"DEL", key(i)}).empty()) newest_[i] = {nullptr};
  }

  // Absent, or one of the values that may be the newest. An erased key is absent.
  void expect_newest_or_absent(std::uint64_t i) {
    Values& values = newest_[i];
    const std::string reply = run({"GET", key(i)});
    if (disk_->crashed()) return;
    if (reply == "$-1\r\n") {
      values = {nullptr};
      return;
    }
    for (const auto& value : values) {
      if (value == nullptr || reply != bulk(*value)) continue;
      values = {value};
      return;
    }
    ADD_FAILURE() << key(i) << " came back as " << reply.substr(0, 40);
  }
  void expect_within_budget() {
    EXPECT_LE(store_->evictor().disk_bytes(), budget_ + 2 * static_cast<std::uint64_t>(segment_bytes_));
  }

  std::uint64_t budget_ = kCacheBudget;
  std::int64_t segment_bytes_ = kCacheSegment;
  Random chance_{1};
  Newest newest_;
  std::uint64_t next_ = 0;
};

}  // namespace minod
