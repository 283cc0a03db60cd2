// Every limit of the network side, by name. Where Redis has an option for it, it is set by that name.
#pragma once

#include <cstddef>

namespace minod {

struct RespLimits {
  std::size_t bulk_bytes_max = std::size_t{64} << 20;  // proto-max-bulk-len; 64 MiB, may be raised to 512 MiB
  std::size_t argument_count_max = 1024 * 1024;        // Redis's own
  std::size_t inline_bytes_max = 64 * 1024;            // Redis's own
  // A client that has not authenticated may not make the server hold much (CVE-2021-32675).
  std::size_t unauthenticated_bulk_bytes_max = 16 * 1024;
  std::size_t unauthenticated_argument_count_max = 10;
};

// Of one transaction, from MULTI or the first WATCH to EXEC. The store has limits of its own: store/transaction.h.
inline constexpr std::size_t kQueuedCommandsMax = std::size_t{64} << 10;
inline constexpr std::size_t kQueuedBytesMax = std::size_t{1} << 30;  // arguments, watched keys

inline constexpr std::size_t kReadBytesMin = 2 * 1024;     // a socket read asks for this much at first,
inline constexpr std::size_t kReadChunkBytes = 64 * 1024;  // for this much when the client sends more,
inline constexpr std::size_t kReadBytesMax = 1024 * 1024;  // and for up to this much within a large value
// A client that does not read its replies is not served further above this; what one command answers may exceed it.
inline constexpr std::size_t kUnreadRepliesMax = std::size_t{1} << 20;
inline constexpr std::size_t kMaxClientsDefault = 10'000;                      // maxclients
inline constexpr std::size_t kOutputBytesMaxDefault = std::size_t{256} << 20;  // client-output-buffer-limit normal

}  // namespace minod
