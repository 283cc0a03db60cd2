// What can happen next in a World, and in which words it is told.
#include <algorithm>
#include <array>

#include "tests/cluster/protocol_world.h"

namespace minod {

std::vector<Move> World::moves() const {
  using Kind = Move::Kind;
  std::vector<Move> moves;
  for (std::size_t m = 0; m < network_.size(); ++m) {
    const std::size_t to = index_of(network_[m].envelope.to);
    if (to == kNodes) continue;
    moves.push_back({Kind::kDeliver, to, m});
    if (bounds_->losses) moves.push_back({Kind::kLose, to, m});
    if (repeats_ < bounds_->repeats && !network_[m].again) moves.push_back({Kind::kRepeat, to, m});
  }
  for (std::size_t i = 0; i < kNodes; ++i) {
    const ReplicaState& state = nodes_[i].state();
    if (nodes_[i].accepts_writes() && state.end.value() < bounds_->records) moves.push_back({Kind::kAppend, i});
    if (state.durable < state.end) moves.push_back({Kind::kDurable, i});
    add_rebuilding(i, moves);
    const bool fetches = state.role == Role::kFollower && state.following != kNobody && !state.copying;
    if (fetches && !waits_for(nodes_[i].self())) moves.push_back({Kind::kRetry, i});
    if (crashes_ < bounds_->crashes) {
      moves.push_back({Kind::kRestart, i, 0});
      if (state.durable < state.end) moves.push_back({Kind::kRestart, i, 1});
    }
    if (replaced_ < bounds_->replaced_disks && !nodes_[i].leads()) moves.push_back({Kind::kReplaceDisk, i});
    add_operations(i, moves);
  }
  return moves;
}

// What operators and time do.
void World::add_operations(std::size_t i, std::vector<Move>& moves) const {
  using Kind = Move::Kind;
  const Replica& node = nodes_[i];
  for (std::size_t j = 0; j < kNodes; ++j) {
    if (j == i) continue;
    const MemberId other = nodes_[j].self();
    const bool may_hand_over = hand_overs_ < bounds_->hand_overs && node.leads() && node.set()->holds(other);
    if (may_hand_over) moves.push_back({Kind::kHandOver, i, j});
    if (node.leads() && drops_ < bounds_->drops && node.set()->holds(other)) moves.push_back({Kind::kDrop, i, j});
    const bool elsewhere = node.state().role == Role::kFollower && node.state().following != other;
    if (elsewhere && nodes_[j].leads()) {
      moves.push_back({Kind::kFollow, i, j});
    }
  }
  if (node.leads() || term_of(node.leadership().epoch) >= bounds_->terms) return;
  for (std::size_t voters = 1; voters < (bounds_->slow_votes ? 2 : 4); ++voters) {
    moves.push_back({Kind::kPromote, i, voters});
  }
}

// One log at a time is lost: what is committed is on two disks.
void World::add_rebuilding(std::size_t i, std::vector<Move>& moves) const {
  using Kind = Move::Kind;
  const Replica& node = nodes_[i];
  if (node.state().copying) moves.push_back({Kind::kCopied, i});
  const auto& state = node.state();
  if (bounds_->floors && node.leads() && state.first < node.committed()) moves.push_back({Kind::kFloor, i});
  const bool none_incomplete = std::ranges::none_of(
      nodes_, [](const Replica& one) { return one.state().stored.incomplete || one.state().copying; });
  const bool may_damage = damages_ < bounds_->damages && !node.leads() && state.end > kFirstOffset;
  if (may_damage && none_incomplete) moves.push_back({Kind::kDamage, i});
}

// A fetch or its answer is under way.
bool World::waits_for(MemberId id) const {
  return std::ranges::any_of(network_, [&](const InFlight& one) {
    return (one.from == id && std::holds_alternative<Fetch>(one.envelope.message)) ||
           (one.envelope.to == id && std::holds_alternative<Answer>(one.envelope.message));
  });
}

std::string World::describe(const Move& move) const {
  using Kind = Move::Kind;
  const std::string name = name_of(nodes_[move.node].self());
  const auto other = [&] { return name_of(nodes_[move.other].self()); };
  switch (move.kind) {
    case Kind::kDeliver:
    case Kind::kRepeat:
    case Kind::kLose: {
      static constexpr std::array kKinds{"fetch",    "answer",  "refusal",  "promise",
                                         "promised", "inquiry", "standing", "hand-over"};
      const InFlight& one = network_[move.other];
      return name_of(one.from) + "'s " + kKinds[one.envelope.message.index()] +
             (move.kind == Kind::kLose ? " does not reach " : " reaches ") + name +
             (move.kind == Kind::kRepeat ? ", and will again" : "");
    }
    case Kind::kAppend:
      return name + " appends";
    case Kind::kDurable:
      return name + " is durable";
    case Kind::kRetry:
      return name + " fetches again";
    case Kind::kDrop:
      return name + " drops " + other();
    case Kind::kFollow:
      return name + " follows " + other();
    case Kind::kPromote:
      return name + " is promoted" + (bounds_->slow_votes ? "" : ", heard by " + std::to_string(move.other));
    case Kind::kRestart:
      return name + (move.other == 0 ? " loses power" : " is killed");
    case Kind::kReplaceDisk:
      return name + " gets an empty disk";
    case Kind::kHandOver:
      return name + " is to hand over to " + other();
    case Kind::kDamage:
      return name + "'s log is damaged";
    case Kind::kCopied:
      return name + " has copied what its leader has";
    case Kind::kFloor:
      return name + " ships no more what is committed";
  }
  return "";
}

}  // namespace minod
