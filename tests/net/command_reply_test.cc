#include "net/resp/command_reply.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "base/byte_queue.h"

namespace minod::resp {
namespace {

std::string encoded(Protocol protocol, const std::function<void(Reply&)>& write) {
  ByteQueue bytes;
  Reply reply(bytes, protocol);
  write(reply);
  return std::string(bytes.view());
}

std::string with_line_ends(const std::string& text) {
  std::string bytes;
  for (const char c : text) bytes += c == ' ' ? std::string("\r\n") : std::string(1, c);
  return bytes + "\r\n";
}

TEST(CommandReply, DescribesAsRedis) {
  std::ifstream file(MINOD_TEST_DATA "/redis_command_info.txt");
  int compared = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    int protocol = 0;
    std::string name;
    std::string expected;
    words >> protocol >> name >> std::ws;
    std::getline(words, expected);
    const CommandSpec* const spec = find_by_full_name(name);
    ASSERT_NE(spec, nullptr) << name;
    EXPECT_EQ(encoded(protocol == 3 ? Protocol::kResp3 : Protocol::kResp2, [&](Reply& r) { describe(r, *spec); }),
              with_line_ends(expected))
        << name;
    ++compared;
  }
  EXPECT_EQ(compared, 20);
}

TEST(CommandReply, DocumentsWhatIsDeprecated) {
  const std::string text =
      encoded(Protocol::kResp2, [](Reply& reply) { document(reply, *find_by_full_name("GETSET")); });
  EXPECT_TRUE(text.starts_with("$6\r\ngetset\r\n*14\r\n$7\r\nsummary\r\n")) << text;
  EXPECT_TRUE(
      text.ends_with("$9\r\ndoc_flags\r\n*1\r\n+deprecated\r\n$16\r\ndeprecated_since\r\n$5\r\n6.2.0\r\n"
                     "$11\r\nreplaced_by\r\n$30\r\n`SET` with the `!GET` argument\r\n"))
      << text;
}

TEST(CommandReply, ContainersHoldTheirSubcommands) {
  std::vector<std::string_view> names;
  for (const CommandSpec& spec : subcommands_of(*find_command("memory"))) names.push_back(spec.name);
  EXPECT_EQ(names, (std::vector<std::string_view>{"memory|help", "memory|usage"}));
  EXPECT_TRUE(subcommands_of(*find_command("get")).empty());
  EXPECT_TRUE(subcommands_of(*find_by_full_name("memory|usage")).empty());
  EXPECT_TRUE(subcommands_of(command_table().back()).empty());
}

TEST(CommandReply, FindsFullNamesInAnyCase) {
  EXPECT_EQ(find_by_full_name("Config|SET")->name, "config|set");
  for (const std::string_view name : {"", "|", "config|", "|set", "nope", "get|x", "config|set|x"}) {
    EXPECT_EQ(find_by_full_name(name), nullptr) << name;
  }
}

TEST(CommandReply, FlagsOfKeys) {
  using Words = std::vector<std::string_view>;
  const auto flags = [](const Words& args, std::size_t nth) { return flags_of_key(*find_command(args[0]), args, nth); };
  EXPECT_EQ(flags({"mset", "a", "1", "b", "2"}, 1), (Words{"OW", "update"}));
  EXPECT_EQ(flags({"copy", "a", "b"}, 0), (Words{"RO", "access"}));
  EXPECT_EQ(flags({"copy", "a", "b"}, 1), (Words{"OW", "update"}));
  EXPECT_EQ(flags({"set", "a", "1"}, 0), (Words{"OW", "update"}));
  EXPECT_EQ(flags({"set", "a", "1", "get"}, 0), (Words{"RW", "access", "update"}));
  EXPECT_EQ(flags({"set", "get", "get"}, 0), (Words{"OW", "update"}));
}

}  // namespace
}  // namespace minod::resp
