#include "cluster/wire.h"

#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "base/endian.h"
#include "tests/fuzz/seed.h"
#include "tests/log/batches.h"

namespace minod {
namespace {

constexpr MemberId kA{1, 2};
constexpr MemberId kB{3, 4};
constexpr Leadership kFirst{first_of_term(1), kA};
constexpr Leadership kSecond{Epoch{first_of_term(1).value + 1}, kA};

InSyncSet both() { return InSyncSet{SetVersion{Epoch{65536}, 7}, {kA, kB}, {kA, kB, MemberId{9, 9}}}; }

Answer answer() {
  Answer one;
  one.leadership = kSecond;
  one.begin = Offset(42);
  one.next = Offset(44);
  one.epochs = {EpochLine{kFirst, Offset(40)}, EpochLine{kSecond, Offset(43)}};
  one.committed = Offset(41);
  one.set = both();
  one.in_force = true;
  one.first = Offset(30);
  one.generation = 6;
  one.complete = true;
  return one;
}

std::vector<Message> all_kinds() {
  Answer diverging = answer();
  diverging.divergence = EpochHistory::Divergence{kFirst, Offset(17)};
  diverging.last = kSecond;
  return {Fetch{kFirst, kSecond, Offset(9), Offset(8), Offset(7), SetVersion{Epoch{3}, 1}, 5, true, true},
          answer(),
          diverging,
          Refusal{kFirst},
          Promise{kSecond},
          Promised{kSecond, true, both(), {LogName{0, 3}, LogName{7, 3}}},
          Inquiry{},
          Standing{kSecond, true, both()},
          HandOver{kFirst, Offset(12)},
          Logs{{LogName{0, 3}, LogName{7, 3}}},
          SegmentsWanted{kFirst},
          Segments{kSecond, Offset(90), answer().epochs, {SegmentEntry{Offset(0), 4096}, SegmentEntry{Offset(60), 17}}},
          SegmentRead{Offset(60), 4096, 1 << 20},
          SegmentBytes{Offset(60), 4096, 8192},
          Lend{4}};
}

// With a right checksum, so that what is behind it is reached.
void mend(std::vector<std::byte>& frame) {
  store_big(frame.data() + 4, crc32c(Bytes(frame).subspan(kFrameHeaderSize)));
}

TEST(Wire, WhatIsSentIsWhatArrives) {
  const test::Blob batch = test::golden_batch();
  for (const Message& message : all_kinds()) {
    const bool carries = std::holds_alternative<Answer>(message) || std::holds_alternative<SegmentBytes>(message);
    const auto bytes = encode_frame(LogName{3, 5}, message, carries ? Bytes(batch) : Bytes());
    Bytes from(bytes);
    const auto frame = take_frame(from);
    ASSERT_TRUE(frame) << frame.error().message();
    EXPECT_EQ(frame->message, message);
    EXPECT_EQ(frame->log, (LogName{3, 5}));
    EXPECT_EQ(frame->batches.size(), carries ? batch.size() : 0u);
    EXPECT_TRUE(from.empty());
  }
}

TEST(Wire, TheFuzzerStartsFromAFrameOfEachKind) {
  std::string all;
  std::size_t number = 0;
  for (const Message& message : all_kinds()) {
    Answer carrying = answer();
    carrying.epochs = {EpochLine{Leadership{Epoch{7}, kA}, Offset(42)}};  // of the batch
    const bool carries = std::holds_alternative<Answer>(message);
    const auto frame = encode_frame(LogName{3, 5}, carries && number == 1 ? Message(carrying) : message,
                                    carries ? Bytes(test::golden_batch()) : Bytes());
    all += as_text(frame);
    expect_seed("peer/message-" + std::to_string(number++), std::string(as_text(frame)));
  }
  expect_seed("peer/messages", all);
}

TEST(Wire, APartOfAFrameWaitsForTheRest) {
  for (const Message& message : all_kinds()) {
    const auto bytes = encode_frame(LogName{}, message);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      Bytes from = Bytes(bytes).first(size);
      const auto frame = take_frame(from);
      ASSERT_FALSE(frame);
      EXPECT_EQ(frame.error().code, Errc::kTorn);
      EXPECT_EQ(from.size(), size);
    }
  }
}

TEST(Wire, AFlippedByteIsNeverTakenForAMessage) {
  for (const Message& message : all_kinds()) {
    const auto bytes = encode_frame(LogName{}, message);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      auto flipped = bytes;
      flipped[at] ^= std::byte{0x40};
      Bytes from(flipped);
      EXPECT_FALSE(take_frame(from)) << "byte " << at;
    }
  }
}

TEST(Wire, ContentsAreCheckedBehindTheChecksum) {
  const std::size_t contents = kFrameHeaderSize + 5;
  auto negative = encode_frame(LogName{}, all_kinds()[0]);
  negative[contents + 40] = std::byte{0x80};  // the end of the log
  auto kind = encode_frame(LogName{}, all_kinds()[0]);
  kind[kFrameHeaderSize] = std::byte{15};
  auto longer = encode_frame(LogName{}, Message(Refusal{kFirst}));
  longer.push_back(std::byte{0});
  store_big(longer.data(), static_cast<std::uint32_t>(longer.size() - kFrameHeaderSize));
  auto unordered = encode_frame(LogName{}, Message(Promised{kFirst, true, InSyncSet{{}, {kB, kA}, {kB, kA}}, {}}));
  auto no_term = encode_frame(LogName{}, Message(Lend{0}));
  auto behind = encode_frame(LogName{}, Message(Segments{kFirst, Offset(5), {}, {SegmentEntry{Offset(5), 1}}}));
  auto size = encode_frame(LogName{}, Message(SegmentRead{Offset(5), 0, -1}));
  auto gone = encode_frame(LogName{}, Message(SegmentBytes{Offset(5), 0, -2}));
  auto log = encode_frame(LogName{}, Message(Logs{{LogName{-1, 0}}}));
  for (auto* frame : {&negative, &kind, &longer, &unordered, &behind, &size, &gone, &log, &no_term}) {
    mend(*frame);
    Bytes from(*frame);
    const auto taken = take_frame(from);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, Errc::kCorrupt);
  }
}

TEST(Wire, ADeclaredSizeOverTheLimitIsRefusedAtOnce) {
  auto bytes = encode_frame(LogName{}, Message(Refusal{kFirst}));
  store_big(bytes.data(), static_cast<std::uint32_t>(kFrameSizeMax));
  Bytes from(bytes);
  const auto taken = take_frame(from);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Errc::kCorrupt);
  EXPECT_NE(taken.error().detail.find("more than the limit"), std::string::npos);
}

}  // namespace
}  // namespace minod
