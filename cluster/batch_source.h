// Whole batches of a log, read back from its segments: for members that are further behind than what is kept in RAM,
// and for what a follower has to apply and did not keep.
#pragma once

#include <cstddef>
#include <functional>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/shared_bytes.h"
#include "store/partition.h"

namespace minod {

struct BatchRun {
  SharedBytes bytes;
  Offset base;
  Offset next;  // behind the last batch
};

// Reads from offset `from`, which is written, about `bytes_max`, one batch at least; calls `done` from Disk::poll(). A
// batch that began before `from` (compaction joins batches) is cut: what comes begins exactly there. kNotFound: the log
// has nothing there any more, or not yet. The partition may be made anew meanwhile, but must be there.
void read_batches(Partition& partition, Offset from, std::size_t bytes_max,
                  std::function<void(const Result<BatchRun>&)> done);

// The batches at the front of `bytes`, which may end within one, as far as they have offsets from `from` on, and what
// is needed of the first (0: unknown) when there is not even one. Errors as of BatchView.
Result<BatchRun> take_batches(Bytes bytes, Offset from, std::size_t& needed);

}  // namespace minod
