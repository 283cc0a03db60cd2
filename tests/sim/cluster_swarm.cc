#include "tests/sim/cluster_swarm.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace minod {

namespace {

constexpr std::uint64_t kPatience = 400;  // turns without a leader before the operator promotes another

}  // namespace

ClusterSwarm::ClusterSwarm(std::uint64_t seed)
    : chance_(seed),
      network_(seed + 1),
      fates_(kNodes),
      clients_(seed + 2, 3, 4, seed % 2 == 0 ? std::vector<int>{0} : std::vector<int>{0, 3}) {
  draw_faults();
  options_.group.nodes = kNodes;
  options_.group.least = 2;
  options_.group.lag_max = Millis(1500);
  options_.group.idle_answer = Millis(60);
  options_.group.retry = Millis(200);
  options_.group.ask_max = Millis(600);
  options_.ring_bytes = chance_.one_in(2) ? std::size_t{4} << 20 : std::size_t{2000};
  options_.apply_queue_bytes = chance_.one_in(2) ? std::size_t{8} << 20 : std::size_t{3000};
  SimDiskOptions disk;
  disk.delay_max = 1 + static_cast<unsigned>(chance_.below(6));
  disk.tear_sectors = chance_.one_in(2);
  for (std::size_t i = 0; i < kNodes; ++i) {
    nodes_.push_back(std::make_unique<GroupNode>(network_.sent, i + 1, options_, disk));
    nodes_[i]->store_options.segment_bytes = std::int64_t{1} << 20;
    nodes_[i]->start();
  }
  nodes_[0]->replication().lead();
  fates_[0].led = true;
  for (std::size_t i = 1; i < kNodes; ++i) {
    nodes_[0]->replication().connected(nodes_[i]->self());
    nodes_[i]->replication().follow(nodes_[0]->self());
  }
}

void ClusterSwarm::draw_faults() {
  const auto rate = [&](std::uint64_t mean) { return chance_.one_in(2) ? mean / 8 + chance_.below(2 * mean) : 0; };
  faults_.power_loss = rate(500);
  faults_.kill = rate(500);
  faults_.pause = rate(400);
  faults_.cut = rate(300);
  faults_.isolate = rate(500);
  faults_.promote = rate(700);
  faults_.hand_over = rate(500);
  faults_.new_disk = rate(900);
  network_.faults.lose = rate(24);
  network_.faults.repeat = rate(80);
  network_.faults.delay_max = 1 + static_cast<unsigned>(chance_.below(8));
}

ClusterOutcome ClusterSwarm::run() {
  const std::uint64_t turns = 1500 + chance_.below(2500);
  while (turn_ < turns && !wrong_) {
    fault();
    operate();
    turn();
  }
  if (!wrong_) converge();
  ClusterOutcome outcome;
  outcome.hash = clients_.hash() ^ turn_;
  for (const auto& node : nodes_) outcome.hash = outcome.hash * 31 + node->disk().state_hash();
  outcome.commands = clients_.commands();
  outcome.acknowledged = clients_.acknowledged();
  outcome.turns = turn_;
  outcome.elections = elections_;
  outcome.wrong = wrong_;
  return outcome;
}

void ClusterSwarm::wrong(const std::string& what) {
  if (!wrong_) wrong_ = "turn " + std::to_string(turn_) + ": " + what;
}

// What happened, for who looks for the cause: MINOD_TRACE=1.
void ClusterSwarm::tell(const std::string& what, std::size_t i) const {
  static const bool wanted = std::getenv("MINOD_TRACE") != nullptr;
  if (wanted) std::printf("%6llu node %zu %s\n", static_cast<unsigned long long>(turn_), i, what.c_str());
}

// ---- what goes on by itself

void ClusterSwarm::turn() {
  ++turn_;
  for (std::size_t i = 0; i < kNodes; ++i) {
    GroupNode& node = *nodes_[i];
    if (paused(i)) continue;
    if (turn_ % 5 == 0) node.tick(Millis(5 * kTurnMs));
    node.turn();
    if (!node.failures.empty()) wrong("node " + std::to_string(i) + " has failed: " + node.failures.front());
  }
  deliver();
  look_for_leader();
  check_invariants();
  std::vector<bool> runs;
  for (std::size_t i = 0; i < kNodes; ++i) runs.push_back(nodes_[i]->is_up() && !paused(i));
  clients_.turn(nodes_, runs, leader_, turn_);
}

