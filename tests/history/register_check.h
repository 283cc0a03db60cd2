// Whether one key's history is linearizable: whether each operation can be given a moment between its start and its end
// so that every read gives what the last change before it left. O(n log n), exact, for values that are written once.
//
// The method is Gibbons and Korach's ("Testing shared memories", SIAM J. Comput. 26/4, 1997). All operations on a value
// form a cluster; its zone runs from its least end to its greatest start. A zone that runs forward holds the key for
// all of that time. A cluster whose zone runs backward fits into any one moment of it that no forward zone holds.
// Erasing and reading nothing have no value that tells which erasure was seen. They are placed by a sweep over the time
// between the forward zones, each as late as it can be: having no value never stands in the way of anything but a read
// that does, so of two places for an erasure the later one serves whatever the earlier one would that can still be
// served.
#pragma once

#include <optional>
#include <string>

#include "tests/history/operation.h"

namespace minod::history {

// Of a key that begins without a value. Nothing: it is linearizable; otherwise what contradicts it, with the
// operations. Each value is written once; reads and takes that are not certain are of no value.
std::optional<std::string> contradiction(const Operations& operations);

}  // namespace minod::history
