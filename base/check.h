// Broken invariants abort, in every build. A check speaks of what this process controls, never of what a client, a peer
// or a file says: those get an Error.
#pragma once

namespace minod {

[[noreturn]] void invariant_broken(const char* invariant, const char* file, int line);

inline void check(bool holds, const char* invariant, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (!holds) [[unlikely]] {
    invariant_broken(invariant, file, line);
  }
}

}  // namespace minod