void ClusterSwarm::deliver() {
  std::vector<TestNetwork::Parcel> arriving = network_.turn(turn_);
  for (Fate& fate : fates_) {
    if (fate.waiting.empty() || fate.paused_to > turn_) continue;
    arriving.insert(arriving.begin(), std::make_move_iterator(fate.waiting.begin()),
                    std::make_move_iterator(fate.waiting.end()));
    fate.waiting.clear();
  }
  for (TestNetwork::Parcel& parcel : arriving) {
    for (std::size_t i = 0; i < kNodes; ++i) {
      if (nodes_[i]->self() != parcel.to || !nodes_[i]->is_up()) continue;
      if (paused(i)) {
        fates_[i].waiting.push_back(std::move(parcel));
        break;
      }
      Bytes bytes = parcel.frame;
      const auto frame = take_frame(bytes);
      if (!frame) return wrong("a frame can't be read: " + frame.error().message());
      nodes_[i]->replication().receive(parcel.from, frame->log, frame->message, frame->batches);
      break;
    }
  }
}

void ClusterSwarm::look_for_leader() {
  for (std::size_t i = 0; i < kNodes; ++i) {
    if (!nodes_[i]->is_up() || !nodes_[i]->replication().leads(0, 0)) continue;
    const std::int32_t term = nodes_[i]->replication().report().term;
    fates_[i].led = true;
    if (term > newest_term_) {
      ++elections_;
      tell("leads in term " + std::to_string(term), i);
    }
    newest_term_ = std::max(newest_term_, term);
  }
  leader_.reset();
  for (std::size_t i = 0; i < kNodes; ++i) {
    if (!nodes_[i]->is_up() || !nodes_[i]->replication().leads(0, 0)) continue;
    if (nodes_[i]->replication().report().term == newest_term_) leader_ = i;
  }
  without_leader_ = leader_ && !paused(*leader_) ? 0 : without_leader_ + 1;
}

// No two nodes lead in one term; what is committed is written.
void ClusterSwarm::check_invariants() {
  std::set<std::int32_t> terms;
  for (std::size_t i = 0; i < kNodes; ++i) {
    if (!nodes_[i]->is_up()) continue;
    const ReplicationReport report = nodes_[i]->replication().report();
    if (report.role == Role::kLeader && !terms.insert(report.term).second) {
      wrong("two nodes lead in term " + std::to_string(report.term));
    }
    if (report.committed > report.end) wrong("more is committed than there is");
  }
}

// ---- faults

void ClusterSwarm::fault() {
  if (turn_ >= links_heal_at_) network_.sent.cut.clear();
  const std::size_t i = any_node();
  if (now(faults_.power_loss) && nodes_[i]->is_up()) end_process(i, true);
  if (now(faults_.kill) && nodes_[i]->is_up()) end_process(i, false);
  if (now(faults_.pause) && nodes_[i]->is_up()) {
    tell("is paused", i);
    fates_[i].paused_to = turn_ + 50 + chance_.below(1500);
  }
  if (now(faults_.cut)) cut(i, any_node());
  if (now(faults_.isolate)) {
    for (std::size_t j = 0; j < kNodes; ++j) {
      cut(i, j);
      cut(j, i);
    }
  }
  if (now(faults_.promote)) promote(i);
  if (now(faults_.hand_over) && leader_ && !paused(*leader_) && i != *leader_) {
    tell("is to hand over to " + std::to_string(i), *leader_);
    nodes_[*leader_]->replication().hand_over(nodes_[i]->self());
  }
  if (now(faults_.new_disk)) replace_disk();
}

void ClusterSwarm::cut(std::size_t from, std::size_t to) {
  if (from == to) return;
  tell("is cut off from " + std::to_string(to), from);
  network_.sent.cut.insert({nodes_[from]->self(), nodes_[to]->self()});
  links_heal_at_ = std::max(links_heal_at_, turn_ + 50 + chance_.below(1500));
}

