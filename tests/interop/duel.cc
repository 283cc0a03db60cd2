#include "tests/interop/duel.h"

#include <algorithm>
#include <cctype>
#include <thread>

#include "tests/interop/command_writer.h"

namespace minod::live {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using SteadyClock = std::chrono::steady_clock;

constexpr int kInspector = kClients;  // a connection for looking at the state; not one of the clients
constexpr const char* kBroken = "(the connection broke, or no reply came)";

std::vector<std::string> sorted_array(const std::string& reply) {
  std::size_t used = 0;
  const auto value = resp::parse_value(reply, used);
  std::vector<std::string> elements;
  if (value) {
    for (const resp::Value& one : value->elements) elements.push_back(one.text);
  }
  std::ranges::sort(elements);
  return elements;
}

std::string list_of(const std::vector<std::string>& keys) {
  std::string text = std::to_string(keys.size()) + " keys:";
  for (const std::string& key : keys) text += " " + bulk(key);
  return text;
}

// What one list has and the other has not.
Mismatch different_keys(Step step, const std::vector<std::string>& oracle, const std::vector<std::string>& subject) {
  std::vector<std::string> only_oracle;
  std::vector<std::string> only_subject;
  std::ranges::set_difference(oracle, subject, std::back_inserter(only_oracle));
  std::ranges::set_difference(subject, oracle, std::back_inserter(only_subject));
  return {std::move(step), "has, and the other has not, " + list_of(only_oracle),
          "has, and the other has not, " + list_of(only_subject)};
}

bool belong_together(const Step& a, const Step& b) { return a.client == b.client || (a.together && b.together); }

bool is_named(const Arguments& command, std::string_view name) {
  return std::ranges::equal(command[0], name, {}, [](unsigned char c) { return std::tolower(c); });
}

}  // namespace

std::string shown(const Step& step) {
  switch (step.kind) {
    case Step::Kind::kCommand:
      return "client " + std::to_string(step.client) + ": " + shown(step.command);
    case Step::Kind::kPause:
      return "(100 ms pass)";
    case Step::Kind::kKillSubject:
      return "(kill -9, start)";
    case Step::Kind::kDropValues:
      return "(DEBUG DROP-VALUES)";
  }
  return "";
}

Duel::Duel(std::vector<std::string> oracle, std::vector<std::string> subject, const std::string& directory)
    : oracle_{ServerProcess(std::move(oracle), directory + "/oracle.log"), {}},
      subject_{ServerProcess(std::move(subject), directory + "/subject.log"), {}} {}

bool Duel::start() {
  return oracle_.process.start() && subject_.process.start() && connect(oracle_) && connect(subject_);
}

bool Duel::connect(Side& side) {
  side.wires.clear();
  for (int client = 0; client <= kClients; ++client) {
    auto wire = Wire::connect(side.process.port(), seconds(10));
    if (!wire) return false;
    if (client == kClients - 1 && !wire->call({"HELLO", "3"})) return false;
    const auto selected = wire->call({"SELECT", std::to_string(selected_[client])});
    if (!selected || *selected != kOk) return false;
    side.wires.push_back(std::move(*wire));
  }
  return true;
}

bool Duel::reset() {
  std::ranges::fill(selected_, 0);
  for (Side* side : {&oracle_, &subject_}) {
    if (!side->process.running() && !side->process.start()) return false;
    if (!connect(*side) || side->wires[kInspector].call({"FLUSHALL"}) != kOk) return false;
  }
  return true;
}

std::optional<Mismatch> Duel::perform(const std::vector<Step>& steps) {
  const std::span<const Step> all(steps);
  for (std::size_t i = 0; i < all.size();) {
    std::size_t end = i;
    while (end < all.size() && all[end].kind == Step::Kind::kCommand && belong_together(all[i], all[end])) ++end;
    auto mismatch = end > i ? perform_commands(all.subspan(i, end - i)) : perform_other(all[i]);
    if (mismatch) return mismatch;
    i = std::max(end, i + 1);
  }
  return std::nullopt;
}

std::optional<Mismatch> Duel::perform_other(const Step& step) {
  if (step.kind == Step::Kind::kPause) {
    std::this_thread::sleep_for(milliseconds(100));
    return std::nullopt;
  }
  if (step.kind == Step::Kind::kKillSubject) {
    subject_.process.kill_now();
    if (!subject_.process.start() || !connect(subject_)) return Mismatch{step, "", "does not start again"};
    return std::nullopt;
  }
  const auto dropped = subject_.wires[kInspector].call({"DEBUG", "DROP-VALUES"});
  if (!dropped || *dropped != kOk) return Mismatch{step, std::string(kOk), dropped.value_or(kBroken)};
  return std::nullopt;
}

