// How long the kernel lets this thread run before it looks for another one. One that becomes ready interrupts it only
// when its own slice is shorter. Threads inherit it.
#pragma once

#include "base/clock.h"

namespace minod {

// Linux 6.12 and later; others ignore the wish. 100 us to 100 ms.
void set_time_slice(Nanos slice);

}  // namespace minod
