// Clients that work on the same few keys, each from a thread of its own, and note what they did and were told; across
// the ends and starts of their server, so that the whole history can be checked for linearizability.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "tests/history/operation.h"
#include "tests/live/wire.h"

namespace minod::live {

struct ClientsOptions {
  int clients = 6;
  int busy_keys = 4;    // most operations are on these
  int quiet_keys = 40;  // the others leave RAM between two operations, when a node is short of it
  int fillers = 0;      // further clients that write other keys, noted nowhere, to make a node short of it
  // Besides what a command answers: replies that begin so are errors, after which nobody knows what happened.
  std::vector<std::string> errors;
  int patience_ms = 60'000;  // a reply that takes longer is not waited for
};

class Clients {
 public:
  Clients(std::uint16_t port, std::uint64_t seed, ClientsOptions options);
  ~Clients() { stop(); }

  void start();
  // Each client ends its last operation, or gives it up when the server is gone.
  void stop();
  // The server was killed and is gone: what it had not answered can't take effect any more.
  void server_is_gone() { deaths_.push_back(now()); }

  // Another node leads: whoever gets an error, or no answer, goes on there.
  void go_to(std::uint16_t port) { port_ = port; }

  // What the node answers that they are to go to.
  std::string ask(const std::string& key) const;

  // When stopped: one more read of every key, then what contradicts linearizability or any reply that fits no command.
  // Empty: the whole history is linearizable.
  std::vector<std::string> check();

  std::uint64_t answered_count() const { return answered_; }
  std::uint64_t unanswered_count() const { return unanswered_; }
  std::uint64_t error_count() const { return errors_; }
  std::string key(int number) const { return "key" + std::to_string(number); }
  int key_count() const { return options_.busy_keys + options_.quiet_keys; }

  // The text that stands for a value: of different sizes, and all of it is looked at when it is read.
  static std::string text_of(history::Value value);

 private:
  struct Noted {
    int key;
    history::Operation operation;
  };
  struct Client {
    Random random{0};
    std::uint64_t values = 0;
    std::uint64_t errors = 0;
    std::vector<Noted> noted;
    std::vector<std::string> complaints;
    std::thread thread;
  };

  history::Ticket now() { return tickets_.fetch_add(1); }
  void work(std::size_t number);
  void fill(std::uint64_t seed);
  Arguments next(std::size_t number, Noted& noted);
  bool note(Client& client, Noted noted, const std::string& reply);
  bool is_error(const std::string& reply) const;

  std::atomic<std::uint16_t> port_;
  std::uint64_t seed_;
  ClientsOptions options_;
  std::vector<Client> clients_;
  std::vector<std::thread> fillers_;
  std::vector<history::Ticket> deaths_;
  std::atomic<history::Ticket> tickets_ = 1;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> answered_ = 0;
  std::atomic<std::uint64_t> unanswered_ = 0;
  std::atomic<std::uint64_t> errors_ = 0;
};

}  // namespace minod::live
