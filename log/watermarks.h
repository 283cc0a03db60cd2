// How far a partition's log has got. Each mark is an end: it speaks of all offsets below it.
#pragma once

#include "base/check.h"
#include "base/ids.h"

namespace minod {

// The one place where marks change, and where their order is asserted:
//   checkpointed <= committed <= safe <= durable <= written <= appended
class Watermarks {
 public:
  // All marks at `end`: what a restart found is durable, and committed as far as this node alone can say.
  explicit Watermarks(Offset end = kFirstOffset) : Watermarks(end, end) {}
  Watermarks(Offset end, Offset committed)
      : checkpointed_(kFirstOffset), committed_(committed), safe_(end), durable_(end), written_(end), appended_(end) {
    check(committed <= end, "what is committed is there");
  }

  Offset checkpointed() const { return checkpointed_; }  // restored without reading the log
  Offset committed() const { return committed_; }        // durable wherever the policy demands it
  Offset safe() const { return safe_; }                  // durable, and no transaction lacks a part in another log
  Offset durable() const { return durable_; }            // survives a power loss of this node
  Offset written() const { return written_; }            // survives a kill of this process
  Offset appended() const { return appended_; }          // has an offset and is visible in memory: the log end offset

  void append_to(Offset end) { move(appended_, end); }
  void write_to(Offset end) { move(written_, end); }
  void make_durable_to(Offset end) { move(durable_, end); }
  void make_safe_to(Offset end) { move(safe_, end); }
  void commit_to(Offset end) { move(committed_, end); }
  void checkpoint_to(Offset end) { move(checkpointed_, end); }

 private:
  void move(Offset& mark, Offset to) {
    check(mark <= to, "a watermark never goes back");
    mark = to;
    check(checkpointed_ <= committed_ && committed_ <= safe_ && safe_ <= durable_ && durable_ <= written_ &&
              written_ <= appended_,
          "checkpointed <= committed <= safe <= durable <= written <= appended");
  }

  Offset checkpointed_;
  Offset committed_;
  Offset safe_;
  Offset durable_;
  Offset written_;
  Offset appended_;
};

}  // namespace minod
