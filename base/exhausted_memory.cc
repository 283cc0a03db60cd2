#include "base/exhausted_memory.h"

#include <unistd.h>

#include <new>
#include <string_view>

namespace minod {

namespace {

// Takes no memory itself. Not std::exit(): destructors would go on with a store that stopped between two steps.
[[noreturn]] void end_process() {
  constexpr std::string_view kWords =
      "minod: out of memory: the system, or a limit set for this process, gives no more; what was acknowledged is on "
      "disk. Lower maxmemory, or raise the limit, and start it again\n";
  (void)!write(STDERR_FILENO, kWords.data(), kWords.size());
  _exit(1);
}

}  // namespace

void end_on_exhausted_memory() { std::set_new_handler(end_process); }

}  // namespace minod
