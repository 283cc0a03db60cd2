// Takes what messages are made of out of bytes: docs/FORMAT.md, "Between nodes".
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/endian.h"
#include "cluster/message.h"
#include "cluster/wire.h"

namespace minod {

// Reads what a peer sent; once something is wrong, all that follows is zero and ok() says so.
class WireReader {
 public:
  explicit WireReader(Bytes from) : from_(from) {}

  bool ok() const { return ok_; }
  Bytes rest() const { return from_; }
  void must(bool holds) { ok_ = ok_ && holds; }

  template <std::integral T>
  T number() {
    if (from_.size() < sizeof(T)) ok_ = false;
    if (!ok_) return 0;
    const T value = load_big<T>(from_.data());
    from_ = from_.subspan(sizeof(T));
    return value;
  }
  Bytes bytes(std::size_t size) {
    must(size <= from_.size());
    if (!ok_) return {};
    const Bytes taken = from_.first(size);
    from_ = from_.subspan(size);
    return taken;
  }
  bool flag() {
    const auto value = number<std::uint8_t>();
    must(value <= 1);
    return value == 1;
  }
  Offset offset() {
    const Offset value(number<std::int64_t>());
    must(value >= kFirstOffset);
    return value;
  }
  std::int64_t count() {
    const auto value = number<std::int64_t>();
    must(value >= 0);
    return value;
  }
  LogName log() {
    LogName name;
    name.db = number<std::int16_t>();
    name.partition = number<std::int16_t>();
    must(name.db >= 0 && name.partition >= 0);
    return name;
  }
  Epoch epoch() {
    const Epoch value{number<std::int32_t>()};
    must(value >= Epoch{0});
    return value;
  }
  MemberId member() {
    MemberId id;
    id.high = number<std::uint64_t>();
    id.low = number<std::uint64_t>();
    return id;
  }
  Leadership leadership() {
    Leadership value;
    value.epoch = epoch();
    value.leader = member();
    return value;
  }
  SetVersion version() {
    SetVersion value;
    value.epoch = epoch();
    value.number = number<std::int32_t>();
    must(value.number >= 0);
    return value;
  }
  InSyncSet set() {
    InSyncSet value;
    value.version = version();
    value.members = members();
    value.known = members();
    return value;
  }
  std::vector<MemberId> members() {
    std::vector<MemberId> found;
    const auto count = number<std::uint16_t>();
    must(count <= kSetMembersMax);
    for (std::uint16_t i = 0; ok_ && i < count; ++i) {
      found.push_back(member());
      must(i == 0 || found[i - 1u] < found[i]);
    }
    return found;
  }
  std::vector<LogName> logs() {
    std::vector<LogName> found;
    const auto count = number<std::uint16_t>();
    must(count <= kLogsMax);
    for (std::uint16_t i = 0; ok_ && i < count; ++i) found.push_back(log());
    return found;
  }
  std::vector<EpochLine> lines() {
    std::vector<EpochLine> found;
    const auto count = number<std::uint16_t>();
    must(count <= kEpochsMax);
    for (std::uint16_t i = 0; ok_ && i < count; ++i) {
      EpochLine line;
      line.leadership = leadership();
      line.start = offset();
      must(found.empty() || (found.back().leadership.epoch < line.leadership.epoch && found.back().start < line.start));
      found.push_back(line);
    }
    return found;
  }

 private:
  Bytes from_;
  bool ok_ = true;
};

}  // namespace minod
