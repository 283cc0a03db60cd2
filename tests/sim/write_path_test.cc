// The traps of an append log, each by its number in docs/TESTING.md, on the simulated disk: what may never be
// acknowledged, accepted or lost when writes tear, old bytes lie where new ones are expected, and power fails anywhere.
#include <gtest/gtest.h>

#include <cerrno>
#include <map>

#include "base/crc32c.h"
#include "base/endian.h"
#include "log/reader.h"
#include "log/segment_name.h"
#include "tests/log/batches.h"
#include "tests/store/store_fixture.h"

namespace minod {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
constexpr const char* kDirectory = "data/db0-0";

class WritePath : public StoreFixture {
 protected:
  void begin(SimDiskOptions disk = {}) {
    options_ = StoreOptions();
    options_.segment_bytes = kMiB;
    use_disk(disk);
  }
  static std::string key(int i) { return "key" + std::to_string(i); }
  static std::string value(int i) { return "value " + std::to_string(i); }
  static std::string bulk(const std::string& text) {
    return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
  }
  // Each SET is a group of its own: its reply is waited for.
  void set_keys(int from, int to) {
    for (int i = from; i < to; ++i) ASSERT_EQ(run({"SET", key(i), value(i)}), "+OK\r\n");
  }
  void expect_keys(int from, int to) {
    for (int i = from; i < to; ++i) ASSERT_EQ(run({"GET", key(i)}), bulk(value(i))) << key(i);
  }
  Log& log() { return store_->partition(0, 0)->log(); }
  std::int64_t end() { return log().segments().rbegin()->second.end.value(); }
  std::string active_path() {
    return std::string(kDirectory) + "/" + segment_name(log().segments().rbegin()->first, kLogSuffix);
  }
  void kill() {
    settle();
    disk_->kill();
    store_->abandon();
    store_.reset();
  }
  void put(const std::string& path, std::int64_t position, Bytes bytes) {
    auto file = disk_->open(path, OpenMode::kReadWrite);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write_now(FilePosition(position), bytes));
    ASSERT_TRUE((*file)->sync_now());
  }
  std::vector<std::byte> get(const std::string& path, std::int64_t from, std::int64_t to) {
    auto file = disk_->open(path, OpenMode::kRead);
    std::vector<std::byte> bytes(static_cast<std::size_t>(to - from));
    EXPECT_TRUE(file && (*file)->read_now(FilePosition(from), bytes));
    return bytes;
  }
  void flip(const std::string& path, std::int64_t position) {
    std::vector<std::byte> byte = get(path, position, position + 1);
    byte[0] ^= std::byte{0x10};
    put(path, position, byte);
  }
  // Every file but the last is nothing but whole batches, without a gap in their offsets, to its last byte.
  void expect_exact_sealed_segments() {
    settle();
    Offset expected = log().segments().begin()->first;
    for (const auto& [base, segment] : log().segments()) {
      const auto size = segment.file->size_now();
      ASSERT_TRUE(size);
      SegmentReader reader(*segment.file, FilePosition(0), base, Epoch{0}, true);
      ASSERT_EQ(base, expected);
      while (reader.next()) {
      }
      expected = reader.expected();
      EXPECT_TRUE(!segment.sealed || reader.position().value() == *size) << "segment " << base.value();
    }
  }
};

// Appends and flushes in any order, a million of them; the disk ends the process when a buffer under it changes, or
// when two writes in flight touch one block.
TEST_F(WritePath, Trap1_ABufferUnderTheDeviceNeverChanges) {
  begin({.seed = 3, .delay_max = 6});
  set_keys(0, 1);
  Random chance(7);
  const std::string text(300, 't');
  constexpr int kAppends = 1'000'000;
  for (int i = 0; i < kAppends; ++i) {
    const std::size_t size = chance.one_in(500) ? 300 : chance.below(24);
    while (log().make_room(Log::record_bytes(size + 2), false) != Log::Room::kYes) turn();
    log().append(NewRecord{.key = "k1", .value = std::string_view(text).substr(0, size)}, clock_.now());
    if (chance.one_in(20)) log().dispatch();
    if (chance.one_in(30)) disk_->poll();
    if (i % 100'000 == 0) log().drop_tail();
  }
  ASSERT_TRUE(settle(1'000'000));
  EXPECT_EQ(log().marks().durable(), Offset(kAppends + 1));
  EXPECT_TRUE(failures_.empty());
}

// However late and in whatever order writes complete, what was released is a prefix, and a power loss leaves all of it.
TEST_F(WritePath, Trap2_WhatWasReleasedIsAPrefixThatSurvives) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    begin({.seed = seed, .delay_max = 8, .tear_sectors = true});
    set_keys(0, 1);
    Random chance(seed);
    Offset released;
    disk_->crash_at_operation(disk_->operations() + 1 + chance.below(40));
    const std::string text(20'000, 't');
    for (int i = 0; i < 5000 && !disk_->crashed(); ++i) {
      const std::size_t size = chance.below(text.size());
      if (log().make_room(Log::record_bytes(size + 2), false) == Log::Room::kYes) {
        log().append(NewRecord{.key = "k1", .value = std::string_view(text).substr(0, size)}, clock_.now());
      }
      if (chance.one_in(3)) log().dispatch();
      if (chance.one_in(2)) disk_->poll();
      ASSERT_LE(log().released(), log().marks().durable());
      released = std::max(released, log().released());
    }
    ASSERT_TRUE(disk_->crashed());
    lose_power();
    EXPECT_GE(log().marks().appended(), released) << "seed " << seed;
  }
}

