#include "tests/cluster/transcript.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

namespace minod {

namespace {

std::string name_of(MemberId id) {
  return id == kNobody ? "-" : std::string(1, static_cast<char>('A' + static_cast<char>(id.low) - 1));
}

std::string text_of(Leadership one) {
  const int starts = one.epoch.value & ((1 << kStartBits) - 1);
  return name_of(one.leader) + std::to_string(term_of(one.epoch)) + "." + std::to_string(starts);
}

std::string text_of(const InSyncSet& set) {
  std::string text = "{";
  for (const MemberId member : set.members) text += name_of(member);
  return text + "}";
}

std::string text_of(Offset offset) { return std::to_string(offset.value()); }

std::string text_of(const Message& message) {
  if (const auto* fetch = std::get_if<Fetch>(&message)) {
    return std::string(fetch->wants ? "fetch" : "ack") + " of " + text_of(fetch->known) + ": end " +
           text_of(fetch->end) + " after " + text_of(fetch->last) + ", durable " + text_of(fetch->durable) +
           (fetch->incomplete ? ", incomplete" : "");
  }
  if (const auto* answer = std::get_if<Answer>(&message)) {
    if (answer->divergence) {
      return "answer of " + text_of(answer->leadership) + ": diverges, " + text_of(answer->divergence->leadership) +
             " ended at " + text_of(answer->divergence->end);
    }
    if (answer->first > answer->begin) {
      return "answer of " + text_of(answer->leadership) + ": nothing below " + text_of(answer->first) + " is shipped";
    }
    return "answer of " + text_of(answer->leadership) + ": [" + text_of(answer->begin) + ", " + text_of(answer->next) +
           "), committed " + text_of(answer->committed) + ", set " + text_of(answer->set);
  }
  if (const auto* refusal = std::get_if<Refusal>(&message)) return "refusal: " + text_of(refusal->known) + " leads";
  if (const auto* promise = std::get_if<Promise>(&message)) return "promise " + text_of(promise->wanted) + "?";
  if (std::holds_alternative<Inquiry>(message)) return "what do you know?";
  if (const auto* standing = std::get_if<Standing>(&message)) {
    return "I follow " + text_of(standing->promised) + (standing->counts ? "" : ", not counting") + ", set " +
           text_of(standing->set);
  }
  if (const auto* hand_over = std::get_if<HandOver>(&message)) {
    return "lead after " + text_of(hand_over->leadership) + ", from " + text_of(hand_over->end);
  }
  const auto& promised = std::get<Promised>(message);
  return "promised " + text_of(promised.wanted) + (promised.counts ? "" : ", not counting") + ", set " +
         text_of(promised.set);
}

}  // namespace

GroupOptions group(std::size_t nodes, std::size_t least) {
  GroupOptions options;
  options.nodes = nodes;
  options.least = least;
  return options;
}

Transcript pair_in_sync(std::size_t nodes, std::size_t least) {
  Transcript talk(group(nodes, least));
  talk.node('A');
  talk.node('B');
  talk.lead('A');
  talk.append('A', 5);
  talk.follow('B', 'A');
  talk.deliver();
  talk.take();
  return talk;
}

void Transcript::node(char name, StoredState stored, std::int64_t end) {
  disks_[name] = stored;
  nodes_.insert_or_assign(name, Replica(id_of(name), options_, std::move(stored), Offset(end)));
  nodes_.at(name).tick(now_);
  settle(name);
}

void Transcript::lead(char name) {
  nodes_.at(name).lead(Epoch{0});
  settle(name);
}

void Transcript::follow(char name, char leader) {
  nodes_.at(name).follow(id_of(leader));
  settle(name);
}

void Transcript::promote(char name, const std::string& others, bool accept_loss) {
  std::vector<MemberId> ids;
  for (const char other : others) ids.push_back(id_of(other));
  nodes_.at(name).promote(ids, accept_loss);
  settle(name);
}

void Transcript::append(char name, std::int64_t end, bool more) {
  nodes_.at(name).appended(Offset(end), more);
  settle(name);
}

void Transcript::tick(std::int64_t millis) {
  now_ += Millis(millis);
  for (auto& [name, node] : nodes_) {
    node.tick(now_);
    settle(name);
  }
}

void Transcript::drop(char leader, char member) {
  nodes_.at(leader).drop(id_of(member));
  settle(leader);
}

void Transcript::hand_over(char leader, char to) {
  nodes_.at(leader).hand_over(id_of(to));
  settle(leader);
}

void Transcript::set_first(char leader, std::int64_t first) {
  nodes_.at(leader).set_first(Offset(first), Offset(first));
}

void Transcript::start_anew(char name) {
  nodes_.at(name).start_anew();
  settle(name);
}

void Transcript::copied(char name, char leader) {
  const ReplicaState& source = nodes_.at(leader).state();
  nodes_.at(name).copied(source.end, source.stored.epochs.lines());
  settle(name);
}

void Transcript::restart(char name) {
  const Offset durable = nodes_.at(name).state().durable;
  node(name, disks_.at(name), durable.value());
}

void Transcript::cut_off(char name, bool off) {
  if (off) {
    cut_off_.insert(name);
  } else {
    cut_off_.erase(name);
  }
}

void Transcript::slow_disk(char name, bool slow) {
  if (slow) {
    slow_.insert(name);
  } else {
    slow_.erase(name);
    settle(name);
  }
}

void Transcript::settle(char name) {
  Replica& node = nodes_.at(name);
  for (;;) {
    if (!slow_.contains(name)) node.durable(node.state().end);
    Output output = node.take();
    const std::string who(1, name);
    if (output.refused) write(who + " refuses: " + *output.refused);
    if (output.role) {
      static constexpr const char* kRoles[] = {"follows", "is a candidate", "leads"};
      write(who + " " + kRoles[static_cast<int>(*output.role)] + ", " + text_of(node.leadership()));
    }
    if (output.cut) {
      write(who + " cuts its log at " + text_of(*output.cut));
      node.truncated();
    }
    if (output.wipe) {
      write(who + " wipes its log");
      node.wiped();
    }
    if (output.copy) write(who + " copies its log from " + name_of(node.state().following));
    if (output.committed) write(who + " knows that " + text_of(*output.committed) + " is committed");
    if (output.store) {
      disks_[name] = output.store->state;
      node.stored(output.store->number);
    }
    for (Envelope& envelope : output.messages) {
      const auto* const answer = std::get_if<Answer>(&envelope.message);
      if (answer != nullptr) node.shipped(envelope.to, answer->begin, answer->next);
      network_.push_back(InFlight{name, std::move(envelope)});
    }
    if (!output.store && !output.cut && !output.wipe && output.messages.empty()) return;
  }
}

void Transcript::deliver() {
  while (!network_.empty()) {
    const InFlight one = std::move(network_.front());
    network_.pop_front();
    const std::string to = name_of(one.envelope.to);
    const bool lost = cut_off_.contains(one.from) || cut_off_.contains(to[0]) || !nodes_.contains(to[0]);
    write(std::string(1, one.from) + " > " + to + "  " + text_of(one.envelope.message) + (lost ? "  (lost)" : ""));
    if (lost) continue;
    nodes_.at(to[0]).receive(id_of(one.from), one.envelope.message);
    settle(to[0]);
  }
}

void Transcript::expect(const std::string& name) {
  const std::string path = std::string(MINOD_TEST_DATA) + "/cluster/" + name + ".txt";
  const std::string text = take();
  if (std::getenv("MINOD_REWRITE") != nullptr) {
    std::ofstream(path) << text;
    return;
  }
  std::ifstream file(path);
  const std::string expected{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text, expected) << path;
}

std::string Transcript::take() { return std::exchange(text_, ""); }

}  // namespace minod
