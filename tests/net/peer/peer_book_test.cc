#include "net/peer/peer_book.h"

#include <gtest/gtest.h>

#include "tests/fuzz/seed.h"
#include "tests/sim/sim_disk.h"

namespace minod {
namespace {

constexpr MemberId kSelf{1, 1};

PeerEntry entry(std::uint64_t number, const std::string& host, std::uint16_t port = 7000) {
  return PeerEntry{MemberId{number, number}, PeerAddress{host, port}, 6379};
}

PeerBook::Contents contents() {
  PeerBook::Contents made;
  made.group = MemberId{7, 8};
  made.members = {entry(1, "node.example"), entry(2, "::1"), entry(3, "10.0.0.3", 0)};
  made.order = PeerOrder{false, "node.example:6379", ""};
  return made;
}

TEST(PeerBook, ReadsWhatItWrote) {
  for (const auto& one : {contents(), PeerBook::Contents()}) {
    const auto parsed = PeerBook::parse(PeerBook::text_of(one));
    ASSERT_TRUE(parsed) << parsed.error().message();
    EXPECT_EQ(*parsed, one);
  }
}

TEST(PeerBook, TheFuzzerStartsFromOne) { expect_seed("peer/book", PeerBook::text_of(contents())); }

TEST(PeerBook, AnyFlippedBitOrCutIsDamage) {
  const std::string good = PeerBook::text_of(contents());
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      EXPECT_FALSE(PeerBook::parse(bad)) << "byte " << at << ", bit " << bit;
    }
    EXPECT_FALSE(PeerBook::parse(good.substr(0, at))) << "cut at " << at;
  }
}

TEST(PeerBook, OnDiskItIsTheOldOneOrTheNewOne) {
  for (std::uint64_t operation = 1; operation < 12; ++operation) {
    SimDisk disk({.seed = operation});
    ASSERT_TRUE(disk.make_directory("data") && disk.sync_directory(""));
    ASSERT_TRUE(PeerBook(kSelf, contents()).write(disk, "data"));
    PeerBook::Contents newer = contents();
    newer.members.push_back(entry(4, "fourth.example"));
    disk.crash_at_operation(disk.operations() + operation);
    const bool written = PeerBook(kSelf, newer).write(disk, "data").has_value();
    if (!disk.crashed()) disk.crash(Survival::kSome);
    const auto found = PeerBook::read(*disk.after_power_loss(Survival::kSome, {}), "data");
    ASSERT_TRUE(found) << found.error().message();
    EXPECT_TRUE(*found == newer || (!written && *found == contents())) << "operation " << operation;
  }
}

TEST(PeerBook, WhatIsDamagedSaysWhatToDo) {
  SimDisk disk({});
  ASSERT_TRUE(disk.make_directory("data"));
  ASSERT_TRUE(PeerBook::read(disk, "data")) << "none is there: of no group yet";
  ASSERT_TRUE(replace_file(disk, "data", "peers", as_bytes(std::string_view("format 1\n"))));
  const auto found = PeerBook::read(disk, "data");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::kCorrupt);
  EXPECT_NE(found.error().message().find("data/peers"), std::string::npos);
  EXPECT_NE(found.error().message().find("--replicaof"), std::string::npos);
}

TEST(PeerBook, ANoteTakesThePlaceOfWhoWasReachedThereBefore) {
  PeerBook book(kSelf);
  EXPECT_TRUE(book.join(MemberId{7, 8}));
  EXPECT_FALSE(book.join(MemberId{9, 9}));
  book.note(entry(2, "node.example"));
  book.learn(entry(2, "elsewhere.example"));
  EXPECT_EQ(book.find(MemberId{2, 2})->address.host, "node.example") << "a third one's word counts less";
  book.note(entry(3, "node.example"));
  EXPECT_FALSE(book.find(MemberId{2, 2})) << "its disk was replaced";
  EXPECT_TRUE(book.find(MemberId{3, 3}));
  const auto before = book.version();
  book.forget(MemberId{3, 3});
  EXPECT_GT(book.version(), before);
  EXPECT_TRUE(book.members().empty());
}

}  // namespace
}  // namespace minod
