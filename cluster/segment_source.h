// What a leader shows of its segment files to members that begin anew. Each has a list of its own, and the files of
// that list are held open, so that compaction and retention change nothing of what is being copied.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cluster/member.h"
#include "cluster/message.h"
#include "cluster/transport.h"
#include "log/log.h"

namespace minod {

inline constexpr std::int32_t kSegmentReadMax = std::int32_t{1} << 20;

class SegmentSource {
 public:
  SegmentSource(LogName name, Transport& transport) : name_(name), transport_(transport) {}

  // The list as of now, and where it ends. What was listed for this member before is let go.
  Segments list(MemberId member, const Log& log, Millis now);
  // Sends the bytes, or that the segment is gone: of no list, or the list was given up.
  void read(MemberId member, const SegmentRead& wanted, Millis now);
  void tick(Millis now);  // lists that nobody has used for a while go
  void clear() { lists_.clear(); }

 private:
  struct Held {
    Offset base;
    std::int64_t size = 0;
    std::shared_ptr<File> file;
  };
  struct List {
    std::vector<Held> segments;
    Millis used_at;
  };

  LogName name_;
  Transport& transport_;
  std::map<MemberId, List> lists_;
};

}  // namespace minod
