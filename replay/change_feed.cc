#include "replay/change_feed.h"

#include <algorithm>
#include <utility>

namespace minod {

void ChangePiece::clear() {
  window.clear();
  end = FilePosition(0);
  expected = kFirstOffset;
  epoch = Epoch{0};
  bytes = 0;
  places.clear();
  hint = false;
  ignored.clear();
  stop.reset();
}

ChangeFeed::ChangeFeed(std::vector<Source> sources, unsigned threads)
    : sources_(std::move(sources)), pieces_(sources_.size()) {
  const std::size_t count = std::min<std::size_t>(threads, sources_.size());
  for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
}

ChangeFeed::~ChangeFeed() {
  {
    const std::lock_guard lock(lock_);
    stopping_ = true;
  }
  consumed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

ChangePiece ChangeFeed::take(std::size_t i, ChangePiece recycled) {
  if (threads_.empty()) {
    if (own_source_ != i) own_ = sources_[i]();
    own_source_ = i;
    recycled.clear();
    own_(recycled);
    return recycled;
  }
  std::unique_lock lock(lock_);
  recycled_.push_back(std::move(recycled));
  if (taking_ != i) {
    taking_ = i;
    consumed_.notify_all();
  }
  produced_.wait(lock, [&] { return !pieces_[i].empty(); });
  ChangePiece piece = std::move(pieces_[i].front());
  pieces_[i].pop_front();
  --buffered_;
  consumed_.notify_all();
  return piece;
}

void ChangeFeed::work() {
  for (;;) {
    std::size_t mine = 0;
    {
      const std::lock_guard lock(lock_);
      if (stopping_ || next_ == sources_.size()) return;
      mine = next_++;
    }
    read(mine);
  }
}

// The source that is being taken gets on even when those behind it have used up the memory.
bool ChangeFeed::may_go_on(std::size_t i) const {
  return buffered_ < kPiecesMax || (taking_ == i && pieces_[i].size() < 2);
}

void ChangeFeed::read(std::size_t i) {
  const Fill fill = sources_[i]();
  for (;;) {
    ChangePiece piece;
    {
      std::unique_lock lock(lock_);
      consumed_.wait(lock, [&] { return stopping_ || may_go_on(i); });
      if (stopping_) return;
      ++buffered_;
      if (!recycled_.empty()) {
        piece = std::move(recycled_.back());
        recycled_.pop_back();
      }
    }
    piece.clear();
    fill(piece);
    const bool last = piece.stop.has_value();
    {
      const std::lock_guard lock(lock_);
      pieces_[i].push_back(std::move(piece));
    }
    produced_.notify_one();
    if (last) return;
  }
}

}  // namespace minod
