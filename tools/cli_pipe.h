// minod-cli --pipe: raw protocol from stdin to the server as fast as it takes it, replies only counted.
#pragma once

#include "net/resp/client.h"

namespace minod {

// Returns an exit status. The end is known by the reply to an ECHO that is sent last.
int transfer_stdin(resp::Client& client);

}  // namespace minod
