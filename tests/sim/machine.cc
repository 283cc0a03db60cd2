#include "tests/sim/machine.h"

#include <algorithm>
#include <set>
#include <utility>

namespace minod {

Machine::Machine(const StoreOptions& options, const SimDiskOptions& disk) {
  begin(std::make_shared<State>());
  options_ = options;
  use_disk(disk);
  // What a backup takes along.
  check(replace_file(*disk_, "data", "minod.meta", as_bytes(std::string_view("format 1\n"))).has_value(), "a file");
}

Machine::Machine(const StoreOptions& options, std::unique_ptr<SimDisk> disk, const ManualClock& clock) {
  begin(std::make_shared<State>());
  StoreFixture::stop();
  options_ = options;
  disk_ = std::move(disk);
  clock_ = clock;
}

Machine::~Machine() { kill(); }

void Machine::stop() {
  settle();  // a backup ends, too
  backup_.reset();
  StoreFixture::stop();
}

void Machine::kill() {
  backup_.reset();
  disk_->kill();
  failures_.clear();
  if (!store_) return;
  store_->abandon();
  store_.reset();
}

void Machine::crash(Survival survival) {
  backup_.reset();
  if (store_) return StoreFixture::crash(survival);
  disk_->crash(survival);
  failures_.clear();
}

void Machine::begin(std::shared_ptr<const State> state) {
  connections_ = std::vector<PipelinedReplies>(connections_.size());
  passed_.clear();
  passed_.push_back({std::move(state), kFirstOffset});
  changed_.clear();
  first_ = acknowledged_ = durable_ = 0;
}

Offset Machine::log_end() const {
  const Partition* const partition = store_->partition(0, 0);
  return partition != nullptr && partition->has_log() ? partition->log().marks().appended() : kFirstOffset;
}

// The newest state that the command's reply says something of: the one that it made, or the one in which what it has
// seen was written.
std::uint64_t Machine::told_of(const Command& command, const State& before, const State& after) {
  std::uint64_t newest = first_;
  State either = before;
  either.insert(after.begin(), after.end());
  for (const auto& [key, stored] : either) {
    const auto old = before.find(key);
    const auto now = after.find(key);
    const bool same = (old == before.end()) == (now == after.end()) &&
                      (old == before.end() || (now != after.end() && old->second == now->second));
    if (!same) changed_[key] = newest = last();
  }
  // RENAME of what is not there tells nothing of its second key. A value that is no key is not in changed_.
  const std::size_t keys = command[0] == "RENAME" ? 2 : command.size();
  for (std::size_t i = 1; i < keys; ++i) {
    const auto seen = changed_.find(command[i]);
    if (seen != changed_.end()) newest = std::max(newest, seen->second);
  }
  return newest;
}

void Machine::issue(const Command& command, std::size_t number) {
  PipelinedReplies& connection = connections_[number];
  ReplyQueue& replies = connection.replies;
  const std::vector<std::string_view> args(command.begin(), command.end());
  const CommandSpec* const spec = find_command(args[0]);
  Request request;
  bool again = true;
  request.args = args;
  request.resume = [&again] { again = true; };
  const std::uint64_t reply_begin = connection.sent + replies.bytes().size();
  while (!stopped()) {
    if (!std::exchange(again, false)) {
      turn();
      continue;
    }
    Reply reply(replies.bytes(), Protocol::kResp2);
    if (store_->run(*spec, request, reply, replies.bytes()) == Store::Outcome::kParked) continue;
    // Replies may have left while this one waited.
    const auto begin = static_cast<std::size_t>(reply_begin - connection.sent);
    replies.hold(begin, request.dependencies);
    const std::string text(replies.bytes().view().substr(begin));
    const State before = visible(*passed_.back().state, clock_.now());
    State next = before;
    const bool refused = text.starts_with("-NOSPACE") || text.starts_with("-OOM") || text.starts_with("-IOERR");
    if (!refused) {
      const std::string expected = apply(next, command, clock_.now());
      EXPECT_EQ(text, expected) << command[0] << " " << command[1];
    }
    auto state = std::make_shared<State>(std::move(next));
    passed_.push_back({state, log_end()});
    const std::uint64_t told = refused ? first_ : told_of(command, before, *state);
    connection.pending.emplace_back(connection.sent + replies.bytes().size(), told);
    ++commands_;
    return;
  }
}

void Machine::collect() {
  for (PipelinedReplies& connection : connections_) acknowledged_ = connection.send(acknowledged_);
  const Partition* const partition = store_->partition(0, 0);
  const Offset durable =
      partition != nullptr && partition->has_log() ? partition->log().marks().durable() : kFirstOffset;
  while (durable_ < last() && passed_[static_cast<std::size_t>(durable_ + 1 - first_)].log_end <= durable) ++durable_;
  while (first_ < std::min(acknowledged_, durable_)) {
    passed_.pop_front();
    ++first_;
  }
}

Window Machine::window(bool durable_only) {
  collect();
  Window states;
  for (std::uint64_t i = durable_only ? durable_ : acknowledged_; i <= last(); ++i) {
    states.push_back(passed_[static_cast<std::size_t>(i - first_)].state);
  }
  return states;
}

State Machine::served(const std::vector<std::string>& keys) {
  State found;
  for (const std::string& key : keys) {
    const std::string reply = run({"GET", key});
    if (reply == "$-1\r\n") continue;
    Stored stored;
    stored.value = reply.starts_with("$") ? reply.substr(reply.find('\n') + 1, reply.size() - reply.find('\n') - 3)
                                          : "the reply " + reply;
    const std::string time = run({"PEXPIRETIME", key});
    const std::int64_t at = time.empty() ? 0 : std::stoll(time.substr(1));
    if (at >= 0) stored.expires_at = UnixMillis(at);
    found[key] = stored;
  }
  return found;
}

std::optional<std::string> Machine::adopt(const Window& states, const std::vector<std::string>& keys, Errors errors) {
  const UnixMillis before = clock_.now();
  State found = served(keys);
  std::set<std::string> unreadable;
  for (const auto& [key, stored] : found) {
    if (errors == Errors::kAllowed && stored.value.starts_with("the reply -IOERR")) unreadable.insert(key);
  }
  for (const std::string& key : unreadable) found.erase(key);
  for (const auto& state : states) {
    State expected = visible(*state, before);
    // Reading may take time, in which a key expires.
    std::erase_if(expected, [&](const auto& entry) {
      if (unreadable.contains(entry.first)) return true;
      return entry.second.expires_at <= clock_.now() && !found.contains(entry.first);
    });
    if (expected != found) continue;
    begin(state);
    return std::nullopt;
  }
  begin(states.back());
  return "what is served is none of the " + std::to_string(states.size()) +
         " states that a crash may leave\n  acknowledged:" + difference(visible(*states.front(), clock_.now()), found) +
         "\n  last:" + difference(visible(*states.back(), clock_.now()), found);
}

void Machine::back_up() {
  if (stopped() || (backup_ && !backup_->over())) return;
  backup_.reset();
  const std::string name = backup_name(clock_.now());
  if (backups_.contains(name)) return;
  backup_ = std::make_unique<RunningBackup>(
      *disk_, *store_, directory_, name, [this] { return window(); }, backups_[name]);
}

std::optional<std::string> bad_backup(const SimDisk& disk, const Backups& backups, const ManualClock& clock,
                                      const StoreOptions& options, const std::vector<std::string>& keys) {
  if (backups.empty()) return std::nullopt;
  auto copy = disk.after_power_loss(Survival::kAll, {});
  const Backups::value_type* newest = nullptr;
  for (const auto& backup : backups) {
    const bool there = copy->list(backup_path("data", backup.first)).has_value();
    if (!there && backup.second.ended) return "the backup " + backup.first + " had ended and is gone";
    if (there) newest = &backup;
  }
  if (newest == nullptr) return std::nullopt;
  const auto& [name, made] = *newest;
  Machine machine(options, std::move(copy), clock);
  const auto started = machine.try_start(false, backup_path("data", name));
  if (!started) return "the backup " + name + " does not start: " + started.error().message();
  if (const auto wrong = machine.adopt(made.window, keys)) return "the backup " + name + ": " + *wrong;
  return std::nullopt;
}

}  // namespace minod