void ClusterSwarm::end_process(std::size_t i, bool power_fails) {
  tell(power_fails ? "loses power" : "is killed", i);
  clients_.lost(i);
  if (leader_ == i) leader_.reset();
  // A log that is being cut, or was just now, is shorter than it was said to be.
  const ReplicationReport report = nodes_[i]->replication().report();
  const Offset said = std::min(network_.said_durable(nodes_[i]->self()), Offset(report.end));
  fates_[i].durable = report.loading ? kFirstOffset : said;
  if (power_fails) {
    nodes_[i]->crash(Survival::kSome);
  } else {
    nodes_[i]->kill();
  }
  fates_[i].paused_to = 0;
  fates_[i].waiting.clear();
  fates_[i].up_at = turn_ + 10 + chance_.below(600);
}

void ClusterSwarm::start(std::size_t i) {
  tell("starts", i);
  nodes_[i]->start();
  Partition* const partition = nodes_[i]->store().partition(0, 0);
  const bool has_log = partition != nullptr && partition->has_log();
  if ((has_log ? partition->log().marks().appended() : kFirstOffset) < fates_[i].durable) {
    wrong("node " + std::to_string(i) + " has said that it has all below " + std::to_string(fates_[i].durable.value()));
  }
  // A node that led last leads again by itself, even if it was replaced meanwhile: it can't know.
  if (fates_[i].led && (chance_.one_in(2) || !leader_)) nodes_[i]->replication().lead();
  join(i);
}

// ---- the operator

// The node's link to the leader is there.
void ClusterSwarm::join(std::size_t i) {
  if (!leader_ || *leader_ == i || paused(i) || paused(*leader_) || !nodes_[i]->is_up()) return;
  nodes_[*leader_]->replication().connected(nodes_[i]->self());
  const ReplicationReport report = nodes_[i]->replication().report();
  const bool stands = report.term > newest_term_;  // for a lead of its own
  if ((stands && !calm_) || (report.role == Role::kFollower && report.leader == nodes_[*leader_]->self())) return;
  // Nobody may have told the one that led before.
  if (report.role == Role::kLeader && !calm_ && !chance_.one_in(4)) return;
  tell("follows " + std::to_string(*leader_), i);
  nodes_[i]->replication().follow(nodes_[*leader_]->self());
}

void ClusterSwarm::promote(std::size_t i) {
  if (!nodes_[i]->is_up() || paused(i) || nodes_[i]->replication().leads(0, 0)) return;
  // One that has no log yet does not know that there is one.
  Partition* const partition = nodes_[i]->store().partition(0, 0);
  if (partition == nullptr || !partition->has_log()) return;
  tell("is promoted", i);
  std::vector<MemberId> others;
  for (std::size_t j = 0; j < kNodes; ++j) {
    if (j != i) others.push_back(nodes_[j]->self());
  }
  nodes_[i]->replication().promote(std::move(others), false);
}

void ClusterSwarm::operate() {
  for (std::size_t i = 0; i < kNodes; ++i) {
    if (!nodes_[i]->is_up() && turn_ >= fates_[i].up_at) start(i);
    if (turn_ % 150 == 0) join(i);
  }
  if (without_leader_ > kPatience && without_leader_ % 200 == 0) promote(any_node());
}

bool ClusterSwarm::all_in_sync() const {
  if (!leader_) return false;
  const ReplicationReport report = nodes_[*leader_]->replication().report();
  for (const auto& node : nodes_) {
    if (!node->is_up()) return false;
  }
  return report.in_sync_least == kNodes && report.enough_in_sync;
}

// Of a follower, while all others have everything, and once: the group promises to bear the loss of one disk, and of
// another one when the first is in a set in force, which can't be seen from outside.
void ClusterSwarm::replace_disk() {
  const std::size_t i = any_node();
  if (next_id_ != kNodes + 1 || !all_in_sync() || !together() || i == *leader_) return;
  tell("gets an empty disk", i);
  end_process(i, true);
  fates_[i] = Fate();
  SimDiskOptions disk;
  nodes_[i] = std::make_unique<GroupNode>(network_.sent, next_id_++, options_, disk);
  nodes_[i]->store_options.segment_bytes = std::int64_t{1} << 20;
  nodes_[i]->start();
  join(i);
}

// ---- the end

void ClusterSwarm::converge() {
  clients_.quiet();
  calm_ = true;
  faults_ = ClusterFaults();
  network_.faults = NetworkFaults();
  network_.sent.cut.clear();
  for (std::size_t i = 0; i < kNodes; ++i) {
    fates_[i].paused_to = 0;
    fates_[i].up_at = 0;
  }
  // What was asked for before, an election or a hand-over, may still come true.
  while (!wrong_ && !(come_together() && compare_nodes())) {
  }
  if (wrong_) return;
  if (const auto why = clients_.contradiction()) wrong(*why);
}

