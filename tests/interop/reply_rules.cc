#include "tests/interop/reply_rules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>

namespace minod::live {

namespace {

constexpr auto kDifferences = std::to_array<Difference>({
    {"ttl", Rule::kSeconds, "the two servers run a command at different times"},
    {"expiretime", Rule::kSeconds, "the same"},
    {"pttl", Rule::kMillis, "the same"},
    {"pexpiretime", Rule::kMillis, "the same"},
    {"keys", Rule::kSameElements, "the order of keys is nobody's promise"},
    {"scan -5", Rule::kAnything, "Redis reads cursors with strtoul, which takes a negative one; minod refuses it"},
    {"scan ", Rule::kAnything, "the same, of an empty one"},
    {"scan", Rule::kSameKind, "cursors are each server's own; whole iterations are compared apart"},
    {"randomkey", Rule::kSameKind, "random"},
    {"dbsize", Rule::kSettles, "counts keys that have expired and are not removed yet"},
    {"object encoding", Rule::kSameKind,
     "depends on how the value came to be in Redis (APPEND makes it raw); minod tells what SET would make of it"},
    {"object refcount", Rule::kSameKind, "Redis shares small integers, minod shares nothing"},
    {"object idletime", Rule::kSameKind, "minod does not record accesses"},
    {"object help", Rule::kSameKind, "each describes what it does"},
    {"wait", Rule::kSameKind, "neither has replicas"},
});

std::string lower(std::string_view text) {
  std::string all(text);
  std::ranges::transform(all, all.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return all;
}

std::vector<std::string> sorted_elements(const std::string& reply) {
  std::size_t used = 0;
  const auto value = resp::parse_value(reply, used);
  std::vector<std::string> elements;
  if (!value) return elements;
  for (const resp::Value& one : value->elements) elements.push_back(one.text);
  std::ranges::sort(elements);
  return elements;
}

bool near(const std::string& oracle, const std::string& subject, std::int64_t distance) {
  if (oracle[0] != ':' || subject[0] != ':') return oracle == subject;
  const auto a = std::strtoll(oracle.c_str() + 1, nullptr, 10);
  const auto b = std::strtoll(subject.c_str() + 1, nullptr, 10);
  if (a < 0 || b < 0) return a == b;  // -1 and -2 are no times
  return a > b ? a - b <= distance : b - a <= distance;
}

}  // namespace

Rule rule_for(const Arguments& command) {
  const std::string name = lower(command[0]);
  const std::string both = command.size() > 1 ? name + " " + lower(command[1]) : name;
  for (const Difference& known : kDifferences) {
    if (known.command == name || known.command == both) return known.rule;
  }
  return Rule::kSame;
}

bool equal(Rule rule, const std::string& oracle, const std::string& subject) {
  if (oracle == subject || rule == Rule::kAnything) return true;
  if (oracle.empty() || subject.empty() || oracle[0] != subject[0] || oracle[0] == '-') return false;
  switch (rule) {
    case Rule::kSame:
    case Rule::kSettles:
    case Rule::kAnything:
      return false;
    case Rule::kSameKind:
      return (oracle == kNull) == (subject == kNull);
    case Rule::kSameElements:
      return sorted_elements(oracle) == sorted_elements(subject);
    case Rule::kSeconds:
      return near(oracle, subject, 1);
    case Rule::kMillis:
      return near(oracle, subject, 2000);
  }
  return false;
}

}  // namespace minod::live
