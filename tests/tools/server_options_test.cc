#include "tools/server_options.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace minod {
namespace {

class ServerOptions : public testing::Test {
 protected:
  std::optional<int> read(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "minod");
    out_.str("");
    err_.str("");
    config = Config{};
    return read_server_options(static_cast<int>(arguments.size()), arguments.data(), config, out_, err_);
  }

  // What is said about a command line that is refused.
  std::string why_refused(std::vector<const char*> arguments) {
    EXPECT_EQ(read(std::move(arguments)), 2);
    EXPECT_EQ(out(), "");
    const std::string said = err();
    EXPECT_EQ(std::ranges::count(said, '\n'), 1) << said;
    const std::string tail = "; minod --help lists the options\n";
    EXPECT_TRUE(said.starts_with("minod: ") && said.ends_with(tail)) << said;
    return said.substr(7, said.size() - 7 - tail.size());
  }

  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }

  Config config;

 private:
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(ServerOptions, NothingAskedIsTheDefault) {
  EXPECT_EQ(read({}), std::nullopt);
  EXPECT_EQ(config.port, 6379);
  EXPECT_EQ(out() + err(), "");
}

TEST_F(ServerOptions, EveryOptionIsAFlag) {
  for (const Option& option : options()) {
    const std::string flag = "--" + std::string(option.name);
    const std::string value = option.get(Config{});
    EXPECT_EQ(read({flag.c_str(), value.c_str()}), std::nullopt) << flag << ' ' << value << ": " << err();
    EXPECT_EQ(option.get(config), value);
  }
}

TEST_F(ServerOptions, Values) {
  ASSERT_EQ(read({"--port", "7000", "--maxmemory=2gb", "--appendfsync", "everysec", "--requirepass=-x y"}),
            std::nullopt);
  EXPECT_EQ(config.port, 7000);
  EXPECT_EQ(config.maxmemory, std::uint64_t{2} << 30);
  EXPECT_EQ(config.appendfsync, SyncPolicy::kEverySec);
  EXPECT_EQ(config.requirepass, "-x y");
}

TEST_F(ServerOptions, TheLastOfTheSameCounts) {
  ASSERT_EQ(read({"--port", "1", "--port", "2"}), std::nullopt);
  EXPECT_EQ(config.port, 2);
}

TEST_F(ServerOptions, Booleans) {
  ASSERT_EQ(read({"--enable-debug-command", "--protected-mode", "no", "--force-truncate=yes"}), std::nullopt) << err();
  EXPECT_TRUE(config.enable_debug_command);
  EXPECT_FALSE(config.protected_mode);
  EXPECT_TRUE(config.force_truncate);
  EXPECT_EQ(why_refused({"--protected-mode", "perhaps"}), "--protected-mode must be yes or no, not 'perhaps'");
}

TEST_F(ServerOptions, SeveralAddresses) {
  for (const auto& arguments : {std::vector<const char*>{"--bind", "127.0.0.1", "::1", "--port", "7"},
                                {"--bind", "127.0.0.1 ::1"},
                                {"--bind", "127.0.0.1", "--bind", "::1"}}) {
    ASSERT_EQ(read(arguments), std::nullopt) << err();
    EXPECT_EQ(config.bind, (std::vector<std::string>{"127.0.0.1", "::1"}));
  }
}

TEST_F(ServerOptions, WhatRedisServerTakes) {
  EXPECT_EQ(read({"--appendonly", "yes", "--save", "", "--port", "7000"}), std::nullopt) << err();
  EXPECT_EQ(config.port, 7000);
  EXPECT_EQ(why_refused({"--save", "60", "1"}), "--save must be '', which can't be changed, not '60 1'");
}

TEST_F(ServerOptions, RefusalsAreOneLine) {
  EXPECT_EQ(why_refused({"--prot", "1"}), "unknown option '--prot'");
  EXPECT_EQ(why_refused({"-p", "1"}), "unknown option '-p'");
  EXPECT_EQ(why_refused({"--port", "x"}), "--port must be from 0 to 65535, not 'x'");
  EXPECT_EQ(why_refused({"--port", "0"}), "port 0 needs a unixsocket: there is nothing to listen on");
  EXPECT_EQ(why_refused({"--port"}), "--port: 1 required N missing");
  EXPECT_EQ(why_refused({"/nowhere/minod.conf"}), "open /nowhere/minod.conf: No such file or directory");
  EXPECT_EQ(why_refused({"a.conf", "b.conf"}), "unexpected argument 'b.conf'");
}

TEST_F(ServerOptions, ConfigFileComesFirst) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("minod-options-" + std::to_string(::getpid()) + ".conf")).string();
  std::ofstream(path) << "port 7000\nmaxclients 5\n";
  for (const auto& arguments : {std::vector<const char*>{path.c_str(), "--port", "7001"},
                                {"--port", "7001", "--config", path.c_str()},
                                {"--port", "7001", path.c_str()}}) {
    ASSERT_EQ(read(arguments), std::nullopt) << err();
    EXPECT_EQ(config.port, 7001);
    EXPECT_EQ(config.maxclients, 5u);
  }
  EXPECT_EQ(why_refused({path.c_str(), "--config", path.c_str()}),
            "only one config file can be named; it can include others");
  std::ofstream(path) << "port x\n";
  EXPECT_EQ(why_refused({path.c_str()}), path + ":1: port must be from 0 to 65535, not 'x'");
  std::filesystem::remove(path);
}

TEST_F(ServerOptions, HelpListsEveryOptionInItsGroup) {
  EXPECT_EQ(read({"--help"}), 0);
  EXPECT_EQ(err(), "");
  for (const Option& option : options()) EXPECT_NE(out().find("--" + std::string(option.name)), std::string::npos);
  for (const char* text : {"Network:", "Clients:", "Data:", "Process:", "Examples:", "[6379]", "--config FILE"}) {
    EXPECT_NE(out().find(text), std::string::npos) << text;
  }
  EXPECT_EQ(out().find("--appendonly"), std::string::npos);
}

TEST_F(ServerOptions, Version) {
  EXPECT_EQ(read({"--version"}), 0);
  EXPECT_EQ(out(), "minod " MINOD_VERSION "\n");
}

}  // namespace
}  // namespace minod
