// The pool that caches values, on the real program: blocks follow the hint, INFO tells of them, and after a kill the
// values come from disk into such blocks again.
#include <gtest/gtest.h>

#include "tests/fault/node.h"

namespace minod::live {
namespace {

class ValueSizeHintTest : public testing::Test {
 protected:
  void SetUp() override { SKIP_WITHOUT_MINOD(); }
  void connect() {
    ASSERT_TRUE(server_->start()) << server_->log_tail();
    wire_ = Wire::connect(server_->port());
    ASSERT_TRUE(wire_.has_value());
  }
  std::uint64_t memory(const std::string& name) {
    const std::string text = wire_->call({"INFO", "memory"}).value_or("");
    const std::size_t at = text.find("\n" + name + ":");
    return at == std::string::npos ? ~std::uint64_t{0} : std::stoull(text.substr(at + name.size() + 2));
  }

  TempDirectory directory_;
  std::unique_ptr<ServerProcess> server_;
  std::optional<Wire> wire_;
};

TEST_F(ValueSizeHintTest, ValuesOfThatSizeFitClosely) {
  server_ = std::make_unique<ServerProcess>(
      minod_command(directory_ / "data", {"--value-size-hint", "0:2500", "--maxmemory", "32mb"}), directory_ / "log");
  connect();
  const std::string value(2500, 'v');
  constexpr int kValues = 2000;
  for (int i = 0; i < kValues; ++i) ASSERT_EQ(wire_->call({"SET", "key" + std::to_string(i), value}), kOk);
  server_->kill_now();
  connect();
  for (int i = 0; i < kValues; ++i) ASSERT_EQ(wire_->call({"GET", "key" + std::to_string(i)}), bulk(value));
  EXPECT_GE(memory("minod_pool_used_bytes"), kValues * value.size());
  EXPECT_LT(memory("minod_pool_block_bytes"), memory("minod_pool_used_bytes") * 107 / 100);
  EXPECT_EQ(memory("minod_pool_fallback_count"), 0u);
  EXPECT_EQ(memory("minod_read_bytes"), 0u) << "nobody waits";
  EXPECT_EQ(wire_->call({"CONFIG", "SET", "value-size-hint", "0:120,3:4kb"}), kOk);
  EXPECT_TRUE(wire_->call({"CONFIG", "GET", "value-size-hint"})->find("0:120,3:4096") != std::string::npos);
}

}  // namespace
}  // namespace minod::live
