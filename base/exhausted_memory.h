// What happens when no memory is left, which no function here is prepared to be told.
#pragma once

namespace minod {

// From then on the process says so and ends with status 1 when the system, or a limit that was set for it, gives no
// more. Nothing that was not acknowledged before is acknowledged by that. For main().
void end_on_exhausted_memory();

}  // namespace minod
