// What must hold of the batches that come with an Answer before a single one is appended.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "cluster/message.h"

namespace minod {

// Each batch is whole and its CRC right; the first begins at answer.begin, each next one where the one before ended;
// each is of the epoch that answer.epochs names for its offsets. Returns where the last one ends, which takes the place
// of answer.next. kCorrupt: none of them is to be appended, and the leader is to be asked again.
Result<Offset> check_shipped(const Answer& answer, Bytes batches);

}  // namespace minod