// A recycled file, or a tail that was cut, may hold whole batches of this log behind its end. Lower offsets, or an
// older epoch: the log ends before them, and goes on over them.
TEST_F(WritePath, Trap3_OldBatchesBehindTheEndAreNotAccepted) {
  for (const bool on_block : {false, true}) {
    begin();
    set_keys(0, 10);
    stop();
    start();  // epoch 2
    set_keys(10, 20);
    if (on_block) {
      const std::int64_t before = end();
      ASSERT_EQ(run({"SET", "pad", std::string(300, 'p')}), "+OK\r\n");
      const std::int64_t beside = end() - before - 300;
      const std::int64_t rest = 4096 - end() % 4096;
      ASSERT_EQ(run({"SET", "pad", std::string(static_cast<std::size_t>(rest - beside), 'p')}), "+OK\r\n");
      ASSERT_EQ(end() % 4096, 0);
    }
    const std::int64_t at = end();
    const Offset next = log().marks().appended();
    const std::string path = active_path();
    const auto old = get(path, 0, at);  // lower offsets: all that is in the log
    kill();
    const auto older_epoch = test::batch_of(next.value(), 1, {"stale", "stale"});
    auto stale = older_epoch;
    stale.insert(stale.end(), old.begin(), old.end());
    for (const auto& bytes : {old, older_epoch, stale}) {
      put(path, at, bytes);
      put(path, at + 8192, bytes);
      start();
      EXPECT_EQ(log().marks().appended(), next);
      EXPECT_EQ(end(), at);
      expect_keys(0, 20);
      EXPECT_EQ(run({"GET", "k0"}), "$-1\r\n");
      kill();
    }
    start();
    set_keys(20, 40);
    lose_power();
    expect_keys(0, 40);
  }
}

// G1 torn, G2 behind it whole; the cut is at G1. A new group of exactly G1's size must not make G2 fit again.
TEST_F(WritePath, Trap3_ACutTailNeverComesBack) {
  begin();
  set_keys(10, 20);
  const std::int64_t before = end();
  set_keys(20, 21);
  const std::int64_t size = end() - before;  // of a group of one such key
  const std::int64_t at = end();
  const Offset next = log().marks().appended();
  const std::string path = active_path();
  kill();
  std::vector<std::byte> torn(static_cast<std::size_t>(size), std::byte{0x33});
  put(path, at, torn);
  put(path, at + size, test::batch_of(next.value() + 1, 1, {"never acknowledged"}));
  start();
  ASSERT_EQ(report_.cuts.size(), 1u);
  EXPECT_EQ(log().marks().appended(), next);
  set_keys(21, 22);
  ASSERT_EQ(end(), at + size) << "the new group ends where the old one did";
  for (const auto survival : {Survival::kNothing, Survival::kSome}) {
    lose_power(survival);
    EXPECT_EQ(log().marks().appended(), next + OffsetCount(1));
    EXPECT_EQ(run({"GET", "k0"}), "$-1\r\n");
    expect_keys(10, 22);
  }
}

