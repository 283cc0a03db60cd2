#include "net/config.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

namespace minod {
namespace {

// What setting it says, or "" when it is accepted.
std::string why_refused(std::string_view name, std::string_view value) {
  Config config;
  const auto set = set_option(config, name, value);
  return set ? "" : set.error().message();
}

// For each option: texts it takes, each as CONFIG GET answers it.
const std::map<std::string_view, std::vector<std::string>> kGoodValues{
    {"acks", {"leader", "all"}},
    {"announce-peer", {"", "10.0.0.1:8001", "[fd00::1]:8001", "a.example:1"}},
    {"min-replicas-to-write", {"0", "1", "31"}},
    {"peer-bind", {"127.0.0.1", "0.0.0.0", "::1"}},
    {"peer-port", {"0", "8001", "65535"}},
    {"peer-tls-ca-cert-file", {"", "/etc/minod/ca.pem"}},
    {"peer-tls-cert-file", {"", "/etc/minod/node.pem"}},
    {"peer-tls-check-name", {"yes", "no"}},
    {"peer-tls-key-file", {"", "/etc/minod/node.key"}},
    {"replica-copy-rate", {"1048576", "268435456"}},
    {"replica-lag-time-max-ms", {"100", "10000"}},
    {"replicaof", {"", "127.0.0.1:8001", "leader.example:8001"}},
    {"replicas", {"1", "2", "31"}},
    {"appendfsync", {"always", "everysec", "no"}},
    {"bind", {"127.0.0.1", "0.0.0.0 ::", "10.1.2.3 fe80::1"}},
    {"checkpoint-bytes", {"0", "268435456", "1099511627776"}},
    {"compaction", {"yes", "no"}},
    {"compaction-bytes-per-sec", {"0", "33554432", "1099511627776"}},
    {"compaction-live-percent", {"1", "50", "100"}},
    {"compression-type", {"none", "zstd"}},
    {"cpu-affinity", {"", "0", "0-3,8", "5,4"}},
    {"delete-retention-ms", {"0", "86400000", "9223372036854775807"}},
    {"max-compaction-lag-ms", {"1", "60000", "9223372036854775807"}},
    {"min-compaction-lag-ms", {"0", "60000", "9223372036854775807"}},
    {"dir", {"/var/lib/minod", "."}},
    {"enable-debug-command", {"yes", "no"}},
    {"force-truncate", {"yes", "no"}},
    {"disk-poll-us", {"0", "1000000"}},
    {"log-format", {"text", "json"}},
    {"loglevel", {"debug", "verbose", "notice", "warning"}},
    {"maxclients", {"1", "1000000"}},
    {"maxdisk", {"0", "18446744073709551615"}},
    {"maxdisk-policy", {"noeviction", "allkeys-segment"}},
    {"maxmemory", {"0", "18446744073709551615"}},
    {"partitions", {"1", "2", "1024"}},
    {"port", {"0", "65535"}},
    {"protected-mode", {"yes", "no"}},
    {"proto-max-bulk-len", {"1048576", "536870912"}},
    {"ready-segments", {"1", "2"}},
    {"recycle-segments", {"0", "4", "64"}},
    {"requirepass", {"", "a b\"c"}},
    {"segment-bytes", {"1048576", "1073741824"}},
    {"shards", {"1", "1024"}},
    {"slowlog-log-slower-than", {"-1", "0", "2147483647"}},
    {"slowlog-max-len", {"0", "100000"}},
    {"tcp-keepalive", {"0", "32767"}},
    {"timeout", {"0", "2147483647"}},
    {"unixsocket", {"", "/run/minod.sock"}},
    {"unixsocketperm", {"0", "777"}},
    {"value-size-hint", {"", "0:120", "0:120,3:4096"}},
    {"write-mode", {"auto", "dsync", "fdsync", "buffered"}},
};

const std::map<std::string_view, std::vector<std::string>> kBadValues{
    {"acks", {"", "some"}},
    {"announce-peer", {"10.0.0.1", "a b c", "host:0", "host:70000"}},
    {"min-replicas-to-write", {"", "-1", "32"}},
    {"peer-bind", {"", std::string(65, 'x')}},
    {"peer-port", {"", "-1", "65536"}},
    {"peer-tls-ca-cert-file", {std::string(5000, 'x')}},
    {"peer-tls-cert-file", {std::string("a\0b", 3)}},
    {"peer-tls-check-name", {"", "maybe"}},
    {"peer-tls-key-file", {std::string(5000, 'x')}},
    {"replica-copy-rate", {"", "0", "1000"}},
    {"replica-lag-time-max-ms", {"", "99", "soon"}},
    {"replicaof", {"127.0.0.1", "127.0.0.1:", "::1:8001", "host:port"}},
    {"replicas", {"", "0", "32"}},
    {"appendfsync", {"", "sometimes", "yes"}},
    {"bind", {"", " ", "example.org", "127.0.0.1 nowhere", "-::1", "256.0.0.1"}},
    {"checkpoint-bytes", {"", "-1", "2tb"}},
    {"compaction", {"", "maybe"}},
    {"compaction-bytes-per-sec", {"", "-1", "2tb"}},
    {"compaction-live-percent", {"", "0", "101", "half"}},
    {"compression-type", {"", "gzip"}},
    {"cpu-affinity", {"all", "-1", "3-", "1024", "0,,1", "2-1"}},
    {"delete-retention-ms", {"", "-1", "a day"}},
    {"max-compaction-lag-ms", {"", "-1", "never"}},
    {"min-compaction-lag-ms", {"", "-1", "9223372036854775808"}},
    {"dir", {"", std::string(5000, 'x'), std::string("a\0b", 3)}},
    {"enable-debug-command", {"", "local"}},
    {"force-truncate", {"1", "true"}},
    {"disk-poll-us", {"-1", "1000001", "1us"}},
    {"log-format", {"logfmt"}},
    {"loglevel", {"", "nothing"}},
    {"maxclients", {"0", "1000001", "many"}},
    {"maxdisk", {"", "-1", "half"}},
    {"maxdisk-policy", {"", "allkeys-lru"}},
    {"maxmemory", {"", "-1", "50%", "99999999999999999999"}},
    {"partitions", {"0", "3", "2048", "-2", ""}},
    {"port", {"-1", "65536", "6379 ", "0x10", ""}},
    {"protected-mode", {"on"}},
    {"proto-max-bulk-len", {"1048575", "513mb"}},
    {"ready-segments", {"0", "3", ""}},
    {"recycle-segments", {"-1", "65", "x"}},
    {"requirepass", {std::string(513, 'x')}},
    {"segment-bytes", {"1mib", "1048575", "2gb"}},
    {"shards", {"0", "1025"}},
    {"slowlog-log-slower-than", {"-2", "2147483648", "10ms"}},
    {"slowlog-max-len", {"-1", "100001"}},
    {"tcp-keepalive", {"-1", "32768"}},
    {"timeout", {"-1", "2147483648"}},
    {"unixsocket", {std::string(108, 'x')}},
    {"unixsocketperm", {"", "8", "1000", "-1", "rwx"}},
    {"value-size-hint", {"120", "0:", "16:120", "0:120,0:130", "0:0", "0:x", "-1:5", ":5", "0:1,"}},
    {"write-mode", {"", "fast", "none"}},
};

TEST(Config, EveryOptionTakesWhatItAnswers) {
  for (const Option& option : options()) {
    ASSERT_TRUE(kGoodValues.contains(option.name)) << option.name;
    Config config;
    ASSERT_TRUE(option.set(config, option.get(config)).has_value()) << option.name << ": its default";
    for (const std::string& value : kGoodValues.at(option.name)) {
      const auto set = option.set(config, value);
      ASSERT_TRUE(set.has_value()) << set.error().message();
      EXPECT_EQ(option.get(config), value);
    }
  }
}

TEST(Config, EveryBadValueIsRefusedByName) {
  for (const Option& option : options()) {
    ASSERT_TRUE(kBadValues.contains(option.name)) << option.name;
    for (const std::string& value : kBadValues.at(option.name)) {
      Config config;
      const std::string before = option.get(config);
      const auto set = option.set(config, value);
      ASSERT_FALSE(set.has_value()) << option.name << " '" << value << "'";
      EXPECT_EQ(set.error().code, Errc::kInvalid);
      EXPECT_TRUE(set.error().message().starts_with(option.name)) << set.error().message();
      EXPECT_EQ(option.get(config), before);
    }
  }
}

TEST(Config, EachFieldHasItsOption) {
  Config config;
  ASSERT_TRUE(set_option(config, "port", "7000").has_value());
  ASSERT_TRUE(set_option(config, "unixsocketperm", "660").has_value());
  ASSERT_TRUE(set_option(config, "appendfsync", "everysec").has_value());
  ASSERT_TRUE(set_option(config, "maxmemory", "1gb").has_value());
  ASSERT_TRUE(set_option(config, "compression-type", "zstd").has_value());
  EXPECT_EQ(config.port, 7000);
  EXPECT_EQ(config.unixsocketperm, 0660u);
  EXPECT_EQ(config.appendfsync, SyncPolicy::kEverySec);
  EXPECT_EQ(config.maxmemory, std::uint64_t{1} << 30);
  EXPECT_TRUE(config.compress);
}

TEST(Config, WhatReplicationIsToldFits) {
  const auto refused = [](const std::vector<std::pair<std::string, std::string>>& options) {
    Config config;
    for (const auto& [name, value] : options) EXPECT_TRUE(set_option(config, name, value)) << name;
    return !check_config(config);
  };
  EXPECT_FALSE(refused({{"replicaof", "127.0.0.1 8001"}, {"replicas", "2"}, {"min-replicas-to-write", "2"}}));
  EXPECT_TRUE(refused({{"min-replicas-to-write", "2"}}));
  EXPECT_TRUE(refused({{"peer-tls-cert-file", "a.pem"}}));
  EXPECT_TRUE(refused({{"announce-peer", "10.0.0.1:8001"}}));
  EXPECT_TRUE(refused({{"peer-port", "8001"}, {"maxdisk", "1gb"}, {"maxdisk-policy", "allkeys-segment"}}));
  Config config;
  EXPECT_FALSE(config.replicates());
  ASSERT_TRUE(set_option(config, "replicaof", "no one"));
  EXPECT_FALSE(config.replicates());
}

TEST(Config, MaxdiskIsEnoughForEachShard) {
  Config config;
  config.shards = 4;
  ASSERT_TRUE(set_option(config, "maxdisk", "63mb").has_value());
  const auto checked = check_config(config);
  ASSERT_FALSE(checked.has_value());
  EXPECT_TRUE(checked.error().message().starts_with("maxdisk must be 0 or at least 67108864"))
      << checked.error().message();
  ASSERT_TRUE(set_option(config, "maxdisk", "64mb").has_value());
  ASSERT_TRUE(set_option(config, "maxdisk-policy", "allkeys-segment").has_value());
  EXPECT_TRUE(check_config(config).has_value());
  EXPECT_EQ(disk_budget(config).bytes, std::uint64_t{16} << 20);
  EXPECT_EQ(disk_budget(config).policy, DiskPolicy::kAllKeysSegment);
}

TEST(Config, SegmentsAreASmallPartOfMaxdisk) {
  Config config;
  EXPECT_EQ(segment_bytes(config, 1), kSegmentBytesDefault) << "without maxdisk, as segment-bytes says";
  config.maxdisk = std::uint64_t{16} << 20;
  EXPECT_EQ(segment_bytes(config, 1), kSegmentBytesMin);
  config.maxdisk = std::uint64_t{1} << 30;
  EXPECT_EQ(segment_bytes(config, 1), std::int64_t{1} << 24);
  EXPECT_EQ(segment_bytes(config, 16), std::int64_t{1} << 22) << "sixteen logs each have several";
  config.shards = 16;
  EXPECT_EQ(segment_bytes(config, 16), kSegmentBytesMin);
  config.shards = 1;
  config.maxdisk = std::uint64_t{1} << 50;
  EXPECT_EQ(segment_bytes(config, 1), kSegmentBytesDefault);
}

TEST(Config, ErrorsSayWhatIsAccepted) {
  EXPECT_EQ(why_refused("appendfsync", "x"), "appendfsync must be always, everysec or no, not 'x'");
  EXPECT_EQ(why_refused("protected-mode", "x"), "protected-mode must be yes or no, not 'x'");
  EXPECT_EQ(why_refused("port", "x"), "port must be from 0 to 65535, not 'x'");
  EXPECT_EQ(why_refused("segment-bytes", "2gb"), "segment-bytes must be from 1mb to 1gb, not '2gb'");
  EXPECT_EQ(why_refused("maxmemory", "x"), "maxmemory: 'x' is not a size; write 1048576, 1024kb, 1mb or 2gb");
  EXPECT_EQ(why_refused("partitions", "3"), "partitions must be a power of two from 1 to 1024, not '3'");
  EXPECT_EQ(why_refused("bind", "::1 home"), "bind must be IP addresses, such as 127.0.0.1 ::1, not 'home'");
  EXPECT_EQ(why_refused("nosuch", "1"), "unknown option 'nosuch'");
}

TEST(Config, BindTakesRedisWildcards) {
  Config config;
  ASSERT_TRUE(set_option(config, "bind", " *   ::* localhost 127.0.0.1 ").has_value());
  EXPECT_EQ(config.bind, (std::vector<std::string>{"0.0.0.0", "::", "127.0.0.1"}));
}

TEST(Config, NamesAndWordsInAnyCase) {
  ASSERT_NE(find_option("AppendFsync"), nullptr);
  EXPECT_EQ(find_option("AppendFsync")->name, "appendfsync");
  EXPECT_EQ(find_option("appendfsyn"), nullptr);
  EXPECT_EQ(why_refused("APPENDFSYNC", "EverySec"), "");
  EXPECT_EQ(why_refused("Protected-Mode", "NO"), "");
}

TEST(Config, FixedOptionsTakeOnlyTheirValue) {
  std::set<std::string_view> names;
  for (const FixedOption& fixed : fixed_options()) {
    EXPECT_TRUE(names.insert(fixed.name).second) << fixed.name;
    EXPECT_EQ(find_option(fixed.name), nullptr) << fixed.name;
    EXPECT_EQ(why_refused(fixed.name, fixed.value), "");
  }
  EXPECT_EQ(why_refused("appendonly", "no"), "appendonly must be 'yes', which can't be changed, not 'no'");
  EXPECT_TRUE(names.contains("save") && names.contains("databases") && names.contains("slave-read-only"));
}

TEST(Config, RelationsAreChecked) {
  Config config;
  EXPECT_TRUE(check_config(config).has_value());
  config.port = 0;
  EXPECT_EQ(check_config(config).error().message(), "port 0 needs a unixsocket: there is nothing to listen on");
  config.unixsocket = "/run/minod.sock";
  EXPECT_TRUE(check_config(config).has_value());
  // Outsiders are refused one by one, by the listener.
  config.bind = {"0.0.0.0"};
  EXPECT_TRUE(check_config(config).has_value());
}

TEST(Config, WhatCodeHasFilledInIsChecked) {
  Config config;
  config.partitions = 3;
  EXPECT_TRUE(check_config(config).error().message().starts_with("partitions must be a power of two"));
  config.partitions = 4;
  config.shards = 1025;
  EXPECT_EQ(check_config(config).error().message(), "shards must be from 1 to 1024, not '1025'");
}

class ConfigFile : public testing::Test {
 protected:
  ConfigFile() {
    std::string name = (std::filesystem::temp_directory_path() / "minod-config-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~ConfigFile() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& name, const std::string& text) {
    std::string path = (directory_ / name).string();
    std::ofstream(path) << text;
    return path;
  }

  // What loading the file says, without the directory; "" when it is accepted.
  std::string load(const std::string& path) {
    const auto loaded = load_config_file(path, config);
    if (loaded) return "";
    std::string said = loaded.error().message();
    const std::string prefix = directory_.string() + "/";
    for (auto at = said.find(prefix); at != std::string::npos; at = said.find(prefix)) said.erase(at, prefix.size());
    return said;
  }

  std::filesystem::path directory_;
  Config config;
};

TEST_F(ConfigFile, LinesCommentsAndQuotes) {
  EXPECT_EQ(load(write("a.conf",
                       "# it's a comment with \"one quote\n"
                       "\n"
                       "  port 7000\r\n"
                       "\tAPPENDFSYNC everysec   \n"
                       "bind 127.0.0.1 ::1\n"
                       "requirepass \"a b\\x21\\n\"\n"
                       "dir '/var/lib/it\\'s'\n"
                       "save \"\"\n"
                       "maxclients 5")),
            "");
  EXPECT_EQ(config.port, 7000);
  EXPECT_EQ(config.appendfsync, SyncPolicy::kEverySec);
  EXPECT_EQ(config.bind, (std::vector<std::string>{"127.0.0.1", "::1"}));
  EXPECT_EQ(config.requirepass, "a b!\n");
  EXPECT_EQ(config.dir, "/var/lib/it's");
  EXPECT_EQ(config.maxclients, 5u);
}

TEST_F(ConfigFile, TheLastLineWins) {
  EXPECT_EQ(load(write("a.conf", "port 1\nport 2\n")), "");
  EXPECT_EQ(config.port, 2);
}

TEST_F(ConfigFile, ErrorsNameFileAndLine) {
  EXPECT_EQ(load(write("a.conf", "port 1\n\nport x\n")), "a.conf:3: port must be from 0 to 65535, not 'x'");
  EXPECT_EQ(load(write("a.conf", "nosuch 1")), "a.conf:1: unknown option 'nosuch'");
  EXPECT_EQ(load(write("a.conf", "dir \"open\n")), "a.conf:1: unbalanced quotes");
  EXPECT_EQ(load(write("a.conf", "dir \"a\"b\n")), "a.conf:1: unbalanced quotes");
  EXPECT_EQ(load(write("a.conf", "port\n")), "a.conf:1: port needs a value");
  EXPECT_EQ(load(write("a.conf", "dir a b\n")), "a.conf:1: dir takes one value; quote it if it holds spaces");
  EXPECT_EQ(load(write("a.conf", "save 900 1 300 10\n")),
            "a.conf:1: save must be '', which can't be changed, not '900 1 300 10'");
}

TEST_F(ConfigFile, Include) {
  const std::string inner = write("inner.conf", "port 7001\n");
  EXPECT_EQ(load(write("outer.conf", "port 7000\ninclude " + inner + "\nmaxclients 7\n")), "");
  EXPECT_EQ(config.port, 7001);
  EXPECT_EQ(config.maxclients, 7u);
}

TEST_F(ConfigFile, ErrorsOfIncludedFilesTellTheWay) {
  const std::string inner = write("inner.conf", "\nport x\n");
  EXPECT_EQ(load(write("outer.conf", "include " + inner)),
            "outer.conf:1: inner.conf:2: port must be from 0 to 65535, not 'x'");
  EXPECT_EQ(load(write("outer.conf", "include a b\n")), "outer.conf:1: include takes one path");
}

TEST_F(ConfigFile, IncludeEndsInTime) {
  const std::string path = (directory_ / "loop.conf").string();
  const std::string said = load(write("loop.conf", "include " + path + "\n"));
  EXPECT_TRUE(said.ends_with("more than 16 files include each other")) << said;

  std::string chain = write("leaf.conf", "port 7002\n");
  for (int i = 0; i < 16; ++i) chain = write(std::to_string(i) + ".conf", "include " + chain + "\n");
  EXPECT_EQ(load(chain), "");
  EXPECT_EQ(config.port, 7002);
}

TEST_F(ConfigFile, WhatCannotBeRead) {
  EXPECT_EQ(load((directory_ / "absent.conf").string()), "open absent.conf: No such file or directory");
  EXPECT_NE(load(directory_.string()), "");
  EXPECT_NE(load(write("big.conf", std::string((1 << 20) + 1, '#'))), "");
}

}  // namespace
}  // namespace minod
