// Puts what messages are made of into bytes: docs/FORMAT.md, "Between nodes".
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "base/endian.h"
#include "cluster/message.h"
#include "cluster/wire.h"

namespace minod {

class WireWriter {
 public:
  template <std::integral T>
  void add(T value) {
    out_.resize(out_.size() + sizeof value);
    store_big(out_.data() + out_.size() - sizeof value, value);
  }
  void add(Bytes bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  void add(bool value) { add(static_cast<std::uint8_t>(value)); }
  void add(Offset value) { add(value.value()); }
  void add(MemberId value) {
    add(value.high);
    add(value.low);
  }
  void add(Leadership value) {
    add(value.epoch.value);
    add(value.leader);
  }
  void add(SetVersion value) {
    add(value.epoch.value);
    add(value.number);
  }
  void add(const std::vector<MemberId>& members) {
    add(static_cast<std::uint16_t>(members.size()));
    for (const MemberId member : members) add(member);
  }
  void add(const InSyncSet& set) {
    check(set.known.size() <= kSetMembersMax, "a set fits a message");
    add(set.version);
    add(set.members);
    add(set.known);
  }
  void add(const std::vector<EpochLine>& lines) {
    check(lines.size() <= kEpochsMax, "the epochs of a log fit a message");
    add(static_cast<std::uint16_t>(lines.size()));
    for (const EpochLine& line : lines) {
      add(line.leadership);
      add(line.start);
    }
  }

  void add(const Fetch& one) {
    add(one.known);
    add(one.last);
    add(one.end);
    add(one.durable);
    add(one.told);
    add(one.set);
    add(one.generation);
    add(one.incomplete);
    add(one.wants);
  }
  void add(const Answer& one) {
    add(one.leadership);
    add(one.begin);
    add(one.next);
    add(one.epochs);
    add(one.divergence.has_value());
    if (one.divergence) {
      add(one.divergence->leadership);
      add(one.divergence->end);
      add(one.last);
    }
    add(one.first);
    add(one.committed);
    add(one.set);
    add(one.in_force);
    add(one.generation);
    add(one.complete);
  }
  void add(const Refusal& one) { add(one.known); }
  void add(const Promise& one) { add(one.wanted); }
  void add(const Promised& one) {
    add(one.wanted);
    add(one.counts);
    add(one.set);
    add(one.logs);
  }
  void add(const Inquiry&) {}
  void add(const Standing& one) {
    add(one.promised);
    add(one.counts);
    add(one.set);
  }
  void add(const HandOver& one) {
    add(one.leadership);
    add(one.end);
  }
  void add(const std::vector<LogName>& names) {
    check(names.size() <= kLogsMax, "the logs of a partition fit a message");
    add(static_cast<std::uint16_t>(names.size()));
    for (const LogName name : names) {
      add(name.db);
      add(name.partition);
    }
  }
  void add(const Logs& one) { add(one.names); }
  void add(const Lend& one) { add(one.term); }
  void add(const SegmentsWanted& one) { add(one.known); }
  void add(const Segments& one) {
    check(one.segments.size() <= kSegmentsMax, "the segments of a log fit a message");
    add(one.leadership);
    add(one.end);
    add(one.epochs);
    add(static_cast<std::uint16_t>(one.segments.size()));
    for (const SegmentEntry entry : one.segments) {
      add(entry.base);
      add(entry.size);
    }
  }
  void add(const SegmentRead& one) {
    add(one.base);
    add(one.position);
    add(one.size);
  }
  void add(const SegmentBytes& one) {
    add(one.base);
    add(one.position);
    add(one.file_size);
  }

  std::vector<std::byte>& bytes() { return out_; }

 private:
  std::vector<std::byte> out_;
};

}  // namespace minod