// A byte of the last group, unacknowledged as far as the disk can tell: cut, wherever it is, and nothing else is lost.
TEST_F(WritePath, Trap4_AnyDamageToTheLastGroupIsATornWrite) {
  begin();
  set_keys(0, 12);
  const std::int64_t from = end();
  set_keys(12, 13);
  const std::int64_t to = end();
  const std::string path = active_path();
  const auto whole = get(path, from, to);
  kill();
  for (std::int64_t position = from; position < to; ++position) {
    flip(path, position);
    ASSERT_TRUE(disk_->remove("data/db0-0/leader-epoch-checkpoint") && try_start()) << position;  // as the first start
    expect_keys(0, 12);
    const bool is_epoch = position >= from + 12 && position < from + 16;  // not under the CRC; higher is taken
    EXPECT_EQ(run({"GET", key(12)}), is_epoch && report_.cuts.empty() ? bulk(value(12)) : "$-1\r\n") << position;
    kill();
    put(path, from, whole);
  }
}

// What a restart serves after a kill is durable before it is served: bytes may have survived in a cache alone.
TEST_F(WritePath, Trap5_WhatARestartServedSurvivesThePowerLossBehindIt) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    begin({.seed = seed, .delay_max = 3});
    options_.sync = SyncPolicy::kEverySec;  // written, and not durable
    store_->set_sync_policy(SyncPolicy::kEverySec);
    set_keys(0, 30);
    disk_->kill();
    store_->abandon();
    store_.reset();
    start();
    expect_keys(0, 30);
    lose_power(Survival::kNothing);
    expect_keys(0, 30);
  }
}

TEST_F(WritePath, Trap5_AFailedSyncStopsTheLogAndIsNotTriedAgain) {
  begin();
  options_.sync = SyncPolicy::kEverySec;
  store_->set_sync_policy(SyncPolicy::kEverySec);
  set_keys(0, 10);
  settle();
  disk_->fail(SimOperation::kSync, 1, EIO);
  store_->sync_logs();
  for (int i = 0; i < 20; ++i) turn();
  ASSERT_EQ(failures_.size(), 1u);
  const Offset durable = log().marks().durable();
  EXPECT_EQ(run({"SET", "later", "x"}).substr(0, 6), "-IOERR");
  for (int i = 0; i < 50; ++i) {
    store_->sync_logs();
    turn();
  }
  EXPECT_EQ(log().marks().durable(), durable) << "a later sync that succeeds proves nothing";
}

