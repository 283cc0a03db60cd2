#include "net/peer/link_frame.h"

#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "base/endian.h"
#include "cluster/wire.h"
#include "tests/fuzz/seed.h"

namespace minod {
namespace {

PeerEntry entry(std::uint64_t number, const std::string& host = "node.example") {
  return PeerEntry{MemberId{number, number}, PeerAddress{host, 7000}, 6379};
}

std::vector<LinkFrame> all_kinds() {
  return {Hello{kPeerProtocol, 4, 3, MemberId{1, 2}, entry(1, "")},
          Members{{entry(1), entry(2, "::1")}},
          Ping{},
          Goodbye{"the group is another one"},
          LeaseAsked{-5},
          LeaseGranted{std::int64_t{1} << 40}};
}

// With a right size and checksum, so that what is behind them is reached.
void mend(std::vector<std::byte>& frame) {
  store_big(frame.data(), static_cast<std::uint32_t>(frame.size() - kFrameHeaderSize));
  store_big(frame.data() + 4, crc32c(Bytes(frame).subspan(kFrameHeaderSize)));
}

Errc refusal(Bytes frame) {
  const auto taken = take_link_frame(frame);
  EXPECT_FALSE(taken);
  return taken ? Errc::kEnd : taken.error().code;
}

TEST(LinkFrame, WhatIsSentIsWhatArrives) {
  for (const LinkFrame& frame : all_kinds()) {
    const auto bytes = encode_link_frame(frame);
    EXPECT_TRUE(is_link_frame(bytes));
    Bytes from(bytes);
    const auto taken = take_link_frame(from);
    ASSERT_TRUE(taken) << taken.error().message();
    EXPECT_EQ(*taken, frame);
    EXPECT_TRUE(from.empty());
  }
}

TEST(LinkFrame, TheFuzzerStartsFromOneOfEachKind) {
  std::string all;
  for (const LinkFrame& frame : all_kinds()) all += as_text(encode_link_frame(frame));
  expect_seed("peer/connection", all);
}

TEST(LinkFrame, AMessageAboutALogIsNone) {
  EXPECT_FALSE(is_link_frame(encode_frame(LogName{}, Message(Inquiry{}))));
  EXPECT_FALSE(is_link_frame(Bytes(encode_link_frame(Ping{})).first(kFrameHeaderSize)));
}

TEST(LinkFrame, APartWaitsForTheRestAndAFlippedBitIsRefused) {
  for (const LinkFrame& frame : all_kinds()) {
    const auto bytes = encode_link_frame(frame);
    for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_EQ(refusal(Bytes(bytes).first(size)), Errc::kTorn);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      auto flipped = bytes;
      flipped[bit / 8] ^= std::byte{1} << (bit % 8);
      refusal(flipped);
    }
  }
}

TEST(LinkFrame, ContentsAreCheckedBehindTheChecksum) {
  auto kind = encode_link_frame(Ping{});
  kind.back() = std::byte{70};
  auto longer = encode_link_frame(Ping{});
  longer.push_back(std::byte{0});
  auto shorter = encode_link_frame(LeaseAsked{1});
  shorter.pop_back();
  auto nobody = encode_link_frame(Members{{entry(0)}});
  auto nowhere = encode_link_frame(Members{{entry(1, "")}});
  auto no_host = encode_link_frame(Members{{entry(1, "two words")}});
  auto partition = encode_link_frame(Hello{kPeerProtocol, 4, 4, MemberId{1, 2}, entry(1)});
  auto more_than_there_is = encode_link_frame(Members{{entry(1)}});
  more_than_there_is[kFrameHeaderSize + 2] = std::byte{2};
  for (auto* frame : {&kind, &longer, &shorter, &nobody, &nowhere, &no_host, &partition, &more_than_there_is}) {
    mend(*frame);
    EXPECT_EQ(refusal(*frame), Errc::kCorrupt);
  }
}

TEST(LinkFrame, ADeclaredSizeOverTheLimitIsRefusedAtOnce) {
  auto bytes = encode_link_frame(Ping{});
  store_big(bytes.data(), static_cast<std::uint32_t>(kLinkFrameMax));
  EXPECT_EQ(refusal(bytes), Errc::kCorrupt);
}

TEST(LinkFrame, AReasonDoesNotMoveTheReadersCursor) {
  const auto bytes = encode_link_frame(Goodbye{"\x1b[2J\n" + std::string(1000, 'w')});
  Bytes from(bytes);
  const auto taken = take_link_frame(from);
  ASSERT_TRUE(taken);
  const std::string& why = std::get<Goodbye>(*taken).why;
  EXPECT_TRUE(why.starts_with("?[2J?www")) << why;
  EXPECT_EQ(why.size(), 500u);
}

}  // namespace
}  // namespace minod
