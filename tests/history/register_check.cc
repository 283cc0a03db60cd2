#include "tests/history/register_check.h"

#include <algorithm>
#include <compare>
#include <set>
#include <utility>
#include <vector>

#include "base/check.h"

namespace minod::history {

namespace {

using Kind = Operation::Kind;
using Found = std::optional<std::string>;  // a contradiction

std::string told(const std::string& what, std::initializer_list<const Operation*> operations) {
  std::string text = what + ":";
  for (const Operation* operation : operations) text += " " + text_of(*operation) + ";";
  text.pop_back();
  return text;
}

// All operations on a value that was seen, or that was certainly written.
struct Cluster {
  const Operation* write = nullptr;
  const Operation* take = nullptr;
  const Operation* first_ended = nullptr;
  const Operation* last_started = nullptr;

  bool forward() const { return first_ended->end < last_started->start; }
};

// What needs one moment between forward zones.
struct Window {
  enum class Kind : std::uint8_t {
    kErasure,  // afterwards there is no value
    kReading,  // there is none
    kHolding,  // afterwards there is a value; nobody asks which
  };
  Kind kind;
  const Operation* begin;  // it is in time from this one's start
  const Operation* end;    // to this one's end
  bool certain = true;
};

// When something happens. What is moved out of a forward zone gets the moment before its begin or behind its end.
struct Moment {
  enum class Phase : std::uint8_t { kErasureIsDue, kReadingIsDue, kHoldingIsDue, kZone, kOpens };
  Ticket ticket;
  Phase phase;
  auto operator<=>(const Moment&) const = default;
};

struct Event {
  Moment at;
  std::size_t index;  // of a window, or of a forward zone
};

class Check {
 public:
  explicit Check(const Operations& operations) : operations_(operations) {}

  Found run() {
    if (auto found = gather_clusters()) return found;
    if (auto found = order_zones()) return found;
    if (auto found = place_windows()) return found;
    return sweep();
  }

 private:
  Found gather_clusters();
  Found add_cluster(const std::vector<const Operation*>& of_value, std::size_t begin, std::size_t end);
  Found order_zones();
  Found place_windows();
  Found sweep();

  void add_without_value(const Operation& operation);
  const Cluster* zone_around(Ticket ticket) const;
  void open(std::size_t index);
  Found due(std::size_t index);
  void erase_now();
  void hold_now();

  const Operations& operations_;
  std::vector<Cluster> zones_;  // that run forward; in order
  std::vector<Window> windows_;
  std::vector<Moment> due_;  // of each window
  std::vector<Event> events_;

