// Blocking transfers of whole spans on a file descriptor, as both modes of AioDisk need them. Results are as the kernel
// gives them: bytes, or -errno. Any thread.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace minod {

// Until all is moved, the end of the file (reads), or an error. No alignment of their own: that is the descriptor's.
std::int64_t read_fully(int fd, std::int64_t position, MutableBytes into);
std::int64_t write_fully(int fd, std::int64_t position, Bytes bytes);

// The same through an O_DIRECT descriptor for any position, size and address: what is not aligned goes through an
// aligned buffer, and the blocks at the borders of a write are read, changed and written back.
std::int64_t read_direct(int fd, std::int64_t position, MutableBytes into);
std::int64_t write_direct(int fd, std::int64_t position, Bytes bytes);

}  // namespace minod
