// Addresses held in one piece, without memory behind them until it is asked for: what grows in it never moves.
#pragma once

#include <cstddef>

namespace minod {

class ReservedMemory {
 public:
  // Holds `maximum` bytes of addresses, or as large a half, quarter, ... of it as the system grants (ulimit -v);
  // aborts the process when it grants nothing.
  explicit ReservedMemory(std::size_t maximum);
  ~ReservedMemory();
  ReservedMemory(const ReservedMemory&) = delete;
  ReservedMemory& operator=(const ReservedMemory&) = delete;

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

  // Makes whole pages readable and writable; they are zero and cost memory once written. False: the system refused.
  bool commit(std::size_t begin, std::size_t size);

  // Gives the memory of whole pages back; they stay readable and writable, and are zero again.
  void discard(std::size_t begin, std::size_t size);

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace minod
