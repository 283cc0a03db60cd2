#include "tests/fault/clients.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "tests/history/register_check.h"

namespace minod::live {

using history::Operation;
using history::Ticket;
using history::Value;
using Kind = Operation::Kind;
using std::chrono::milliseconds;

namespace {

constexpr std::uint64_t kClientsMax = 1000;  // a value's last digits tell who wrote it
constexpr std::size_t kDepthMax = 6;

// Nothing: it is no bulk string.
std::optional<std::string_view> text_in(std::string_view reply) {
  const std::size_t end = reply.find("\r\n");
  if (!reply.starts_with("$") || end == std::string_view::npos || reply.size() < end + 4) return std::nullopt;
  return reply.substr(end + 2, reply.size() - end - 4);
}

// Nothing: nobody could have written that text.
std::optional<Value> value_in(std::string_view text) {
  Value value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value).ptr;
  if (end == text.data() || Clients::text_of(value) != text) return std::nullopt;
  return value;
}

}  // namespace

std::string Clients::text_of(Value value) {
  const std::uint64_t drawn = Random(value).next();
  const std::uint64_t kind = drawn % 20;
  const std::uint64_t size = drawn / 20 % (kind == 0 ? 20'000 : kind < 6 ? 2000 : 60);
  std::string text = std::to_string(value) + "/";
  text.append(size, static_cast<char>('a' + value % 26));
  return text;
}

Clients::Clients(std::uint16_t port, std::uint64_t seed, ClientsOptions options)
    : port_(port), seed_(seed), options_(std::move(options)), clients_(static_cast<std::size_t>(options_.clients)) {
  for (std::size_t i = 0; i < clients_.size(); ++i) clients_[i].random = Random(seed * kClientsMax + i);
}

void Clients::start() {
  stopping_ = false;
  for (std::size_t i = 0; i < clients_.size(); ++i) clients_[i].thread = std::thread([this, i] { work(i); });
  for (int i = 0; i < options_.fillers; ++i) {
    fillers_.emplace_back([this, i] { fill(seed_ + static_cast<std::uint64_t>(i)); });
  }
}

void Clients::stop() {
  stopping_ = true;
  for (Client& client : clients_) {
    if (client.thread.joinable()) client.thread.join();
  }
  for (std::thread& thread : fillers_) thread.join();
  fillers_.clear();
}

Arguments Clients::next(std::size_t number, Noted& noted) {
  Client& client = clients_[number];
  const bool busy = options_.quiet_keys == 0 || client.random.below(3) != 0;
  const int key_number =
      busy ? static_cast<int>(client.random.below(static_cast<std::size_t>(options_.busy_keys)))
           : options_.busy_keys + static_cast<int>(client.random.below(static_cast<std::size_t>(options_.quiet_keys)));
  noted.key = key_number;
  Operation& operation = noted.operation;
  const std::uint64_t kind = client.random.below(20);
  if (kind < 7) {
    operation.kind = Kind::kWrite;
    operation.value = ++client.values * kClientsMax + number;
    return {"SET", key(key_number), text_of(*operation.value)};
  }
  operation.kind = kind < 17 ? Kind::kRead : kind < 19 ? Kind::kErase : Kind::kTake;
  return {operation.kind == Kind::kRead ? "GET" : operation.kind == Kind::kErase ? "DEL" : "GETDEL", key(key_number)};
}

bool Clients::is_error(const std::string& reply) const {
  return std::ranges::any_of(options_.errors, [&](const std::string& error) { return reply.starts_with(error); });
}

// False: no reply to such an operation.
bool Clients::note(Client& client, Noted noted, const std::string& reply) {
  Operation& operation = noted.operation;
  if (is_error(reply)) {
    ++errors_;
    ++client.errors;
    operation.certain = false;
    operation.end = history::kNever;
  } else if (operation.kind == Kind::kWrite) {
    if (reply != kOk) return false;
  } else if (operation.kind == Kind::kErase) {
    // A 0 says more than an erasure: there was nothing.
    if (reply == ":0\r\n") {
      operation.kind = Kind::kRead;
    } else if (reply != ":1\r\n") {
      return false;
    }
  } else if (reply != kNull) {
    const auto text = text_in(reply);
    operation.value = text ? value_in(*text) : std::nullopt;
    if (!operation.value) return false;
  }
  client.noted.push_back(noted);
  return true;
}

void Clients::work(std::size_t number) {
  Client& client = clients_[number];
  std::optional<Wire> wire;
  std::vector<Noted> open;
  while (!stopping_) {
    if (!wire) {
      wire = Wire::connect(port_, milliseconds(options_.patience_ms));
      if (!wire) std::this_thread::sleep_for(milliseconds(1));
      continue;
    }
    const std::size_t depth = client.random.below(2) == 0 ? 1 : 1 + client.random.below(kDepthMax);
    open.clear();
    for (std::size_t i = 0; i < depth; ++i) {
      Noted noted{};
      wire->queue(next(number, noted));
      noted.operation.start = now();
      open.push_back(noted);
    }
    std::size_t answered = 0;
    const std::uint64_t errors_before = client.errors;
    // Now and then a client leaves before it is answered; what it sent is executed, or not.
    if (wire->flush() && client.random.below(150) != 0) {
      for (; answered < open.size(); ++answered) {
        const auto reply = wire->receive();
        if (!reply) break;
        open[answered].operation.end = now();
        ++answered_;
        if (note(client, open[answered], *reply)) continue;
        client.complaints.push_back(history::text_of(open[answered].operation) + " of " + key(open[answered].key) +
                                    " got " + shown(*reply));
        return;
      }
    }
    if (client.errors != errors_before) wire.reset();
    if (answered == open.size()) continue;
    for (; answered < open.size(); ++answered, ++unanswered_) {
      open[answered].operation.certain = false;
      client.noted.push_back(open[answered]);
    }
    wire.reset();
  }
}

void Clients::fill(std::uint64_t seed) {
  constexpr std::size_t kKeys = 3000;
  Random random(seed);
  std::optional<Wire> wire;
  while (!stopping_) {
    if (!wire) {
      wire = Wire::connect(port_, milliseconds(options_.patience_ms));
      if (!wire) std::this_thread::sleep_for(milliseconds(1));
      continue;
    }
    const std::string key = "filler" + std::to_string(random.below(kKeys));
    if (!wire->call({"SET", key, std::string(random.below(30'000), 'f')})) wire.reset();
    std::this_thread::sleep_for(milliseconds(1));
  }
}

std::string Clients::ask(const std::string& key) const {
  auto wire = Wire::connect(port_, milliseconds(options_.patience_ms));
  return wire ? wire->call({"GET", key}).value_or("-") : "-";
}

std::vector<std::string> Clients::check() {
  std::vector<std::string> wrong;
  std::vector<history::Operations> by_key(static_cast<std::size_t>(key_count()));
  for (const Client& client : clients_) {
    wrong.insert(wrong.end(), client.complaints.begin(), client.complaints.end());
    for (const Noted& noted : client.noted) by_key[static_cast<std::size_t>(noted.key)].push_back(noted.operation);
  }
  auto wire = Wire::connect(port_);
  for (int number = 0; number < key_count(); ++number) {
    Operation last;
    last.start = now();
    const auto reply = wire ? wire->call({"GET", key(number)}) : std::nullopt;
    last.end = now();
    if (!reply) return {"can't read " + key(number)};
    const auto text = text_in(*reply);
    if (text) last.value = value_in(*text);
    if (*reply != kNull && !last.value) wrong.push_back(key(number) + " is " + shown(*reply));
    by_key[static_cast<std::size_t>(number)].push_back(last);
  }
  for (int number = 0; number < key_count(); ++number) {
    history::Operations& operations = by_key[static_cast<std::size_t>(number)];
    for (Operation& operation : operations) {
      if (operation.certain) continue;
      const auto death = std::ranges::upper_bound(deaths_, operation.start);
      if (death != deaths_.end()) operation.end = *death;
    }
    if (const auto found = history::contradiction(operations)) wrong.push_back(key(number) + " " + *found);
  }
  return wrong;
}

}  // namespace minod::live