std::optional<Mismatch> Duel::perform_commands(std::span<const Step> steps) {
  for (Side* side : {&oracle_, &subject_}) {
    for (const Step& step : steps) side->wires[static_cast<std::size_t>(step.client)].queue(step.command);
    for (Wire& wire : side->wires) wire.flush();
  }
  std::optional<Mismatch> first;
  for (const Step& step : steps) {
    const auto client = static_cast<std::size_t>(step.client);
    const auto oracle = oracle_.wires[client].receive();
    const auto subject = subject_.wires[client].receive();
    if (!oracle || !subject) return first ? first : Mismatch{step, oracle.value_or(kBroken), subject.value_or(kBroken)};
    if (is_named(step.command, "select") && *oracle == kOk) selected_[client] = std::stoi(step.command[1]);
    if (first || equal(rule_for(step.command), *oracle, *subject)) continue;
    Mismatch mismatch{step, *oracle, *subject};
    if (rule_for(step.command) == Rule::kSettles && steps.size() == 1) {
      first = settle(mismatch);
    } else if (rule_for(step.command) != Rule::kSettles) {
      first = mismatch;
    }
  }
  return first;
}

std::optional<Mismatch> Duel::settle(const Mismatch& before) {
  Mismatch now = before;
  const auto client = static_cast<std::size_t>(before.step.client);
  for (const auto deadline = SteadyClock::now() + seconds(5); SteadyClock::now() < deadline;) {
    std::this_thread::sleep_for(milliseconds(50));
    const auto oracle = oracle_.wires[client].call(before.step.command);
    const auto subject = subject_.wires[client].call(before.step.command);
    now.oracle = oracle.value_or(kBroken);
    now.subject = subject.value_or(kBroken);
    if (now.oracle == now.subject) return std::nullopt;
    if (!oracle || !subject) break;
  }
  return now;
}

std::optional<Mismatch> Duel::compare_state() {
  for (int db = 0; db < kDatabasesUsed; ++db) {
    auto mismatch = compare_database(db);
    if (!mismatch) continue;
    mismatch->step.command.push_back("(in database " + std::to_string(db) + ")");
    return mismatch;
  }
  return std::nullopt;
}

std::optional<Mismatch> Duel::compare_database(int db) {
  Wire& oracle = oracle_.wires[kInspector];
  Wire& subject = subject_.wires[kInspector];
  const Step select{Step::Kind::kCommand, kInspector, {"SELECT", std::to_string(db)}};
  if (auto mismatch = perform_commands(std::span(&select, 1))) return mismatch;

  const Step keys{Step::Kind::kCommand, kInspector, {"KEYS", "*"}};
  const auto oracle_keys = sorted_array(oracle.call(keys.command).value_or(""));
  const auto subject_keys = sorted_array(subject.call(keys.command).value_or(""));
  if (oracle_keys != subject_keys) return different_keys(keys, oracle_keys, subject_keys);

  for (const char* count : {"7", "1000"}) {
    const Step scan{Step::Kind::kCommand, kInspector, {"SCAN", "0", "COUNT", count}};
    const auto scanned = scan_all(subject, count);
    if (!scanned) return Mismatch{scan, "", "a SCAN iteration that does not end, or an error"};
    if (*scanned != oracle_keys) return different_keys(scan, oracle_keys, *scanned);
  }
  const Step size{Step::Kind::kCommand, kInspector, {"DBSIZE"}};
  if (auto mismatch = perform_commands(std::span(&size, 1))) return mismatch;
  return compare_keys(oracle_keys);
}

std::optional<Mismatch> Duel::compare_keys(const std::vector<std::string>& keys) {
  constexpr std::size_t kPortion = 64;
  for (std::size_t i = 0; i < keys.size(); i += kPortion) {
    std::vector<Step> steps;
    for (std::size_t j = i; j < std::min(i + kPortion, keys.size()); ++j) {
      steps.push_back({Step::Kind::kCommand, kInspector, {"GET", keys[j]}});
      steps.push_back({Step::Kind::kCommand, kInspector, {"PEXPIRETIME", keys[j]}});
    }
    if (auto mismatch = perform_commands(steps)) return mismatch;
  }
  return std::nullopt;
}

std::optional<std::vector<std::string>> scan_all(Wire& wire, const std::string& count) {
  std::vector<std::string> keys;
  std::string cursor = "0";
  for (int calls = 0; calls < 1'000'000; ++calls) {
    const auto reply = wire.call({"SCAN", cursor, "COUNT", count});
    std::size_t used = 0;
    const auto value = resp::parse_value(reply.value_or(""), used);
    if (!value || value->elements.size() != 2) return std::nullopt;
    for (const resp::Value& key : value->elements[1].elements) keys.push_back(key.text);
    cursor = value->elements[0].text;
    if (cursor != "0") continue;
    std::ranges::sort(keys);
    keys.erase(std::ranges::unique(keys).begin(), keys.end());
    return keys;
  }
  return std::nullopt;
}

}  // namespace minod::live
