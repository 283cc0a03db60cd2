// The seam for time. One implementation reads the system's clocks, one is moved by the simulator. Below net/ nobody
// reads a clock in another way, and apply() not even this one: time inside a record is the leader's stamp.
#pragma once

#include "base/ids.h"

namespace minod {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual UnixMillis now() const = 0;
  virtual MonotonicNanos monotonic() const = 0;
};

class SystemClock final : public Clock {
 public:
  UnixMillis now() const override;
  MonotonicNanos monotonic() const override;
};

}  // namespace minod
