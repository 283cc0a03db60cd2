#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "store/command.h"

namespace minod {
namespace {

using Args = std::vector<std::string_view>;
using Positions = std::vector<std::size_t>;

Positions keys_of(const Args& args) {
  const CommandSpec* spec = find_subcommand(args[0], args.size() > 1 ? args[1] : "");
  if (!spec) spec = find_command(args[0]);
  const auto positions = key_positions(*spec, args);
  EXPECT_TRUE(positions.has_value()) << args[0];
  return positions ? *positions : Positions();
}

// Lower-case letters, because the hash table folds case by setting bit 5; subcommands are not in it.
TEST(CommandTable, NamesAreSortedUniqueAndLetters) {
  const auto table = command_table();
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (i != 0) {
      EXPECT_LT(table[i - 1].name, table[i].name);
    }
    const std::string_view container = table[i].name.substr(0, table[i].name.find('|'));
    EXPECT_EQ(container.find_first_not_of("abcdefghijklmnopqrstuvwxyz"), std::string_view::npos) << table[i].name;
  }
}

TEST(CommandTable, EveryRowIsComplete) {
  static const std::set<std::string_view> kGroups = {"string", "generic",      "connection",
                                                     "server", "transactions", "cluster"};
  for (const CommandSpec& spec : command_table()) {
    EXPECT_EQ(spec.run == nullptr, (spec.flags & kConnection) != 0) << spec.name;
    EXPECT_NE(spec.arity, 0) << spec.name;
    EXPECT_TRUE(kGroups.contains(spec.group)) << spec.name;
    for (const std::string_view text : {spec.since, spec.complexity, spec.summary, spec.acl_categories}) {
      EXPECT_FALSE(text.empty()) << spec.name;
    }
    EXPECT_EQ(spec.keys.first != 0, !spec.key_flags.empty()) << spec.name;
    EXPECT_EQ(spec.deprecated_since.empty(), spec.replaced_by.empty()) << spec.name;
    EXPECT_FALSE((spec.flags & kWrite) && (spec.flags & kReadOnly)) << spec.name;
    EXPECT_FALSE((spec.flags & kAllPartitions) && spec.keys.first != 0) << spec.name;
  }
}

// Redis derives these categories from the flags; a row that disagrees was mistyped.
TEST(CommandTable, CategoriesFollowFlags) {
  const std::pair<std::uint32_t, std::string_view> kDerived[] = {
      {kWrite, "@write"}, {kReadOnly, "@read"}, {kFast, "@fast"}, {kAdmin, "@admin"}, {kAdmin, "@dangerous"}};
  for (const CommandSpec& spec : command_table()) {
    for (const auto& [flag, category] : kDerived) {
      if (spec.flags & flag) {
        EXPECT_NE(spec.acl_categories.find(category), std::string_view::npos) << spec.name;
      }
    }
    EXPECT_EQ((spec.flags & kFast) == 0, spec.acl_categories.find("@slow") != std::string_view::npos) << spec.name;
  }
}

struct Shape {
  int arity = 0;
  KeyPositions keys;
};

std::map<std::string, Shape> redis_shapes() {
  std::ifstream file(MINOD_TEST_DATA "/redis_commands.txt");
  std::map<std::string, Shape> shapes;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string name;
    Shape shape;
    words >> name >> shape.arity >> shape.keys.first >> shape.keys.last >> shape.keys.step;
    EXPECT_TRUE(words) << line;
    shapes[name] = shape;
  }
  return shapes;
}

TEST(CommandTable, ArityAndKeysAreRedis7s) {
  auto shapes = redis_shapes();
  for (const CommandSpec& spec : command_table()) {
    const auto known = shapes.extract(std::string(spec.name));
    if (spec.since.starts_with("7.2")) {
      EXPECT_TRUE(known.empty()) << spec.name;  // newer than the Redis that the file was taken from
      continue;
    }
    ASSERT_FALSE(known.empty()) << spec.name;
    EXPECT_EQ(spec.arity, known.mapped().arity) << spec.name;
    EXPECT_EQ(spec.keys.first, known.mapped().keys.first) << spec.name;
    EXPECT_EQ(spec.keys.last, known.mapped().keys.last) << spec.name;
    EXPECT_EQ(spec.keys.step, known.mapped().keys.step) << spec.name;
  }
  EXPECT_TRUE(shapes.empty()) << shapes.begin()->first << " is not in the table";
}

TEST(CommandTable, FindsEveryNameInAnyCase) {
  for (const CommandSpec& spec : command_table()) {
    const std::size_t bar = spec.name.find('|');
    std::string upper(spec.name);
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (bar == std::string_view::npos) {
      EXPECT_EQ(find_command(spec.name), &spec);
      EXPECT_EQ(find_command(upper), &spec);
    } else {
      EXPECT_EQ(find_subcommand(spec.name.substr(0, bar), spec.name.substr(bar + 1)), &spec);
      EXPECT_EQ(find_subcommand(upper.substr(0, bar), upper.substr(bar + 1)), &spec);
    }
  }
}

