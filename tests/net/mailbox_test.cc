#include "net/mailbox.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <memory>
#include <thread>
#include <vector>

namespace minod {
namespace {

TEST(Mailbox, KeepsTheMessageThatDoesNotFit) {
  const auto mailbox = std::make_unique<Mailbox>();
  std::size_t ran = 0;
  Mail message;
  for (std::size_t i = 0; i < Mailbox::kSlots; ++i) {
    message = [&ran] { ++ran; };
    ASSERT_TRUE(mailbox->push(message));
  }
  message = [&ran] { ran += 1000; };
  EXPECT_FALSE(mailbox->push(message));
  ASSERT_TRUE(message);
  message();
  EXPECT_EQ(ran, 1000U);
  while (mailbox->pop(message)) message();
  EXPECT_EQ(ran, 1000U + Mailbox::kSlots);
  EXPECT_TRUE(mailbox->empty());
}

// What a message owns is gone when it was taken and dropped, not when its slot is used again.
TEST(Mailbox, TakenMessageLeavesNothingInItsSlot) {
  const auto mailbox = std::make_unique<Mailbox>();
  const auto owned = std::make_shared<int>(1);
  Mail message = [owned] {};
  ASSERT_TRUE(mailbox->push(message));
  message = nullptr;
  ASSERT_TRUE(mailbox->pop(message));
  message = nullptr;
  EXPECT_EQ(owned.use_count(), 1);
}

// As net/shard sleeps: a wake-up that gets lost shows as a wait that times out with mail in the box.
TEST(Mailbox, EveryMessageArrivesInOrderAndWakesASleeper) {
  constexpr int kMessages = 100'000;
  constexpr int kPatienceMs = 10'000;
  const auto mailbox = std::make_unique<Mailbox>();
  Doorbell doorbell;
  std::thread producer([&mailbox = *mailbox, &doorbell, seen = std::make_shared<std::vector<int>>()] {
    for (int i = 0; i < kMessages;) {
      Mail message = [i, seen] {
        ASSERT_EQ(seen->size(), static_cast<std::size_t>(i));
        seen->push_back(i);
      };
      if (mailbox.push(message)) ++i;
      doorbell.ring();
      if (i % 1000 == 0) std::this_thread::yield();
    }
  });
  int taken = 0;
  bool woken = true;
  while (taken < kMessages && woken) {
    Mail message;
    while (mailbox->pop(message)) {
      message();
      ++taken;
    }
    if (taken == kMessages) break;
    doorbell.going_to_sleep();
    if (mailbox->empty()) {
      pollfd wait{doorbell.fd(), POLLIN, 0};
      woken = poll(&wait, 1, kPatienceMs) == 1;
      eventfd_t count = 0;
      eventfd_read(doorbell.fd(), &count);
    }
    doorbell.awake();
  }
  EXPECT_TRUE(woken) << "asleep with mail in the box, after " << taken << " messages";
  // A full box would keep the producer.
  for (Mail message; taken < kMessages;) taken += mailbox->pop(message);
  producer.join();
}

}  // namespace
}  // namespace minod