// Trap 5, a preparation that fails with EIO: writes are refused, then taken again; nothing stops.
TEST_F(WritePath, Trap5_AFailedPreparationRefusesWritesAndResumes) {
  for (const int sys : {EIO, EROFS, ENOSPC}) {
    begin();
    ASSERT_EQ(run({"SET", "first", "makes the database"}), "+OK\r\n");
    ASSERT_TRUE(settle());
    for (int i = 1; i <= 200; ++i) disk_->fail(SimOperation::kPrepare, static_cast<std::uint64_t>(i), sys);
    const std::string large(50'000, 'x');
    std::string reply;
    int written = 0;
    while (written < 1000 && (reply = run({"SET", key(written), large})) == "+OK\r\n") ++written;
    EXPECT_GT(written, 10);
    EXPECT_EQ(reply.substr(0, 7), sys == ENOSPC ? "-NOSPAC" : "-IOERR ") << reply;
    EXPECT_EQ(run({"DEL", key(0)}), ":1\r\n");
    EXPECT_EQ(run({"GET", key(1)}), bulk(large));
    for (int i = 0; i < 1000 && reply != "+OK\r\n"; ++i) {
      clock_.advance(Millis(1100));
      reply = run({"SET", "again", large});
    }
    EXPECT_EQ(reply, "+OK\r\n");
    EXPECT_TRUE(failures_.empty());
    lose_power();
    EXPECT_EQ(run({"GET", "again"}), bulk(large));
    EXPECT_EQ(run({"EXISTS", key(0)}), ":0\r\n");
  }
}

// 32 free bits of a value choose any CRC, since it is linear in them; a whole batch whose CRC is 0 is a batch.
TEST_F(WritePath, Trap6_ABatchWhoseCrcIsZeroIsABatch) {
  test::Blob batch = test::batch_of(0, 1, {std::string(4, '\0')});
  const Bytes covered = Bytes(batch).subspan(batch_field::kAttributes);
  std::size_t at = batch.size() - 5;  // the value, before the count of headers
  const auto crc_of = [&](std::uint32_t bits) {
    store_big(batch.data() + at, bits);
    return crc32c(covered);
  };
  const std::uint32_t zero = crc_of(0);
  std::uint32_t rows[32] = {};  // rows[b]: has b as its highest bit
  std::uint32_t inputs[32] = {};
  for (int bit = 0; bit < 32; ++bit) {
    std::uint32_t input = std::uint32_t{1} << bit;
    std::uint32_t row = crc_of(input) ^ zero;
    for (int high = 31; high >= 0 && row != 0; --high) {
      if ((row >> high & 1) == 0) continue;
      if (rows[high] == 0) {
        rows[high] = row;
        inputs[high] = input;
        break;
      }
      row ^= rows[high];
      input ^= inputs[high];
    }
  }
  std::uint32_t rest = zero;
  std::uint32_t chosen = 0;
  for (int high = 31; high >= 0; --high) {
    if ((rest >> high & 1) == 0) continue;
    rest ^= rows[high];
    chosen ^= inputs[high];
  }
  ASSERT_EQ(crc_of(chosen), 0u);
  store_big(batch.data() + batch_field::kCrc, std::uint32_t{0});
  begin();
  set_keys(0, 1);
  const std::string path = active_path();
  kill();
  put(path, 0, batch);
  start();
  EXPECT_EQ(log().marks().appended(), Offset(1));
  EXPECT_EQ(run({"EXISTS", "k0"}), ":1\r\n");
}

// Power fails at every operation of a history that rolls, seals, flushes and uses dead files again. Each time: a start
// succeeds, what was acknowledged is there, what was flushed stays away, sealed files are exact.
TEST_F(WritePath, Trap6And8_PowerFailsAtEveryStepOfRollSealAndRecycling) {
  const std::string large(90'000, 'l');
  constexpr int kBefore = 24;
  constexpr int kAfter = 40;
  std::uint64_t recycled = 0;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  // 0: no crash, to learn where to crash.
  for (std::uint64_t crash = 0; crash == 0 || first + crash <= last; ++crash) {
    begin({.seed = 1 + crash, .delay_max = 3});
    options_.space.recycled = 2;
    for (int i = 0; i < kBefore; ++i) ASSERT_EQ(run({"SET", key(i), large}), "+OK\r\n");
    settle();
    first = disk_->operations();
    if (crash != 0) disk_->crash_at_operation(first + crash);
    bool flushed = run({"FLUSHALL"}) == "+OK\r\n";
    int acknowledged = 0;
    while (acknowledged < kAfter && run({"SET", "new" + std::to_string(acknowledged), large}) == "+OK\r\n") {
      ++acknowledged;
    }
    if (crash == 0) {
      settle();
      last = disk_->operations();
      recycled = log().segment_store().counters().recycled;
      expect_exact_sealed_segments();
      continue;
    }
    if (!disk_->crashed()) continue;  // this seed came to its end earlier
    StoreFixture::crash();
    const auto started = try_start();
    ASSERT_TRUE(started) << "crash " << crash << ": " << started.error().message();
    for (int i = 0; i < acknowledged; ++i) {
      ASSERT_EQ(run({"STRLEN", "new" + std::to_string(i)}), ":90000\r\n") << "crash " << crash << ", new" << i;
    }
    for (int i = 0; i < kBefore && flushed; ++i) {
      ASSERT_EQ(run({"EXISTS", key(i)}), ":0\r\n") << "crash " << crash;
    }
    ASSERT_EQ(run({"SET", "again", large}), "+OK\r\n");
    expect_exact_sealed_segments();
    if (HasFailure()) return;
  }
  EXPECT_GT(recycled, 0u);
  EXPECT_GT(last - first, 60u);
}

// Trap 15: no room at all, not even for a new file; what a flush frees is enough to go on.
TEST_F(WritePath, Trap15_AFullDiskIsWrittenAgainInTheSpaceOfDeadSegments) {
  SimDiskOptions disk;
  disk.capacity = 6 * static_cast<std::uint64_t>(kMiB);
  begin(disk);
  const std::string large(50'000, 'x');
  std::string reply;
  int written = 0;
  while (written < 1000 && (reply = run({"SET", key(written), large})) == "+OK\r\n") ++written;
  EXPECT_EQ(reply.substr(0, 26), "-NOSPACE the disk is full:");
  EXPECT_GT(written, 60);
  ASSERT_EQ(run({"FLUSHALL"}), "+OK\r\n") << "it has a reserve";
  settle();
  int again = 0;
  for (int i = 0; i < 200 && again < 60; ++i) {
    clock_.advance(Millis(300));
    if (run({"SET", "new" + std::to_string(again), large}) == "+OK\r\n") ++again;
  }
  EXPECT_EQ(again, 60);
  lose_power();
  EXPECT_EQ(run({"DBSIZE"}), ":60\r\n");
}

}  // namespace
}  // namespace minod
