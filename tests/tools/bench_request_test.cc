#include "tools/bench_request.h"

#include <gtest/gtest.h>

#include <array>
#include <charconv>
#include <map>
#include <string>
#include <vector>

#include "net/resp/parser.h"

namespace minod::bench {
namespace {

using Words = std::vector<std::string>;

class Requests : public testing::Test {
 protected:
  RequestSource source(Stripe stripe = {}) { return {{options_, newest_, nullptr}, stripe, 1'000'000}; }

  // The next request, as a server reads it.
  Words next(RequestSource& source) {
    ByteQueue out;
    source.append(out);
    const RespLimits limits;
    resp::RequestParser parser(limits);
    EXPECT_EQ(parser.parse(out.view(), true), resp::RequestParser::Status::kCommand);
    EXPECT_EQ(parser.consumed(), out.size());
    return {parser.arguments().begin(), parser.arguments().end()};
  }

  Options options_;
  std::atomic<std::uint64_t> newest_{100};
};

std::uint64_t number_in(const std::string& text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

TEST_F(Requests, EveryOperationIsItsCommand) {
  options_.keys = 100;
  options_.mget_keys = 3;
  options_.ttl = *parse_ttl("60");
  const auto words_of = [this](Operation operation) {
    options_.mix = Mix::of(operation);
    auto made = source();
    Words words = next(made);
    const std::size_t suffix = operation == Operation::kIncr ? 20 : 12;
    if (words.size() > 1) {
      EXPECT_EQ(words[1].size(), options_.key_prefix.size() + suffix);
    }
    return words;
  };
  EXPECT_EQ(words_of(Operation::kPing), Words{"PING"});
  EXPECT_EQ(words_of(Operation::kGet)[0], "GET");
  EXPECT_EQ(words_of(Operation::kRmw)[0], "GET");
  EXPECT_EQ(words_of(Operation::kDel)[0], "DEL");
  EXPECT_EQ(words_of(Operation::kIncr)[0], "INCR");
  EXPECT_EQ(words_of(Operation::kMget).size(), 4u);
  const Words setex = words_of(Operation::kSetex);
  ASSERT_EQ(setex.size(), 4u);
  EXPECT_EQ(setex[2], "60");
  EXPECT_EQ(setex[3].size(), 100u);
}

TEST_F(Requests, InsertsTakeTheNextKeyThatNobodyHas) {
  options_.mix = Mix::of(Operation::kInsert);
  auto one = source({0, 2});
  auto other = source({1, 2});
  EXPECT_EQ(next(one)[1], "key:000000000100");
  EXPECT_EQ(next(other)[1], "key:000000000101");
  EXPECT_EQ(next(one)[1], "key:000000000102");
}

TEST_F(Requests, TimesToLiveSpreadOverTheirRange) {
  options_.mix = Mix::of(Operation::kSet);
  options_.ttl = *parse_ttl("30-90");
  auto made = source();
  std::array<int, 91> seen{};
  for (int i = 0; i < 61'000; ++i) {
    const Words words = next(made);
    ASSERT_EQ(words.size(), 5u);
    ASSERT_EQ(words[3], "EX");
    ++seen.at(number_in(words[4]));
  }
  for (std::size_t seconds = 0; seconds < 30; ++seconds) EXPECT_EQ(seen[seconds], 0);
  for (std::size_t seconds = 30; seconds <= 90; ++seconds) EXPECT_NEAR(seen[seconds], 1000, 160) << seconds;
  for (const char* text : {"", "0", "x", "5-", "9-3", "5-6-7"}) EXPECT_FALSE(parse_ttl(text).has_value()) << text;
}

TEST_F(Requests, ValuesHaveTheSizesThatWereAskedFor) {
  options_.mix = Mix::of(Operation::kSet);
  options_.values = *ValueSizes::parse("uniform:10-29");
  auto made = source();
  std::array<int, 30> seen{};
  for (int i = 0; i < 20'000; ++i) ++seen.at(next(made)[2].size());
  for (std::size_t size = 0; size < 10; ++size) EXPECT_EQ(seen[size], 0);
  for (std::size_t size = 10; size < 30; ++size) EXPECT_NEAR(seen[size], 1000, 160) << size;
}

TEST_F(Requests, TheMixIsKept) {
  options_.mix = *parse_mix("get=80,set=15,del=5");
  auto made = source();
  std::map<std::string, int> seen;
  for (int i = 0; i < 20'000; ++i) ++seen[next(made)[0]];
  EXPECT_NEAR(seen["GET"], 16'000, 300);
  EXPECT_NEAR(seen["SET"], 3'000, 250);
  EXPECT_NEAR(seen["DEL"], 1'000, 160);
}

TEST_F(Requests, TheSeedDecides) {
  options_.mix = *parse_mix("get,set");
  const auto first_hundred = [this](Stripe stripe) {
    auto made = source(stripe);
    std::vector<Words> words;
    for (int i = 0; i < 100; ++i) words.push_back(next(made));
    return words;
  };
  const auto before = first_hundred({0, 2});
  EXPECT_EQ(first_hundred({0, 2}), before);
  EXPECT_NE(first_hundred({1, 2}), before);
  options_.seed = 2;
  EXPECT_NE(first_hundred({0, 2}), before);
}

TEST_F(Requests, KeysOfTwelveDigitsComeOutWhole) {
  options_.mix = Mix::of(Operation::kInsert);
  for (const std::uint64_t key : {0ull, 9ull, 10ull, 99ull, 100ull, 123'456'789'012ull, 999'999'999'999ull}) {
    newest_ = key;
    auto made = source();
    EXPECT_EQ(number_in(next(made)[1].substr(4)), key);
  }
}

}  // namespace
}  // namespace minod::bench
