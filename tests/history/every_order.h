// The definition of linearizability, tried out: every order that the operations may have had. Exponential; what the
// fast check is compared with.
#pragma once

#include "tests/history/operation.h"

namespace minod::history {

// Of a key that begins without a value. At most 20 operations.
bool has_an_order(const Operations& operations);

}  // namespace minod::history
