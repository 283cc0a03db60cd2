#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace minod {

void invariant_broken(const char* invariant, const char* file, int line) {
  std::fprintf(stderr, "minod: invariant broken: %s (%s:%d); this is a bug, the log on disk is intact\n", invariant,
               file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace minod
