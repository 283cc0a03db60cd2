// Opens a blocking socket to an address, in a limited time.
#pragma once

#include <chrono>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "net/resp/client.h"

namespace minod::resp {

// Tries every address that the host's name has, in the resolver's order. The socket has TCP_NODELAY.
Result<Fd> connect_socket(const Address& address, std::chrono::milliseconds timeout);

// "127.0.0.1:6379", "[::1]:6379" or a path.
std::string place_of(const Address& address);

}  // namespace minod::resp
