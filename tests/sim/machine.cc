#include "tests/sim/machine.h"

#include <utility>

namespace minod {

Machine::Machine(const StoreOptions& options, const SimDiskOptions& disk)
    : settled_(std::make_shared<State>()), durable_(settled_) {
  options_ = options;
  use_disk(disk);
}

Machine::Machine(const StoreOptions& options, std::unique_ptr<SimDisk> disk, const ManualClock& clock)
    : settled_(std::make_shared<State>()), durable_(settled_) {
  stop();
  options_ = options;
  disk_ = std::move(disk);
  clock_ = clock;
}

Machine::~Machine() { kill(); }

void Machine::kill() {
  disk_->kill();
  failures_.clear();
  if (!store_) return;
  store_->abandon();
  store_.reset();
}

void Machine::issue(const Command& command) {
  const std::vector<std::string_view> args(command.begin(), command.end());
  const CommandSpec* const spec = find_command(args[0]);
  Request request;
  bool again = true;
  request.args = args;
  request.resume = [&again] { again = true; };
  const std::uint64_t reply_begin = sent_ + replies_.bytes().size();
  while (!stopped()) {
    if (!std::exchange(again, false)) {
      turn();
      continue;
    }
    Reply reply(replies_.bytes(), Protocol::kResp2);
    if (store_->run(*spec, request, reply, replies_.bytes()) == Store::Outcome::kParked) continue;
    const auto begin = static_cast<std::size_t>(reply_begin - sent_);  // replies may have left while this one waited
    replies_.hold(begin, request.dependencies);
    const std::string text(replies_.bytes().view().substr(begin));
    State next = visible(issued_.empty() ? *settled_ : *issued_.back().state, clock_.now());
    const bool refused = text.starts_with("-NOSPACE") || text.starts_with("-OOM") || text.starts_with("-IOERR");
    if (!refused) {
      const std::string expected = apply(next, command, clock_.now());
      EXPECT_EQ(text, expected) << command[0] << " " << command[1];
    }
    Issued issued{std::make_shared<State>(std::move(next)), sent_ + replies_.bytes().size(), kFirstOffset};
    for (const Dependency& dependency : request.dependencies) {
      issued.log_end = std::max(issued.log_end, dependency.end);
    }
    issued_.push_back(std::move(issued));
    ++commands_;
    return;
  }
}

void Machine::collect() {
  const std::size_t size = replies_.released();
  sent_ += size;
  replies_.sent(size);
  while (!issued_.empty() && issued_.front().reply_end <= sent_) {
    settled_ = issued_.front().state;
    volatile_.push_back(std::move(issued_.front()));
    issued_.pop_front();
  }
  const Partition* const partition = store_->partition(0, 0);
  const Offset durable =
      partition != nullptr && partition->has_log() ? partition->log().marks().durable() : kFirstOffset;
  while (!volatile_.empty() && volatile_.front().log_end <= durable) {
    durable_ = volatile_.front().state;
    volatile_.pop_front();
  }
}

Window Machine::window(bool durable_only) {
  collect();
  Window states;
  if (durable_only) {
    states.push_back(durable_);
    for (const Issued& issued : volatile_) states.push_back(issued.state);
  } else {
    states.push_back(settled_);
  }
  for (const Issued& issued : issued_) states.push_back(issued.state);
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

std::optional<std::string> Machine::adopt(const Window& states, const std::vector<std::string>& keys) {
  replies_ = ReplyQueue();
  sent_ = 0;
  issued_.clear();
  volatile_.clear();
  const State found = served(keys);
  for (const auto& state : states) {
    if (visible(*state, clock_.now()) != found) continue;
    settled_ = durable_ = state;
    return std::nullopt;
  }
  return "what is served is none of the " + std::to_string(states.size()) +
         " states that a crash may leave\n  acknowledged:" + difference(visible(*states.front(), clock_.now()), found) +
         "\n  last:" + difference(visible(*states.back(), clock_.now()), found);
}

}  // namespace minod
