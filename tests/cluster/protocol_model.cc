#include "tests/cluster/protocol_model.h"

#include <deque>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/random.h"

namespace minod {

namespace {

constexpr std::size_t kWalkLength = 120;

struct KeyHash {
  std::size_t operator()(const World::Key& key) const { return key.low; }
};

std::string trace_of(World world, const std::vector<Move>& moves, const std::string& wrong) {
  std::string trace;
  for (const Move& move : moves) {
    trace += "\n  " + world.describe(move);
    world.make(move);
  }
  return trace + "\n  => " + wrong;
}

// What nodes do by themselves comes more often than what is done to them, or little would ever be committed.
std::uint64_t weight_of(const Move& move) {
  switch (move.kind) {
    case Move::Kind::kDeliver:
      return 12;
    case Move::Kind::kAppend:
    case Move::Kind::kDurable:
    case Move::Kind::kRetry:
      return 8;
    case Move::Kind::kDrop:
    case Move::Kind::kLose:
      return 2;
    default:
      return 1;
  }
}

const Move& any_of(const std::vector<Move>& moves, Random& random) {
  std::uint64_t all = 0;
  for (const Move& move : moves) all += weight_of(move);
  std::uint64_t at = random.below(all);
  for (const Move& move : moves) {
    if (at < weight_of(move)) return move;
    at -= weight_of(move);
  }
  return moves.back();
}

struct Step {
  std::size_t parent;
  Move move;
};

std::vector<Move> way_to(const std::vector<Step>& steps, std::size_t at) {
  std::vector<Move> moves;
  for (; at != 0; at = steps[at].parent) moves.insert(moves.begin(), steps[at].move);
  return moves;
}

}  // namespace

ModelResult search(const GroupOptions& options, const WorldBounds& bounds, std::size_t states_max) {
  const World first(options, bounds);
  ModelResult result;
  std::unordered_set<World::Key, KeyHash> seen{first.key()};
  std::vector<Step> steps{Step{0, {}}};
  std::deque<std::pair<World, std::size_t>> frontier;
  frontier.emplace_back(first, 0);
  while (!frontier.empty() && seen.size() < states_max) {
    const auto [world, number] = std::move(frontier.front());
    frontier.pop_front();
    for (const Move& move : world.moves()) {
      World next = world;
      next.make(move);
      ++result.moves;
      if (!seen.insert(next.key()).second) continue;
      steps.push_back(Step{number, move});
      if (const auto wrong = next.violation()) {
        result.states = seen.size();
        result.lost = trace_of(first, way_to(steps, steps.size() - 1), *wrong);
        return result;
      }
      frontier.emplace_back(std::move(next), steps.size() - 1);
    }
  }
  result.states = seen.size();
  result.complete = frontier.empty();
  return result;
}

ModelResult walk(const GroupOptions& options, const WorldBounds& bounds, std::uint64_t seed, std::size_t moves_max) {
  const World first(options, bounds);
  Random random(seed);
  ModelResult result;
  std::vector<Move> made;
  while (result.moves < moves_max) {
    World world = first;
    made.clear();
    while (made.size() < kWalkLength) {
      const std::vector<Move> moves = world.moves();
      if (moves.empty()) break;
      made.push_back(any_of(moves, random));
      world.make(made.back());
      ++result.moves;
      if (const auto wrong = world.violation()) {
        result.lost = trace_of(first, made, *wrong);
        return result;
      }
    }
  }
  return result;
}

}  // namespace minod
