// The numbers that cross function borders, each a type of its own, so that a record number is never taken for a byte
// position. A position compares; a distance adds; position + distance = position. Conversion is spelled, both ways.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace minod {

template <class Tag, class Rep>
class Distance {
 public:
  constexpr Distance() = default;
  constexpr explicit Distance(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }

  friend constexpr auto operator<=>(Distance, Distance) = default;
  friend constexpr Distance operator+(Distance a, Distance b) {
    return Distance(static_cast<Rep>(a.value_ + b.value_));
  }
  friend constexpr Distance operator-(Distance a, Distance b) {
    return Distance(static_cast<Rep>(a.value_ - b.value_));
  }
  constexpr Distance& operator+=(Distance other) { return *this = *this + other; }

 private:
  Rep value_ = 0;
};

template <class Tag, class Rep>
class Position {
 public:
  using Step = Distance<Tag, Rep>;

  constexpr Position() = default;
  constexpr explicit Position(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }

  friend constexpr auto operator<=>(Position, Position) = default;
  friend constexpr Position operator+(Position p, Step d) { return Position(static_cast<Rep>(p.value_ + d.value())); }
  friend constexpr Position operator-(Position p, Step d) { return Position(static_cast<Rep>(p.value_ - d.value())); }
  friend constexpr Step operator-(Position a, Position b) { return Step(static_cast<Rep>(a.value_ - b.value_)); }
  constexpr Position& operator+=(Step d) { return *this = *this + d; }

 private:
  Rep value_ = 0;
};

// A record's number in its partition's log, from 0; never reused.
using Offset = Position<struct OffsetTag, std::int64_t>;
using OffsetCount = Offset::Step;

// A byte within one segment file, and a number of such bytes.
using FilePosition = Position<struct FileTag, std::int64_t>;
using ByteCount = FilePosition::Step;

// Milliseconds since 1970-01-01 UTC, as records and expiries carry them.
using UnixMillis = Position<struct UnixTag, std::int64_t>;
using Millis = UnixMillis::Step;

// Monotonic nanoseconds, for measuring; meaningless across processes.
using MonotonicNanos = Position<struct MonotonicTag, std::int64_t>;
using Nanos = MonotonicNanos::Step;

// Leader epoch. Every start of a leader takes a greater one; it stands in every batch.
struct Epoch {
  std::int32_t value = 0;
  friend constexpr auto operator<=>(Epoch, Epoch) = default;
};

inline constexpr Offset kFirstOffset{0};
inline constexpr Offset kNoOffset{-1};
inline constexpr UnixMillis kNoTimestamp{-1};  // Kafka's: of a batch without records
inline constexpr UnixMillis kNeverExpires{std::numeric_limits<std::int64_t>::max()};

}  // namespace minod
