// One client's replies on their way, and what each of them tells.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "net/reply_queue.h"

namespace minod {

struct PipelinedReplies {
  ReplyQueue replies;
  std::uint64_t sent = 0;
  // Where in the stream of replies a command's reply ends, and the number of the newest state that it tells of.
  std::deque<std::pair<std::uint64_t, std::uint64_t>> pending;

  // Replies that may leave, leave; returns the newest state that they tell of, or `newest`.
  std::uint64_t send(std::uint64_t newest) {
    const std::size_t size = replies.released();
    sent += size;
    replies.sent(size);
    while (!pending.empty() && pending.front().first <= sent) {
      newest = std::max(newest, pending.front().second);
      pending.pop_front();
    }
    return newest;
  }
};

}  // namespace minod
