// How members' messages travel: connections in the server, a simulated network in tests.
#pragma once

#include <cstddef>

#include "base/shared_bytes.h"
#include "cluster/log_name.h"
#include "cluster/member.h"
#include "cluster/message.h"

namespace minod {

class Transport {
 public:
  virtual ~Transport() = default;

  // Never blocks, and calls nothing back. The message may be lost, late or repeated: the protocol bears it. `batches`,
  // raw record batches one behind the other, travel behind an Answer with records; bytes of a file, behind
  // SegmentBytes; null otherwise.
  virtual void send(MemberId to, const LogName& log, Message message, SharedBytes batches) = 0;

  // Bytes handed over for `to` that have not left yet. Above a limit no more records are read for it.
  virtual std::size_t backlog(MemberId to) const = 0;
};

}  // namespace minod
