#include "net/remote_call.h"

#include <memory>

#include "net/reply_queue.h"
#include "net/shard.h"

namespace minod {

namespace {

// Lives on the shard that runs the call, and owns itself until the reply is on its way.
class Execution {
 public:
  Execution(Shard& shard, int origin, RemoteCall call, std::function<void(std::string)> done)
      : shard_(shard), origin_(origin), call_(std::move(call)), done_(std::move(done)) {
    for (const std::string& arg : call_.args) args_.push_back(arg);
    request_.args = args_;
    request_.db = call_.db;
    request_.partition = call_.partition;
    request_.resume = [this] { run(); };
    gate_.wake = [](CommitGate::Waiter& waiter) { static_cast<Gate&>(waiter).execution->leave(); };
    gate_.execution = this;
  }

  void run() {
    Reply reply(replies_.bytes(), call_.protocol);
    if (shard_.store().run(*call_.spec, request_, reply, replies_.bytes()) == Store::Outcome::kParked) return;
    replies_.hold(0, request_.dependencies);
    leave();
  }

 private:
  struct Gate : CommitGate::Waiter {
    Execution* execution = nullptr;
  };

  void leave() {
    if (replies_.released() < replies_.bytes().size()) {
      shard_.gate().wait(gate_, *replies_.waits_for());
      return;
    }
    std::unique_ptr<Execution> self(this);
    shard_.node().shard(origin_).post(
        shard_.number(),
        [done = std::move(done_), bytes = std::string(replies_.bytes().view())]() mutable { done(std::move(bytes)); });
  }

  Shard& shard_;
  int origin_;
  RemoteCall call_;
  std::function<void(std::string)> done_;
  std::vector<std::string_view> args_;
  Request request_;
  ReplyQueue replies_;
  Gate gate_;
};

}  // namespace

void run_remotely(Shard& from, int to, RemoteCall call, std::function<void(std::string)> done) {
  Shard& target = from.node().shard(to);
  target.post(from.number(),
              [&target, origin = from.number(), call = std::move(call), done = std::move(done)]() mutable {
                (new Execution(target, origin, std::move(call), std::move(done)))->run();
              });
}

}  // namespace minod