  // Of the sweep.
  bool nothing_ = true;                                // the key has no value
  std::set<std::pair<Moment, std::size_t>> erasures_;  // open ones, by when they are due
  std::vector<std::size_t> readings_;                  // open ones
  std::vector<std::size_t> holdings_;
  std::vector<bool> placed_;  // by window
};

void Check::add_without_value(const Operation& operation) {
  if (operation.kind == Kind::kErase || (operation.kind == Kind::kTake && !operation.certain)) {
    windows_.push_back({Window::Kind::kErasure, &operation, &operation, operation.certain});
  } else if (operation.certain) {
    windows_.push_back({Window::Kind::kReading, &operation, &operation});
  }
}

Found Check::gather_clusters() {
  std::vector<const Operation*> of_value;
  for (const Operation& operation : operations_) {
    const bool sees = operation.kind == Kind::kRead || operation.kind == Kind::kTake;
    if (operation.kind == Kind::kErase || !operation.value || (sees && !operation.certain)) {
      add_without_value(operation);
    } else {
      of_value.push_back(&operation);
    }
  }
  std::ranges::sort(of_value, {}, [](const Operation* operation) { return std::pair(*operation->value, operation); });
  for (std::size_t begin = 0; begin < of_value.size();) {
    std::size_t end = begin + 1;
    while (end < of_value.size() && of_value[end]->value == of_value[begin]->value) ++end;
    if (auto found = add_cluster(of_value, begin, end)) return found;
    begin = end;
  }
  return std::nullopt;
}

Found Check::add_cluster(const std::vector<const Operation*>& of_value, std::size_t begin, std::size_t end) {
  Cluster cluster;
  cluster.first_ended = cluster.last_started = of_value[begin];
  for (std::size_t i = begin; i < end; ++i) {
    const Operation* operation = of_value[i];
    if (operation->end < cluster.first_ended->end) cluster.first_ended = operation;
    if (operation->start > cluster.last_started->start) cluster.last_started = operation;
    if (operation->kind == Kind::kWrite) {
      check(cluster.write == nullptr, "a value is written once");
      cluster.write = operation;
    } else if (operation->kind == Kind::kTake) {
      if (cluster.take != nullptr) return told("taken twice", {cluster.take, operation});
      cluster.take = operation;
    }
  }
  if (cluster.write == nullptr) return told("nobody wrote it", {of_value[begin]});
  if (!cluster.write->certain && end - begin == 1) return std::nullopt;  // it may as well not have happened
  if (cluster.first_ended->end < cluster.write->start) {
    return told("seen before it was written", {cluster.first_ended, cluster.write});
  }
  if (cluster.take != nullptr && cluster.take->end < cluster.last_started->start) {
    return told("there after it was taken", {cluster.take, cluster.last_started});
  }
  if (cluster.forward()) {
    zones_.push_back(cluster);
  } else {
    windows_.push_back({cluster.take != nullptr ? Window::Kind::kErasure : Window::Kind::kHolding, cluster.last_started,
                        cluster.first_ended});
  }
  return std::nullopt;
}

Found Check::order_zones() {
  std::ranges::sort(zones_, {}, [](const Cluster& zone) { return zone.first_ended->end; });
  for (std::size_t i = 0; i < zones_.size(); ++i) {
    if (i > 0 && zones_[i - 1].last_started->start > zones_[i].first_ended->end) {
      return told("each was there while the other was", {zones_[i - 1].first_ended, zones_[i - 1].last_started,
                                                         zones_[i].first_ended, zones_[i].last_started});
    }
    events_.push_back({{zones_[i].first_ended->end, Moment::Phase::kZone}, i});
  }
  return std::nullopt;
}

const Cluster* Check::zone_around(Ticket ticket) const {
  const auto behind =
      std::ranges::upper_bound(zones_, ticket, {}, [](const Cluster& zone) { return zone.first_ended->end; });
  if (behind == zones_.begin()) return nullptr;
  const Cluster& zone = *std::prev(behind);
  return ticket < zone.last_started->start ? &zone : nullptr;
}

Found Check::place_windows() {
  static constexpr Moment::Phase kDue[] = {Moment::Phase::kErasureIsDue, Moment::Phase::kReadingIsDue,
                                           Moment::Phase::kHoldingIsDue};
  due_.resize(windows_.size());
  placed_.resize(windows_.size());
  for (std::size_t i = 0; i < windows_.size(); ++i) {
    const Window& window = windows_[i];
    const Cluster* at_begin = zone_around(window.begin->start);
    const Cluster* at_end = zone_around(window.end->end);
    if (at_begin != nullptr && at_begin == at_end) {
      if (!window.certain) continue;
      return told("not between these, which saw one value",
                  {window.begin, window.end, at_begin->first_ended, at_begin->last_started});
    }
    const Ticket begin = at_begin != nullptr ? at_begin->last_started->start : window.begin->start;
    const Ticket end = at_end != nullptr ? at_end->first_ended->end : window.end->end;
    due_[i] = {end, kDue[static_cast<std::size_t>(window.kind)]};
    events_.push_back({{begin, Moment::Phase::kOpens}, i});
    events_.push_back({due_[i], i});
  }
  return std::nullopt;
}

// Those that only need to have been there have their moment right before.
void Check::erase_now() {
  hold_now();
  nothing_ = true;
  for (const std::size_t index : readings_) placed_[index] = true;
  readings_.clear();
}

void Check::hold_now() {
  nothing_ = false;
  for (const std::size_t index : holdings_) placed_[index] = true;
  holdings_.clear();
}

void Check::open(std::size_t index) {
  if (windows_[index].kind == Window::Kind::kErasure) {
    erasures_.emplace(due_[index], index);
  } else if ((windows_[index].kind == Window::Kind::kReading) == nothing_) {
    placed_[index] = true;
  } else {
    (windows_[index].kind == Window::Kind::kReading ? readings_ : holdings_).push_back(index);
  }
}

Found Check::due(std::size_t index) {
  switch (windows_[index].kind) {
    case Window::Kind::kErasure:
      // One that is not certain need not be; but it does no harm.
      if (erasures_.erase({due_[index], index}) != 0) erase_now();
      return std::nullopt;
    case Window::Kind::kReading:
      if (placed_[index]) return std::nullopt;
      if (erasures_.empty()) return told("nothing erased what was there", {windows_[index].begin});
      erasures_.erase(erasures_.begin());
      erase_now();
      return std::nullopt;
    case Window::Kind::kHolding:
      if (!placed_[index]) hold_now();
      return std::nullopt;
  }
  return std::nullopt;
}

Found Check::sweep() {
  std::ranges::sort(events_, {}, &Event::at);
  for (const Event& event : events_) {
    switch (event.at.phase) {
      case Moment::Phase::kZone:
        hold_now();
        if (zones_[event.index].take != nullptr) erase_now();
        break;
      case Moment::Phase::kOpens:
        open(event.index);
        break;
      default:
        if (auto found = due(event.index)) return found;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> contradiction(const Operations& operations) { return Check(operations).run(); }

}  // namespace minod::history