bool ClusterSwarm::come_together() {
  std::uint64_t left = 30'000;
  while (--left != 0 && !wrong_ && !(clients_.at_rest() && together())) {
    operate();
    turn();
  }
  if (left != 0) return !wrong_;
  std::string states;
  for (const auto& node : nodes_) {
    const ReplicationReport report = node->replication().report();
    states += "\n  role " + std::to_string(static_cast<int>(report.role)) + ", term " + std::to_string(report.term) +
              ", committed " + std::to_string(report.committed) + " of " + std::to_string(report.end) +
              (node->refused.empty() ? "" : ", refused: " + node->refused.back());
  }
  wrong("without faults, the nodes do not come together" + states);
  return false;
}

bool ClusterSwarm::together() const {
  if (!leader_ || paused(*leader_)) return false;
  for (const int db : clients_.databases()) {
    Partition* const there = nodes_[*leader_]->store().partition(db, 0);
    if (there == nullptr) continue;
    if (!there->has_log() || !nodes_[*leader_]->replication().leads(db, 0)) return false;
    for (const auto& node : nodes_) {
      Partition* const here = node->is_up() ? node->store().partition(db, 0) : nullptr;
      if (here == nullptr || !here->has_log() || !node->replication().may_read(db, 0)) return false;
      if (here->log().marks().committed() != there->log().marks().appended()) return false;
      if (here->log().marks().appended() != there->log().marks().appended()) return false;
    }
  }
  return true;
}

// False: the leader has changed meanwhile.
bool ClusterSwarm::compare_nodes() {
  const std::size_t leader = *leader_;
  const std::int32_t term = newest_term_;
  for (std::size_t key = 0; key < clients_.keys().size(); ++key) {
    const auto expected = read(leader, key);
    if (!expected || leader_ != leader || newest_term_ != term) return false;
    clients_.note_read(key, *expected);
    for (std::size_t i = 0; i < kNodes; ++i) {
      auto found = read(i, key);
      // A follower puts into its index a little later what is committed.
      for (int tries = 0; found != expected && tries < 200 && !wrong_; ++tries) {
        turn();
        found = read(i, key);
      }
      if (leader_ != leader || newest_term_ != term) return false;
      if (found == expected) continue;
      wrong("of " + clients_.keys()[key] + " node " + std::to_string(i) + " has " +
            found.value_or("no answer").substr(0, 30) + ", and the leader, " + std::to_string(leader) + ", " +
            expected->substr(0, 30));
    }
  }
  for (const int db : clients_.databases()) compare_logs(db);
  return true;
}

void ClusterSwarm::compare_logs(int db) {
  std::vector<std::vector<std::byte>> contents;
  for (const auto& node : nodes_) {
    std::vector<std::byte> all;
    Partition* const partition = node->store().partition(db, 0);
    if (partition == nullptr || !partition->has_log()) return;
    for (const auto& [base, segment] : partition->log().segments()) {
      std::vector<std::byte> bytes(static_cast<std::size_t>(segment.end.value()));
      if (!segment.file->read_now(FilePosition(0), bytes)) return wrong("a segment can't be read");
      all.insert(all.end(), bytes.begin(), bytes.end());
    }
    contents.push_back(std::move(all));
  }
  for (std::size_t i = 1; i < kNodes; ++i) {
    if (contents[i] != contents[0])
      wrong("the logs of database " + std::to_string(db) + " at node 0 and " + std::to_string(i) + " differ");
  }
}

std::optional<std::string> ClusterSwarm::read(std::size_t i, std::size_t key) {
  const int db = clients_.database_of(key);
  if (!nodes_[i]->replication().may_read(db, 0)) return std::nullopt;
  const auto running = nodes_[i]->begin({"GET", clients_.keys()[key]}, db);
  for (int turns = 0; turns < 2000 && !wrong_; ++turns) {
    if (nodes_[i]->step(*running)) return running->reply;
    turn();
  }
  wrong("node " + std::to_string(i) + " does not answer");
  return std::nullopt;
}

}  // namespace minod