TEST(CommandTable, FindsNothingElse) {
  for (const std::string_view name :
       {"", "g", "ge", "gett", "nope", "client|id", "G E T", "incrbyfloatx", "aVeryLongNameThatNoCommandHas"}) {
    EXPECT_EQ(find_command(name), nullptr) << name;
  }
  EXPECT_EQ(find_command(std::string_view("get\0", 4)), nullptr);
  EXPECT_EQ(find_command(std::string_view("\x07"
                                          "et",
                                          3)),
            nullptr);
  EXPECT_EQ(find_subcommand("client", "nope"), nullptr);
  EXPECT_EQ(find_subcommand("client", ""), nullptr);
  EXPECT_EQ(find_subcommand("get", "id"), nullptr);
  EXPECT_EQ(find_subcommand("nope", "id"), nullptr);
  // Flipping any one bit of a name gives another name, which is found only when the flip changes a letter's case.
  for (const CommandSpec& spec : command_table()) {
    if (spec.name.find('|') != std::string_view::npos) continue;
    for (std::size_t bit = 0; bit < spec.name.size() * 8; ++bit) {
      std::string name(spec.name);
      name[bit / 8] = static_cast<char>(name[bit / 8] ^ (1 << (bit % 8)));
      if (bit % 8 == 5) {
        EXPECT_EQ(find_command(name), &spec) << name;
      } else {
        EXPECT_NE(find_command(name), &spec) << name;
      }
    }
  }
}

TEST(CommandTable, KnowsContainers) {
  for (const std::string_view name : {"client", "command", "config", "object", "slowlog", "latency", "memory", "acl"}) {
    EXPECT_TRUE(has_subcommands(*find_command(name))) << name;
  }
  for (const std::string_view name : {"get", "cluster", "debug"}) {
    EXPECT_FALSE(has_subcommands(*find_command(name))) << name;
  }
  EXPECT_FALSE(has_subcommands(*find_subcommand("client", "id")));
}

TEST(CommandTable, Arity) {
  EXPECT_TRUE(arity_fits(*find_command("get"), 2));
  EXPECT_FALSE(arity_fits(*find_command("get"), 1));
  EXPECT_FALSE(arity_fits(*find_command("get"), 3));
  EXPECT_FALSE(arity_fits(*find_command("set"), 2));
  EXPECT_TRUE(arity_fits(*find_command("set"), 9));
}

TEST(CommandTable, FlagsInRedissOrder) {
  using Names = std::vector<std::string_view>;
  EXPECT_EQ(flag_names(*find_command("incr")), (Names{"write", "denyoom", "fast"}));
  EXPECT_EQ(flag_names(*find_command("auth")),
            (Names{"noscript", "loading", "stale", "fast", "no_auth", "allow_busy"}));
  EXPECT_EQ(flag_names(*find_command("mset")), (Names{"write", "denyoom"}));
  EXPECT_EQ(flag_names(*find_command("client")), Names());
}

TEST(CommandTable, KeyPositions) {
  EXPECT_EQ(keys_of({"get", "a"}), Positions{1});
  EXPECT_EQ(keys_of({"set", "a", "v", "ex", "10"}), Positions{1});
  EXPECT_EQ(keys_of({"mget", "a", "b", "c"}), (Positions{1, 2, 3}));
  EXPECT_EQ(keys_of({"mset", "a", "1", "b", "2"}), (Positions{1, 3}));
  EXPECT_EQ(keys_of({"mset", "a", "1", "b"}), (Positions{1, 3}));  // what COMMAND GETKEYS of Redis says, too
  EXPECT_EQ(keys_of({"rename", "a", "b"}), (Positions{1, 2}));
  EXPECT_EQ(keys_of({"object", "encoding", "a"}), Positions{2});
  EXPECT_EQ(keys_of({"memory", "usage", "a"}), Positions{2});
  EXPECT_EQ(keys_of({"ping"}), Positions());
  EXPECT_EQ(keys_of({"flushall"}), Positions());
}

TEST(CommandTable, KeyPositionsRefuseWhatDoesNotFit) {
  for (const Args& args : {Args{"get"}, Args{"mget"}, Args{"mset", "a"}, Args{"rename", "a"}, Args{"get", "a", "b"}}) {
    const auto positions = key_positions(*find_command(args[0]), args);
    ASSERT_FALSE(positions.has_value()) << args[0];
    EXPECT_EQ(positions.error().code, Errc::kInvalid);
  }
}

}  // namespace
}  // namespace minod
