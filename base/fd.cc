#include "base/fd.h"

#include <unistd.h>

namespace minod {

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace minod
