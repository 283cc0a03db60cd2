// Two servers that get the same commands: redis-server, which is right, and the one under test.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tests/interop/reply_rules.h"
#include "tests/live/server_process.h"
#include "tests/live/wire.h"

namespace minod::live {

inline constexpr int kClients = 3;  // the last one speaks RESP3

// What was done, in order, so that it can be done again.
struct Step {
  enum class Kind : std::uint8_t { kCommand, kPause, kKillSubject, kDropValues };
  Kind kind = Kind::kCommand;
  int client = 0;
  Arguments command;
  bool together = false;  // may run at the same time as its neighbours, which have other keys
};
std::string shown(const Step& step);

struct Mismatch {
  Step step;
  std::string oracle;
  std::string subject;
};

class Duel {
 public:
  Duel(std::vector<std::string> oracle, std::vector<std::string> subject, const std::string& directory);

  [[nodiscard]] bool start();
  // Empties both and connects anew: as after start().
  [[nodiscard]] bool reset();

  // A client's commands in a row are sent before their replies are read; those of several clients too, when they may
  // run together.
  std::optional<Mismatch> perform(const std::vector<Step>& steps);

  // Every key of every database: name, value, expiry; and that SCAN finds them all.
  std::optional<Mismatch> compare_state();

  std::string subject_log() const { return subject_.process.log_tail(); }

 private:
  struct Side {
    ServerProcess process;
    std::vector<Wire> wires;
  };

  bool connect(Side& side);
  std::optional<Mismatch> perform_commands(std::span<const Step> steps);
  std::optional<Mismatch> perform_other(const Step& step);
  std::optional<Mismatch> settle(const Mismatch& before);
  std::optional<Mismatch> compare_database(int db);
  std::optional<Mismatch> compare_keys(const std::vector<std::string>& keys);

  Side oracle_;
  Side subject_;
  int selected_[kClients + 1] = {};
};

// All keys by SCAN, sorted, once each; nothing when the connection broke or SCAN never ended.
std::optional<std::vector<std::string>> scan_all(Wire& wire, const std::string& count);

}  // namespace minod::live
