#include "tools/replay_run.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/socket.h>

#include <thread>

#include "base/fd.h"
#include "net/limits.h"
#include "net/resp/parser.h"
#include "tests/replay/log_directory.h"
#include "tools/dump_run.h"

namespace minod {
namespace {

using replay::Options;
using replay::Tally;
using test::batch_with;
using test::kSomeTime;
using test::LogDirectory;

// One connection: notes each command, answers OK, or an error to commands of the key "refused".
class FakeServer {
 public:
  FakeServer() {
    listener_ = Fd(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_.get(), 1), 0);
    socklen_t size = sizeof address;
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    address_.port = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeServer() { finish(); }

  const resp::Address& address() const { return address_; }

  // What was received, once the client has gone.
  const std::vector<std::string>& finish() {
    if (thread_.joinable()) {
      shutdown(listener_.get(), SHUT_RDWR);
      thread_.join();
    }
    return commands_;
  }

 private:
  void serve() {
    const Fd peer(accept(listener_.get(), nullptr, nullptr));
    if (!peer) return;
    const RespLimits limits;
    resp::RequestParser parser(limits);
    std::string input;
    char chunk[4096];
    for (;;) {
      const auto status = parser.parse(input, true);
      if (status == resp::RequestParser::Status::kCommand) {
        answer(peer.get(), parser.arguments());
        input.erase(0, parser.consumed());
        continue;
      }
      const ssize_t count = recv(peer.get(), chunk, sizeof chunk, 0);
      if (count <= 0) return;
      input.append(chunk, static_cast<std::size_t>(count));
    }
  }
  void answer(int fd, const std::vector<std::string_view>& arguments) {
    std::string command;
    for (const std::string_view argument : arguments) command += (command.empty() ? "" : " ") + std::string(argument);
    const bool refused = arguments.size() > 1 && arguments[1] == "refused";
    const std::string_view reply = refused ? "-OOM no memory\r\n" : "+OK\r\n";
    send(fd, reply.data(), reply.size(), MSG_NOSIGNAL);
    commands_.push_back(std::move(command));
  }

  Fd listener_;
  resp::Address address_;
  std::thread thread_;
  std::vector<std::string> commands_;
};

class Replay : public testing::Test {
 protected:
  Tally run(const Options& given) {
    Options options = given;
    options.directory = directory_.path();
    Tally tally;
    replay::Progress progress(clock_, false);
    complaints_.clear();
    const auto done = replay::run(
        directory_.disk(), clock_, options, progress, [this](const std::string& line) { complaints_.push_back(line); },
        tally);
    error_ = done ? std::nullopt : std::optional(done.error());
    return tally;
  }
  std::vector<std::string> commands(Options options) {
    FakeServer server;
    options.to = server.address();
    options.to->db = target_db_;
    tally_ = run(options);
    EXPECT_FALSE(error_) << error_->message();
    return server.finish();
  }

