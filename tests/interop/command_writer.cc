#include "tests/interop/command_writer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <span>
#include <utility>

#include "store/command.h"

namespace minod::live {

namespace {

constexpr std::string_view kAfterOracle = "7.2";  // Redis 7.0 is asked: of what came later it knows nothing

enum class Reach : std::uint8_t { kOwnKeys, kAnywhere };

// A command as text. K: a key, V: a value, I: an integer, F: a real number, B: a database, G: a glob; TS, TM, TAS, TAM:
// a time in seconds or milliseconds, from now or absolute; K* and KV*: one or more; %name: one of a list below.
struct Form {
  const char* text;
  int weight;
  Reach reach = Reach::kOwnKeys;
};

constexpr auto kForms = std::to_array<Form>({
    {"SET K V", 30},
    {"SET K I", 10},
    {"SET K V %condition %set-time", 15},
    {"SET K V %set-time %condition", 15},
    {"SETNX K V", 4},
    {"SETEX K TS V", 4},
    {"PSETEX K TM V", 4},
    {"GETSET K V", 4},
    {"GET K", 24},
    {"GETDEL K", 4},
    {"GETEX K %getex-time", 10},
    {"STRLEN K", 4},
    {"APPEND K V", 10},
    {"GETRANGE K I I", 6},
    {"GETRANGE K %end %end", 8},
    {"SUBSTR K %end %end", 3},
    {"SETRANGE K I V", 4},
    {"SETRANGE K %end V", 8},
    {"INCR K", 6},
    {"DECR K", 5},
    {"INCRBY K I", 6},
    {"DECRBY K I", 6},
    {"INCRBYFLOAT K F", 8},
    {"MGET K*", 8},
    {"MSET KV*", 8},
    {"MSET KV* K", 1},
    {"MSETNX KV*", 5},
    {"MSETNX KV* K", 1},
    {"DEL K*", 8},
    {"UNLINK K*", 4},
    {"EXISTS K*", 4},
    {"TOUCH K*", 3},
    {"TYPE K", 3},
    {"EXPIRE K TS %expire-condition", 8},
    {"PEXPIRE K TM %expire-condition", 8},
    {"EXPIREAT K TAS %expire-condition", 8},
    {"PEXPIREAT K TAM %expire-condition", 8},
    {"PERSIST K", 5},
    {"TTL K", 5},
    {"PTTL K", 5},
    {"EXPIRETIME K", 5},
    {"PEXPIRETIME K", 5},
    {"RENAME K K", 6},
    {"RENAMENX K K", 5},
    {"COPY K K %replace", 6},
    {"COPY K K %copy-option %copy-option", 6, Reach::kAnywhere},
    {"MOVE K B", 5, Reach::kAnywhere},
    {"OBJECT %object K", 5},
    {"OBJECT %object", 1},
    {"KEYS G", 2, Reach::kAnywhere},
    {"SCAN %cursor %scan-option %scan-option", 3, Reach::kAnywhere},
    {"RANDOMKEY", 2, Reach::kAnywhere},
    {"DBSIZE", 3, Reach::kAnywhere},
    {"FLUSHDB %flush", 1, Reach::kAnywhere},
    {"FLUSHALL %flush", 1, Reach::kAnywhere},
    {"SELECT B", 5, Reach::kAnywhere},
    {"WAIT 0 10", 1},
    {"PING", 1},
    {"PING V", 1},
    {"ECHO V", 1},
    {"NOSUCHCOMMAND I K", 1},
    {"Gett K I", 1},
    {"COMMAND GETKEYS %with-keys", 2},
});

struct Alternatives {
  const char* name;
  std::vector<const char*> texts;
};

const std::vector<Alternatives>& alternatives() {
  static const std::vector<Alternatives> all = {
      {"%condition", {"", "", "NX", "XX", "GET", "NX GET", "GET XX", "nx", "NX XX", "NX NX", "GET GET", "FOO"}},
      {"%set-time",
       {"", "EX TS", "PX TM", "EXAT TAS", "PXAT TAM", "KEEPTTL", "KEEPTTL", "ex TS", "EX TS PX TM", "EX TS KEEPTTL",
        "KEEPTTL PX TM", "PX", "EX TS EX TS", "PERSIST"}},
      {"%getex-time",
       {"", "EX TS", "PX TM", "EXAT TAS", "PXAT TAM", "PERSIST", "persist", "EX TS PERSIST", "EX", "FOO", "KEEPTTL"}},
      {"%end", {"0", "0", "-1", "-1", "1", "2", "-2", "-3", "5", "7", "40", "-40", "300"}},
      {"%expire-condition",
       {"", "", "NX", "XX", "GT", "LT", "XX GT", "LT XX", "gt", "NX XX", "GT LT", "NX GT", "NX NX", "FOO"}},
      {"%replace", {"", "REPLACE", "replace"}},
      {"%copy-option", {"", "DB B", "DB B", "REPLACE", "db B", "DB", "DB foo", "FOO"}},
      {"%object", {"ENCODING", "encoding", "REFCOUNT", "IDLETIME", "FREQ", "HELP", "FOO"}},
      {"%cursor", {"0", "0", "0", "0", "5", "abc", "-5", "18446744073709551616", "1.5"}},
      {"%scan-option",
       {"", "MATCH G", "COUNT 1", "COUNT 10", "COUNT 1000", "COUNT 0", "COUNT I", "TYPE string", "TYPE hash",
        "TYPE STRING", "COUNT", "FOO", "FOO 1"}},
      {"%flush", {"", "SYNC", "ASYNC", "async", "FOO"}},
      {"%with-keys",
       {"SET K V", "MSET KV*", "MGET K*", "GET", "DBSIZE", "NOPE K", "RENAME K K", "OBJECT ENCODING K", "COPY K K",
        "PING"}},
  };
  return all;
}

std::int64_t now_ms() {
  using std::chrono::system_clock;
  return std::chrono::duration_cast<std::chrono::milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::string_view take_word(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(text.size(), word.size() + 1));
  return word;
}

const Form& weighted(Random& random) {
  static const int total = [] {
    int sum = 0;
    for (const Form& form : kForms) sum += form.weight;
    return sum;
  }();
  auto at = static_cast<int>(random.below(static_cast<std::uint64_t>(total)));
  for (const Form& form : kForms) {
    if (at < form.weight) return form;
    at -= form.weight;
  }
  return kForms.front();
}

// The replies of a transaction are compared as one, so each must be the same in both servers.
bool fits_transaction(std::string_view form) {
  static constexpr auto kNever = std::to_array<std::string_view>(
      {"TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME", "KEYS", "SCAN", "RANDOMKEY", "OBJECT", "WAIT", "SELECT", "DBSIZE"});
  const std::string_view name = form.substr(0, form.find(' '));
  return std::ranges::find(kNever, name) == kNever.end();
}

template <std::size_t N>
const char* one_of(Random& random, const std::array<const char*, N>& texts) {
  return texts[random.below(N)];
}

}  // namespace

std::vector<std::string> CommandWriter::missing_commands() {
  std::vector<std::string> missing;
  for (const CommandSpec& spec : command_table()) {
    if ((spec.group != "string" && spec.group != "generic") || spec.name.find('|') != std::string_view::npos) continue;
    if (spec.since >= kAfterOracle) continue;
    const bool found = std::ranges::any_of(kForms, [&](const Form& form) {
      std::string_view text = form.text;
      return std::ranges::equal(take_word(text), spec.name, {}, [](char c) { return std::tolower(c); });
    });
    if (!found) missing.emplace_back(spec.name);
  }
  return missing;
}

Arguments CommandWriter::next() {
  for (;;) {
    const Form& form = weighted(random_);
    const std::string_view text = form.text;
    if (!prefix_.empty() && form.reach != Reach::kOwnKeys) continue;
    // When a database was emptied there is little to compare for a while.
    if (text.starts_with("FLUSH") && !random_.one_in(20)) continue;
    if (in_transaction_ && !fits_transaction(text)) continue;
    Arguments command;
    append(command, text);
    if (prefix_.empty() && command[0] != "COMMAND" && random_.one_in(25)) spoil(command);
    return command;
  }
}

Arguments CommandWriter::next_of(const std::string& prefix) {
  prefix_ = prefix;
  Arguments command = next();
  prefix_.clear();
  return command;
}

void CommandWriter::append(Arguments& command, std::string_view form) {
  while (!form.empty()) {
    const std::string_view word = take_word(form);
    if (!word.starts_with('%')) {
      append_word(command, word);
      continue;
    }
    const auto list =
        std::ranges::find(alternatives(), word, [](const Alternatives& one) { return std::string_view(one.name); });
    append(command, list->texts[random_.below(list->texts.size())]);
  }
}

void CommandWriter::append_word(Arguments& command, std::string_view word) {
  if (word == "K*" || word == "KV*") {
    for (std::uint64_t count = 1 + random_.below(random_.one_in(10) ? 30 : 5); count > 0; --count) {
      command.push_back(key());
      if (word == "KV*") command.push_back(value());
    }
    return;
  }
  if (word == "K") return command.push_back(key());
  if (word == "V") return command.push_back(value());
  if (word == "I") return command.push_back(integer());
  if (word == "F") return command.push_back(real());
  if (word == "G") return command.push_back(pattern());
  if (word == "TS") return command.push_back(time(true, 1000));
  if (word == "TM") return command.push_back(time(true, 1));
  if (word == "TAS") return command.push_back(time(false, 1000));
  if (word == "TAM") return command.push_back(time(false, 1));
  if (word == "B") {
    static constexpr auto kOther = std::to_array<const char*>({"-1", "16", "abc", "", "99999999999999999999", "1.0"});
    const bool odd = random_.one_in(12);
    return command.push_back(odd ? one_of(random_, kOther) : std::to_string(random_.below(kDatabasesUsed)));
  }
  command.emplace_back(word);
}

std::string CommandWriter::key() {
  static constexpr auto kOdd =
      std::to_array<const char*>({"", "a", "A", "key with spaces", "line\r\nend", "{tag}1", "{tag}2", "a*b", "[x]",
                                  "h?llo", "\xff\xfe", "user:1000:name"});
  if (random_.one_in(6)) return prefix_ + one_of(random_, kOdd);
  if (random_.one_in(60)) return prefix_ + std::string(1000 + random_.below(9000), 'k');
  return prefix_ + "k:" + std::to_string(random_.below(random_.one_in(3) ? 300 : 12));
}

std::string CommandWriter::value() {
  const std::uint64_t kind = random_.below(100);
  if (kind < 25) return integer();
  if (kind < 33) return real();
  if (kind < 37) return "";
  std::size_t size = random_.below(64);
  if (kind >= 80) size = random_.below(5000);
  if (kind >= 96) size = random_.below(70'000);
  if (kind == 99 && random_.one_in(10)) size = kBulkSizeMax - random_.below(4);
  std::string text(size, '\0');
  const bool binary = random_.one_in(3);
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (i % 8 == 0) bits = random_.next();
    const auto byte = static_cast<unsigned char>(bits >> (i % 8 * 8));
    text[i] = binary ? static_cast<char>(byte) : "etaoin shrdlucmfwyp\r\n"[byte % 21];
  }
  return text;
}

std::string CommandWriter::integer() {
  static constexpr auto kOdd = std::to_array<const char*>(
      {"9223372036854775807", "-9223372036854775808", "9223372036854775808", "-9223372036854775809", "-0", "01", " 1",
       "1 ", "+1", "0x10", "", "abc", "1.0", "9223372036854775800", "-9223372036854775800", "99999999999999999999",
       "1048576", "1048570", "536870912"});
  if (random_.one_in(4)) return one_of(random_, kOdd);
  const auto number = static_cast<std::int64_t>(random_.below(random_.one_in(2) ? 20 : 1'000'000));
  return std::to_string(random_.one_in(3) ? -number : number);
}

std::string CommandWriter::real() {
  static constexpr auto kOdd = std::to_array<const char*>({"0.1",
                                                           "3.0e3",
                                                           "5.0e-3",
                                                           "-1.5",
                                                           "1e400",
                                                           "-1e400",
                                                           "inf",
                                                           "-inf",
                                                           "nan",
                                                           "infinity",
                                                           "0x1p3",
                                                           "1e",
                                                           ".5",
                                                           "5.",
                                                           "1.7976931348623157e308",
                                                           "1e-320",
                                                           "1e5000",
                                                           "3.14159265358979323846",
                                                           "0.30000000000000004",
                                                           "1e17",
                                                           "1e21",
                                                           "-0.0",
                                                           " 1.5",
                                                           "1.5 ",
                                                           "1,5",
                                                           "123456789012345678901234567890",
                                                           "100000000000000000.25"});
  if (random_.one_in(2)) return one_of(random_, kOdd);
  const auto whole = static_cast<std::int64_t>(random_.below(2000)) - 1000;
  return std::to_string(whole) + "." + std::to_string(random_.below(1'000'000));
}

std::string CommandWriter::pattern() {
  static constexpr auto kPatterns =
      std::to_array<const char*>({"*", "k:*", "k:?", "k:1?", "*[0-5]", "[^k]*", "k:[13-5]*", "\\k:*", "a", "", "**",
                                  "*:*:*", "h\\?llo", "[", "k:[", "[z-a]*", "K:*", "*e*", "\\"});
  return one_of(random_, kPatterns);
}

std::string CommandWriter::time(bool from_now, std::int64_t unit_ms) {
  static constexpr auto kOdd = std::to_array<const char*>(
      {"0", "-1", "-100", "abc", "", "1.5", "9223372036854775807", "-9223372036854775808", "9223372036854775",
       "9223372036854774", "-9223372036854775", "99999999999999999999", "+500", " 500", "0500"});
  if (random_.one_in(6)) return one_of(random_, kOdd);
  constexpr std::int64_t kDayMs = 86'400'000;
  const auto distance = static_cast<std::int64_t>(random_.below(30 * kDayMs)) + 200'000;
  if (from_now) return std::to_string(distance / unit_ms);
  const bool past = random_.one_in(8);
  return std::to_string((now_ms() + (past ? -distance : distance)) / unit_ms);
}

// Never a small positive number in the place of a time: such a key would expire while it is compared.
void CommandWriter::spoil(Arguments& command) {
  static constexpr auto kJunk = std::to_array<const char*>(
      {"", "foo", "-5", "NX", "EX", "GET", "9223372036854775807", "1.5", "{", "*", "DB", "REPLACE", "10000000000000"});
  switch (random_.below(4)) {
    case 0:
      if (command.size() > 1) command.pop_back();
      return;
    case 1:
      command.emplace_back(one_of(random_, kJunk));
      return;
    case 2:
      if (command.size() > 1) command[1 + random_.below(command.size() - 1)] = one_of(random_, kJunk);
      return;
    default:
      command.resize(1);
  }
}

}  // namespace minod::live
