// How far a partition's log has got. Each mark is an end: it speaks of all offsets below it.
#pragma once

#include "base/check.h"
#include "base/ids.h"

namespace minod {

// The one place where marks change, and where their order is asserted:
//   checkpointed <= committed <= durable <= written <= appended
class Watermarks {
 public:
  // All marks at `end`: what a restart found is durable, and committed as far as this node alone can say.
  explicit Watermarks(Offset end = kFirstOffset)
      : checkpointed_(kFirstOffset), committed_(end), durable_(end), written_(end), appended_(end) {}

  Offset checkpointed() const { return checkpointed_; }  // restored without reading the log
  Offset committed() const { return committed_; }        // durable wherever the policy demands it
  Offset durable() const { return durable_; }            // survives a power loss of this node
  Offset written() const { return written_; }            // survives a kill of this process
  Offset appended() const { return appended_; }          // has an offset and is visible in memory: the log end offset

  void append_to(Offset end) { move(appended_, end); }
  void write_to(Offset end) { move(written_, end); }
  void make_durable_to(Offset end) { move(durable_, end); }
  void commit_to(Offset end) { move(committed_, end); }
  void checkpoint_to(Offset end) { move(checkpointed_, end); }

 private:
  void move(Offset& mark, Offset to) {
    check(mark <= to, "a watermark never goes back");
    mark = to;
    check(checkpointed_ <= committed_ && committed_ <= durable_ && durable_ <= written_ && written_ <= appended_,
          "checkpointed <= committed <= durable <= written <= appended");
  }

  Offset checkpointed_;
  Offset committed_;
  Offset durable_;
  Offset written_;
  Offset appended_;
};

}  // namespace minod