  LogDirectory directory_;
  SystemClock clock_;
  std::vector<std::string> complaints_;
  std::optional<Error> error_;
  Tally tally_;
  int target_db_ = 0;
};

using Commands = std::vector<std::string>;

constexpr UnixMillis kFarAway{4'000'000'000'000};

TEST_F(Replay, SendsTheChangesInOrder) {
  directory_.put_segment(
      directory_.partition(), 0,
      {batch_with(0, {NewRecord{.key = "a", .value = "1"}, NewRecord{.key = "b", .value = "2", .expires_at = kFarAway},
                      NewRecord{.key = "c", .value = "3", .expires_at = UnixMillis(1)},
                      NewRecord{.key = "a", .has_value = false}})},
      4096);
  directory_.put_segment(directory_.partition(2), 0, {test::batch_of(0, 1, {"x"})});
  EXPECT_EQ(commands({}),
            (Commands{"SELECT 0", "SET a 1", "SET b 2 PXAT 4000000000000", "DEL c", "DEL a", "SELECT 2", "SET k0 x"}));
  EXPECT_EQ(tally_.read, 5u);
  EXPECT_EQ(tally_.applied, 5u);
  EXPECT_EQ(tally_.expired, 1u);
}

TEST_F(Replay, KeepsToTheRangeAndTheKeys) {
  directory_.put_segment(directory_.partition(), 0, {test::batch_of(0, 1, {"0", "1", "2", "3"})}, 4096);
  Options options;
  options.range = {Offset(1), Offset(3)};
  EXPECT_EQ(commands(options), (Commands{"SELECT 0", "SET k1 1", "SET k2 2"}));
  options.keys.match = "*2";
  EXPECT_EQ(commands(options), (Commands{"SELECT 0", "SET k2 2"}));
  EXPECT_EQ(tally_.skipped, 1u);
  options = Options();
  options.until_time = kSomeTime;
  EXPECT_EQ(commands(options), (Commands{"SELECT 0"}));
}

TEST_F(Replay, OneDatabaseGoesWhereItIsSent) {
  directory_.put_segment(directory_.partition(0), 0, {test::batch_of(0, 1, {"x"})});
  directory_.put_segment(directory_.partition(2), 0, {test::batch_of(0, 1, {"y"})});
  Options options;
  options.db = 2;
  target_db_ = 5;
  EXPECT_EQ(commands(options), (Commands{"SELECT 5", "SET k0 y"}));
  options.db = 7;
  run(options);
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, Errc::kInvalid);
}

TEST_F(Replay, AFlushOfOnePartitionDoesNotDeleteWhatAnotherHasSet) {
  directory_.put_segment(directory_.partition(0, 0), 0,
                         {test::batch_of(0, 1, {"old"}), test::log_start_batch(1), test::batch_of(2, 1, {"new"})});
  directory_.put_segment(directory_.partition(0, 1), 0,
                         {batch_with(0, {NewRecord{.key = "other", .value = "old"}}), test::log_start_batch(1),
                          batch_with(2, {NewRecord{.key = "other", .value = "new"}})});
  EXPECT_EQ(commands({}), (Commands{"SELECT 0", "FLUSHDB", "SET k0 new", "SET other new"}));
  EXPECT_EQ(tally_.skipped, 4u);
  Options options;
  options.keys.prefix = "o";
  EXPECT_EQ(commands(options), (Commands{"SELECT 0", "SET other new"}));
  options = Options();
  options.range.until = Offset(1);
  EXPECT_EQ(commands(options), (Commands{"SELECT 0", "SET k0 old", "SET other old"}));
}

TEST_F(Replay, CountsErrorRepliesAndShowsThem) {
  std::vector<NewRecord> records(12, NewRecord{.key = "refused", .value = "v"});
  records.push_back(NewRecord{.key = "fine", .value = "v"});
  directory_.put_segment(directory_.partition(), 0, {batch_with(0, records)});
  EXPECT_EQ(commands({}).size(), 14u);
  EXPECT_EQ(tally_.errors, 12u);
  ASSERT_EQ(complaints_.size(), 11u);
  EXPECT_EQ(complaints_[0], "offset 0: SET \"refused\": OOM no memory");
}

TEST_F(Replay, ManyWindows) {
  std::vector<test::Blob> batches;
  for (int i = 0; i < 30; ++i) batches.push_back(test::batch_of(i * 100, 1, std::vector<std::string>(100, "value")));
  directory_.put_segment(directory_.partition(), 0, batches);
  EXPECT_EQ(commands({}).size(), 3001u);
  Options options;
  options.rate = 20'000;
  EXPECT_EQ(commands(options).size(), 3001u);
}

TEST_F(Replay, ADryRunOnlyCounts) {
  directory_.put_segment(directory_.partition(), 5, {test::batch_of(5, 1, {"a", "b"})}, 4096);
  Options options;
  options.dry_run = true;
  const Tally tally = run(options);
  EXPECT_FALSE(error_);
  EXPECT_EQ(tally.read, 2u);
  ASSERT_EQ(tally.partitions.size(), 1u);
  EXPECT_EQ(tally.partitions[0].first, Offset(5));
  EXPECT_EQ(tally.partitions[0].last, Offset(6));
  EXPECT_EQ(complaints_, (Commands{"db0-0: the log begins at offset 5, what was before is gone"}));
  EXPECT_NE(summary_text(tally, Nanos(1'000'000'000)).find("db0-0: offsets 5..6"), std::string::npos);
}

TEST_F(Replay, AServerThatIsNotThereIsAnError) {
  directory_.put_segment(directory_.partition(), 0, {test::batch_of(0, 1, {"a"})});
  Options options;
  {
    FakeServer gone;
    options.to = gone.address();
  }
  run(options);
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, Errc::kIo);
}

TEST_F(Replay, ANewDirectoryDumpsTheSame) {
  directory_.put_segment(directory_.partition(), 0, {test::batch_of(0, 1, {"a", "b"})});
  directory_.put_segment(directory_.partition(), 2, {test::batch_of(2, 1, {"c", "d"})}, 4096);
  directory_.put_segment(directory_.partition(1), 0, {test::log_start_batch(0)}, 4096);
  Options options;
  options.to_directory = directory_.path() + "/new";
  options.range.until = Offset(3);
  EXPECT_EQ(run(options).applied, 4u);
  ASSERT_FALSE(error_) << error_->message();
  EXPECT_EQ(LogDirectory::read(options.to_directory + "/minod.meta"),
            LogDirectory::read(directory_.path() + "/minod.meta"));

  const auto dumped = [&](const std::string& path, dump::Mode mode, Offset until) {
    dump::Options dumping;
    dumping.mode = mode;
    dumping.quiet = true;
    dumping.paths = {path};
    dumping.range.until = until;
    std::string text;
    const auto code = dump::run(directory_.disk(), dumping, [&](const std::string& line) {
      if (!line.starts_with("batch ")) text += line;
      return true;
    });
    EXPECT_EQ(*code, dump::kExitClean) << text;
    return text;
  };
  const Offset all = LogRange().until;
  EXPECT_EQ(dumped(options.to_directory, dump::Mode::kRecords, all),
            dumped(directory_.path(), dump::Mode::kRecords, Offset(3)));
  EXPECT_EQ(dumped(options.to_directory, dump::Mode::kVerify, all), "");
}

TEST_F(Replay, ATargetThatIsNotEmptyIsRefused) {
  directory_.put_segment(directory_.partition(), 0, {test::batch_of(0, 1, {"a"})}, 4096);
  LogDirectory target;
  target.put_segment(target.partition(), 7, {test::batch_of(7, 1, {"z"})});
  Options options;
  options.to_directory = target.path();
  run(options);
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, Errc::kBusy);
  options.force = true;
  EXPECT_EQ(run(options).applied, 1u);
  EXPECT_FALSE(error_);
  EXPECT_EQ(list_segments(target.disk(), target.partition())->size(), 1u);
}

TEST_F(Replay, ATargetInUseIsRefusedAndSoIsTheSource) {
  directory_.put_segment(directory_.partition(), 0, {test::batch_of(0, 1, {"a"})}, 4096);
  LogDirectory target;
  Options options;
  options.force = true;
  options.to_directory = target.path();
  target.write(target.path() + "/minod.lock", "1\n");
  const Fd lock(open((target.path() + "/minod.lock").c_str(), O_RDWR));
  ASSERT_EQ(flock(lock.get(), LOCK_EX), 0);
  run(options);
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, Errc::kBusy);
  options.to_directory = directory_.path() + "/.";
  run(options);
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, Errc::kBusy);
  EXPECT_EQ(list_segments(directory_.disk(), directory_.partition())->size(), 1u);
}

TEST_F(Replay, MinodDoesNotStartOnAnUnfinishedCopy) {
  const auto first = test::batch_of(0, 1, {"a"});
  directory_.put_segment(directory_.partition(), 0, {first}, 4096);
  Options options;
  options.to_directory = directory_.path() + "/new";
  options.force = true;
  std::filesystem::create_directories(options.to_directory);
  directory_.write(options.to_directory + "/db0-0", "in the way");
  run(options);
  ASSERT_TRUE(error_);
  Random random(1);
  const auto opened = DataDirectory::open(options.to_directory, 1, random);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::kUnsupported);
}

}  // namespace
}  // namespace minod
