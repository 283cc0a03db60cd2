// The check of histories: those that are linearizable and those that are not, and every small one against all orders.
#include "tests/history/register_check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/history/every_order.h"

namespace minod::history {
namespace {

using Kind = Operation::Kind;

Operation write(Value value, Ticket start, Ticket end) { return {Kind::kWrite, value, start, end}; }
Operation read(Value value, Ticket start, Ticket end) { return {Kind::kRead, value, start, end}; }
Operation read_nothing(Ticket start, Ticket end) { return {Kind::kRead, std::nullopt, start, end}; }
Operation erase(Ticket start, Ticket end) { return {Kind::kErase, std::nullopt, start, end}; }
Operation take(Value value, Ticket start, Ticket end) { return {Kind::kTake, value, start, end}; }
Operation unknown(Operation operation, Ticket end = kNever) {
  operation.certain = false;
  operation.end = end;
  return operation;
}

std::string text_of(const Operations& operations) {
  std::string text;
  for (const Operation& operation : operations) text += "\n  " + history::text_of(operation);
  return text;
}

void expect_linearizable(const Operations& operations) {
  EXPECT_EQ(contradiction(operations), std::nullopt) << text_of(operations);
  EXPECT_TRUE(has_an_order(operations)) << text_of(operations);
}

void expect_contradiction(const Operations& operations, const std::string& what) {
  const auto found = contradiction(operations);
  ASSERT_TRUE(found) << text_of(operations);
  EXPECT_EQ(found->substr(0, found->find(':')), what);
  EXPECT_FALSE(has_an_order(operations)) << text_of(operations);
}

TEST(RegisterCheck, ReadsFollowWrites) {
  expect_linearizable({});
  expect_linearizable({read_nothing(1, 2), write(1, 3, 4), read(1, 5, 6), write(2, 7, 8), read(2, 9, 10)});
  expect_linearizable({write(1, 1, 10), write(2, 2, 9), read(2, 3, 4), read(1, 5, 6)});
}

TEST(RegisterCheck, StaleReadsAreFound) {
  const std::string what = "each was there while the other was";
  expect_contradiction({write(1, 1, 2), write(2, 3, 4), read(2, 5, 6), read(1, 7, 8)}, what);
  expect_contradiction({write(1, 1, 2), write(2, 3, 4), read(1, 5, 6)}, "not between these, which saw one value");
  expect_contradiction({write(1, 1, 10), write(2, 2, 9), read(1, 3, 4), read(2, 5, 6), read(1, 7, 8)},
                       "not between these, which saw one value");
  expect_contradiction({write(1, 1, 2), read(1, 3, 4), write(2, 5, 6), read_nothing(7, 8)},
                       "nothing erased what was there");
}

TEST(RegisterCheck, ValuesComeFromWrites) {
  expect_contradiction({read(1, 1, 2)}, "nobody wrote it");
  expect_contradiction({read(1, 1, 2), write(1, 3, 4)}, "seen before it was written");
}

TEST(RegisterCheck, LostWritesAreFound) {
  expect_contradiction({write(1, 1, 2), read_nothing(3, 4)}, "nothing erased what was there");
  expect_contradiction({write(1, 1, 2), read_nothing(3, 4), read(1, 5, 6)}, "not between these, which saw one value");
}

TEST(RegisterCheck, ErasingIsSeen) {
  expect_linearizable({write(1, 1, 2), erase(3, 4), read_nothing(5, 6)});
  expect_linearizable({write(1, 1, 6), erase(2, 5), read_nothing(3, 4), read(1, 7, 8)});
  expect_contradiction({write(1, 1, 2), erase(3, 4), read(1, 5, 6)}, "not between these, which saw one value");
  // It serves one of two reads, with a write between them.
  expect_contradiction({write(1, 1, 2), erase(3, 9), read_nothing(4, 5), write(2, 6, 7), read_nothing(10, 11)},
                       "nothing erased what was there");
}

TEST(RegisterCheck, WhatIsTakenIsGone) {
  expect_linearizable({write(1, 1, 2), take(1, 3, 4), read_nothing(5, 6)});
  expect_contradiction({write(1, 1, 2), take(1, 3, 6), take(1, 4, 5)}, "taken twice");
  expect_contradiction({write(1, 1, 2), take(1, 3, 4), read(1, 5, 6)}, "there after it was taken");
}

TEST(RegisterCheck, UnknownOutcomesMayBeEither) {
  const Operation lost = unknown(write(2, 3, 4));
  expect_linearizable({write(1, 1, 2), lost, read(1, 5, 6)});
  expect_linearizable({write(1, 1, 2), lost, read(1, 5, 6), read(2, 7, 8)});
  expect_contradiction({write(1, 1, 2), lost, read(2, 5, 6), read(1, 7, 8)}, "not between these, which saw one value");
  expect_linearizable({write(1, 1, 2), unknown(erase(3, 4)), read(1, 5, 6), read_nothing(7, 8)});
  // What was killed with its server does not come later.
  const Operation killed = unknown(write(2, 3, 4), 5);
  expect_linearizable({write(1, 1, 2), killed, read(2, 6, 7)});
  expect_contradiction({write(1, 1, 2), killed, read(1, 6, 7), read(2, 8, 9)}, "each was there while the other was");
  expect_contradiction({write(1, 1, 2), unknown(erase(3, 4), 5), read(1, 6, 7), read_nothing(8, 9)},
                       "nothing erased what was there");
}

// A history as clients of a sound server see it: each operation has its effect at one moment.
Operations sound_history(Random& random, int count, int clients) {
  struct Pending {
    Operation operation;
    bool applied = false;
  };
  std::vector<std::optional<Pending>> at(static_cast<std::size_t>(clients));
  Operations done;
  std::optional<Value> state;
  Value next_value = 1;
  Ticket now = 0;
  const auto apply = [&](Pending& pending) {
    Operation& operation = pending.operation;
    pending.applied = true;
    if (operation.kind == Kind::kWrite) {
      state = operation.value;
      return;
    }
    if (operation.kind != Kind::kErase) operation.value = state;
    if (operation.kind != Kind::kRead) state.reset();
  };
  while (static_cast<int>(done.size()) < count) {
    auto& pending = at[random.below(at.size())];
    ++now;
    if (!pending) {
      static constexpr Kind kKinds[] = {Kind::kWrite, Kind::kRead, Kind::kRead,
                                        Kind::kErase, Kind::kTake, Kind::kWrite};
      Operation operation;
      operation.kind = kKinds[random.below(std::size(kKinds))];
      if (operation.kind == Kind::kWrite) operation.value = next_value++;
      operation.start = now;
      pending = Pending{operation};
    } else if (!pending->applied) {
      if (random.below(12) == 0) {  // cut off; it never happens
        pending->operation = unknown(pending->operation, random.below(2) == 0 ? kNever : now);
        done.push_back(pending->operation);
        pending.reset();
      } else {
        apply(*pending);
      }
    } else {
      pending->operation.end = now;
      if (random.below(12) == 0) pending->operation = unknown(pending->operation, random.below(2) == 0 ? kNever : now);
      done.push_back(pending->operation);
      pending.reset();
    }
  }
  for (const auto& pending : at) {
    if (pending) done.push_back(unknown(pending->operation));
  }
  return done;
}

// One operation no longer is what it was: most such histories are not linearizable, some still are.
void disturb(Random& random, Operations& operations) {
  Operation& one = operations[random.below(operations.size())];
  const Operation& other = operations[random.below(operations.size())];
  if (one.kind == Kind::kWrite) {
    const Ticket size = one.end == kNever ? 0 : one.end - one.start;
    one.start = other.start;
    if (one.end != kNever) one.end = one.start + size;
  } else if (one.kind != Kind::kErase) {
    one.value = other.value;
  }
}

// No two moments share a ticket, as they do not in a recorded history.
void number_moments(Operations& operations) {
  std::vector<Ticket*> moments;
  for (Operation& operation : operations) {
    moments.push_back(&operation.start);
    if (operation.end != kNever) moments.push_back(&operation.end);
  }
  std::ranges::stable_sort(moments, {}, [](const Ticket* moment) { return *moment; });
  Ticket next = 0;
  for (Ticket* moment : moments) *moment = ++next;
}

TEST(RegisterCheck, AgreesWithTheTrialOfEveryOrder) {
  Random random(1);
  int linearizable = 0;
  constexpr int kHistories = 100'000;
  for (int i = 0; i < kHistories; ++i) {
    Operations operations =
        sound_history(random, 3 + static_cast<int>(random.below(8)), 1 + static_cast<int>(random.below(5)));
    for (auto times = random.below(4); times > 0; --times) disturb(random, operations);
    number_moments(operations);
    const bool expected = has_an_order(operations);
    ASSERT_EQ(!contradiction(operations), expected) << "history " << i << ":" << text_of(operations) << "\n"
                                                    << contradiction(operations).value_or("");
    linearizable += expected ? 1 : 0;
  }
  EXPECT_GT(linearizable, kHistories / 5);
  EXPECT_LT(linearizable, kHistories * 9 / 10);
}

// Histories without a value to hold on to: what the sweep alone decides.
TEST(RegisterCheck, AgreesOnErasuresAndReadsOfNothing) {
  Random random(2);
  int linearizable = 0;
  constexpr int kHistories = 100'000;
  for (int i = 0; i < kHistories; ++i) {
    Operations operations;
    Value next_value = 1;
    for (auto count = 2 + random.below(7); count > 0; --count) {
      static constexpr Kind kKinds[] = {Kind::kWrite, Kind::kRead, Kind::kErase, Kind::kTake};
      Operation operation;
      operation.kind = kKinds[random.below(std::size(kKinds))];
      operation.start = static_cast<Ticket>(random.below(20));
      operation.end = operation.start + static_cast<Ticket>(random.below(10));
      if (operation.kind == Kind::kWrite) operation.value = next_value++;
      if (operation.kind == Kind::kTake && next_value > 1 && random.below(2) == 0) operation.value = next_value - 1;
      if (operation.kind != Kind::kRead && random.below(5) == 0) operation.certain = false;
      if (!operation.certain && random.below(2) == 0) operation.end = kNever;
      operations.push_back(operation);
    }
    number_moments(operations);
    const bool expected = has_an_order(operations);
    ASSERT_EQ(!contradiction(operations), expected) << "history " << i << ":" << text_of(operations) << "\n"
                                                    << contradiction(operations).value_or("");
    linearizable += expected ? 1 : 0;
  }
  EXPECT_GT(linearizable, kHistories / 5);
  EXPECT_LT(linearizable, kHistories * 9 / 10);
}

TEST(RegisterCheck, ALongHistoryTakesSeconds) {
  Random random(3);
  Operations operations = sound_history(random, 300'000, 30);
  EXPECT_EQ(contradiction(operations), std::nullopt);
  // One stale read among them.
  const auto stale = std::ranges::find_if(operations, [](const Operation& operation) {
    return operation.kind == Kind::kRead && operation.certain && operation.value;
  });
  ASSERT_NE(stale, operations.end());
  for (Operation& later : operations) {
    if (later.kind == Kind::kRead && later.start > 500'000 && later.certain) {
      later.value = stale->value;
      break;
    }
  }
  EXPECT_NE(contradiction(operations), std::nullopt);
}

}  // namespace
}  // namespace minod::history
