// Bytes appended at the back and consumed at the front: a connection's input and output.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/bytes.h"

namespace minod {

// One contiguous block. Views of it are valid until the next call that is not const.
class ByteQueue {
 public:
  ByteQueue() = default;
  ByteQueue(ByteQueue&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        begin_(std::exchange(other.begin_, 0)),
        end_(std::exchange(other.end_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  ByteQueue& operator=(ByteQueue&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~ByteQueue() { delete[] data_; }

  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  std::size_t capacity() const { return capacity_; }
  const char* data() const { return data_ + begin_; }
  std::string_view view() const { return {data_ + begin_, size()}; }

  void append(std::string_view text) {
    std::memcpy(reserve(text.size()), text.data(), text.size());
    end_ += text.size();
  }
  void append(char c) {
    *reserve(1) = c;
    ++end_;
  }

  // Room for at least `size` bytes behind the contents; write there, then call grew().
  char* reserve(std::size_t size) {
    if (capacity_ - end_ < size) make_room(size);
    return data_ + end_;
  }
  std::size_t room() const { return capacity_ - end_; }
  void grew(std::size_t size) { end_ += size; }

  void consume(std::size_t size) {
    begin_ += size;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  // Drops what lies behind the first `size` bytes.
  void truncate(std::size_t size) { end_ = begin_ + size; }

  void clear() { begin_ = end_ = 0; }

  // Gives memory above `keep` back to the allocator when the queue is empty.
  void shrink(std::size_t keep) {
    if (!empty() || capacity_ <= keep) return;
    delete[] std::exchange(data_, nullptr);
    begin_ = end_ = capacity_ = 0;
  }

 private:
  void make_room(std::size_t size) {
    const std::size_t used = this->size();
    if (begin_ >= used && capacity_ - used >= size) {
      std::memcpy(data_, data_ + begin_, used);
    } else {
      std::size_t capacity = capacity_ < 512 ? 512 : capacity_ * 2;
      while (capacity - used < size) capacity *= 2;
      char* data = new char[capacity];
      if (used != 0) std::memcpy(data, data_ + begin_, used);
      delete[] std::exchange(data_, data);
      capacity_ = capacity;
    }
    begin_ = 0;
    end_ = used;
  }

  char* data_ = nullptr;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace minod
