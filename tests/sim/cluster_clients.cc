#include "tests/sim/cluster_clients.h"

#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "tests/history/register_check.h"

namespace minod {

namespace {

using Kind = history::Operation::Kind;

constexpr std::uint64_t kPatience = 600;  // turns

bool is_error(const std::string& reply) { return reply.starts_with('-'); }

std::optional<history::Value> value_of(const std::string& reply) {
  if (reply == "$-1\r\n") return std::nullopt;
  return std::stoull(reply.substr(reply.find('\n') + 1));
}

}  // namespace

ClusterClients::ClusterClients(std::uint64_t seed, std::size_t clients, std::size_t keys, std::vector<int> databases)
    : chance_(seed), databases_(std::move(databases)), histories_(keys), seen_(keys), clients_(clients) {
  for (std::size_t i = 0; i < keys; ++i) keys_.push_back("key" + std::to_string(i));
}

void ClusterClients::turn(const Nodes& nodes, const std::vector<bool>& runs, std::optional<std::size_t> leader,
                          std::uint64_t now) {
  for (UnderWay& client : clients_) {
    if (!client.running) {
      if (!quiet_ && chance_.one_in(3)) begin(client, nodes, runs, leader, now);
      continue;
    }
    if (runs[client.node] && nodes[client.node]->step(*client.running)) {
      end(client, client.of_leader && leader == client.node);
    } else if (now - client.began > kPatience) {
      give_up(client);
    }
  }
}

void ClusterClients::begin(UnderWay& client, const Nodes& nodes, const std::vector<bool>& runs,
                           std::optional<std::size_t> leader, std::uint64_t now) {
  const bool anywhere = chance_.one_in(5);
  const std::size_t at = leader && !anywhere ? *leader : static_cast<std::size_t>(chance_.below(nodes.size()));
  if (!runs[at]) return;
  Replication& replication = nodes[at]->replication();
  client.key = chance_.below(keys_.size());
  const int db = database_of(client.key);
  const bool leads = replication.leads(db, 0);
  if (!leads && !replication.may_read(db, 0)) return;
  client.node = at;
  client.began = now;
  client.of_leader = leads && leader == at;
  client.operation = history::Operation();
  client.operation.start = ++ticket_;
  const std::string& key = keys_[client.key];
  std::vector<std::string> command{"GET", key};
  const std::uint64_t drawn = leads ? chance_.below(10) : 9;
  if (drawn < 5) {
    client.operation.kind = Kind::kWrite;
    client.operation.value = next_value_++;
    std::string text = std::to_string(*client.operation.value) + " ";
    text.resize(text.size() + (chance_.one_in(20) ? chance_.below(30'000) : chance_.below(100)), 'v');
    command = {"SET", key, text};
  } else if (drawn == 5) {
    client.operation.kind = Kind::kErase;
    command = {"DEL", key};
  } else if (drawn == 6) {
    client.operation.kind = Kind::kTake;
    command = {"GETDEL", key};
  }
  ++commands_;
  client.running = nodes[at]->begin(std::move(command), db);
  if (leads || !client.running->executed) return;
  for (const Dependency& dependency : client.running->request.dependencies) {
    if (dependency.end > nodes[at]->log(db).marks().committed()) {
      above_ = key + " is read at node " + std::to_string(at) + " from above its high watermark";
    }
  }
}

void ClusterClients::end(UnderWay& client, bool of_leader) {
  const std::string reply = std::move(client.running->reply);
  client.running.reset();
  client.operation.end = ++ticket_;
  hash_ = XXH3_64bits_withSeed(reply.data(), reply.size(), hash_ + static_cast<std::uint64_t>(ticket_));
  if (is_error(reply)) return;  // refused, before anything was appended
  ++acknowledged_;
  const bool reads = client.operation.kind == Kind::kRead || client.operation.kind == Kind::kTake;
  if (reads) client.operation.value = value_of(reply);
  // Where it found nothing to erase, it has read.
  const bool erased = client.operation.kind == Kind::kErase ? reply != ":0\r\n" : client.operation.value.has_value();
  const bool only_read = client.operation.kind == Kind::kRead || (client.operation.kind != Kind::kWrite && !erased);
  if (only_read && !of_leader) {
    if (client.operation.value) seen_[client.key].emplace(*client.operation.value, client.operation.end);
    return;
  }
  histories_[client.key].push_back(client.operation);
}

// It may have happened, or may still.
void ClusterClients::give_up(UnderWay& client) {
  given_up_.emplace(client.node, std::move(client.running));
  if (client.operation.kind == Kind::kRead) return;
  client.operation.certain = false;
  client.operation.end = history::kNever;
  histories_[client.key].push_back(client.operation);
}

void ClusterClients::lost(std::size_t node) {
  for (UnderWay& client : clients_) {
    if (client.running && client.node == node) give_up(client);
  }
  given_up_.erase(node);
}

bool ClusterClients::at_rest() const {
  return std::ranges::none_of(clients_, [](const UnderWay& client) { return client.running != nullptr; });
}

void ClusterClients::note_read(std::size_t key, const std::string& reply) {
  history::Operation read;
  read.kind = Kind::kRead;
  read.start = ++ticket_;
  read.value = value_of(reply);
  read.end = ++ticket_;
  histories_[key].push_back(read);
}

// What a follower served was committed, so its write has happened, whatever its client was told.
std::optional<std::string> ClusterClients::contradiction() const {
  if (above_) return above_;
  for (std::size_t key = 0; key < keys_.size(); ++key) {
    history::Operations operations = histories_[key];
    for (history::Operation& operation : operations) {
      if (operation.kind != Kind::kWrite || operation.certain) continue;
      const auto seen = seen_[key].find(*operation.value);
      if (seen == seen_[key].end()) continue;
      operation.certain = true;
      operation.end = seen->second;
    }
    if (const auto why = history::contradiction(operations)) return keys_[key] + ": " + *why;
  }
  return std::nullopt;
}

}  // namespace minod
