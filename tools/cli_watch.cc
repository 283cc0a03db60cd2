#include "tools/cli_watch.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <thread>

#include "base/size_text.h"

namespace minod {

namespace {

using SteadyClock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

int failed(const char* doing, const Result<resp::Value>& reply) {
  const std::string& why = reply ? reply->text : reply.error().message();
  std::fprintf(stderr, "%s: %s\n", doing, why.c_str());
  return reply ? kExitErrorReply : kExitConnection;
}

// The number behind "name:" in the text of INFO; 0 when there is none.
std::uint64_t field(std::string_view info, const std::string& name) {
  const std::size_t at = info.find("\n" + name + ":");
  std::uint64_t number = 0;
  if (at == std::string_view::npos) return number;
  const char* const begin = info.data() + at + name.size() + 2;
  std::from_chars(begin, info.data() + info.size(), number);
  return number;
}

// Of all databases: the lines "db0:keys=12,...".
std::uint64_t key_count(std::string_view info) {
  constexpr std::string_view kMark = ":keys=";
  std::uint64_t sum = 0;
  for (std::size_t at = info.find(kMark); at != std::string_view::npos; at = info.find(kMark, at + 1)) {
    std::uint64_t keys = 0;
    std::from_chars(info.data() + at + kMark.size(), info.data() + info.size(), keys);
    sum += keys;
  }
  return sum;
}

}  // namespace

int print_keys(CliSession& session, const CliOptions& options) {
  const int connected = session.ensure_connected();
  if (connected != kExitOk) return connected;
  std::string cursor = "0";
  do {
    std::vector<std::string> words = {"SCAN", cursor};
    if (!options.pattern.empty()) words.insert(words.end(), {"MATCH", options.pattern});
    if (options.count > 0) words.insert(words.end(), {"COUNT", std::to_string(options.count)});
    const Result<resp::Value> reply = session.call(words);
    if (!reply || reply->is_error()) return failed("SCAN", reply);
    if (reply->elements.size() != 2) {
      std::fputs("SCAN: the server did not answer with a cursor and keys\n", stderr);
      return kExitErrorReply;
    }
    for (const resp::Value& key : reply->elements[1].elements) session.print(key);
    cursor = reply->elements[0].text;
  } while (cursor != "0");
  return kExitOk;
}

int print_counters(CliSession& session, const CliOptions& options) {
  constexpr int kLinesToHeader = 20;
  const Seconds interval(options.interval_seconds > 0 ? options.interval_seconds : 1);
  const std::int64_t repeat = options.repeat.value_or(-1);
  std::uint64_t before = 0;
  for (std::int64_t line = 0; repeat < 0 || line < repeat; ++line) {
    const int connected = session.ensure_connected();
    if (connected != kExitOk) return connected;
    const Result<resp::Value> reply = session.call({"INFO"});
    if (!reply || reply->is_error()) return failed("INFO", reply);
    if (line % kLinesToHeader == 0) {
      std::printf("%-12s %-12s %-9s %-9s %-24s %s\n", "keys", "memory", "clients", "blocked", "requests",
                  "connections");
    }
    const std::string_view info = reply->text;
    const std::uint64_t requests = field(info, "total_commands_processed");
    const std::string counted =
        std::to_string(requests) + " (+" + std::to_string(line == 0 ? 0 : requests - std::min(requests, before)) + ")";
    std::printf("%-12llu %-12s %-9llu %-9llu %-24s %llu\n", static_cast<unsigned long long>(key_count(info)),
                size_text(field(info, "used_memory")).c_str(),
                static_cast<unsigned long long>(field(info, "connected_clients")),
                static_cast<unsigned long long>(field(info, "blocked_clients")), counted.c_str(),
                static_cast<unsigned long long>(field(info, "total_connections_received")));
    std::fflush(stdout);
    before = requests;
    if (repeat < 0 || line + 1 < repeat) std::this_thread::sleep_for(interval);
  }
  return kExitOk;
}

int print_latency(CliSession& session, const CliOptions& options) {
  const bool terminal = isatty(STDOUT_FILENO) != 0;
  const Seconds length(options.interval_seconds > 0 ? options.interval_seconds : 1);
  const int connected = session.ensure_connected();
  if (connected != kExitOk) return connected;

  double least = 1e9;
  double most = 0;
  double sum = 0;
  const SteadyClock::time_point start = SteadyClock::now();
  for (std::uint64_t samples = 1;; ++samples) {
    const SteadyClock::time_point sent = SteadyClock::now();
    const Result<resp::Value> reply = session.call({"PING"});
    if (!reply || reply->is_error()) return failed("PING", reply);
    const double took = std::chrono::duration<double, std::milli>(SteadyClock::now() - sent).count();
    least = std::min(least, took);
    most = std::max(most, took);
    sum += took;
    const double average = sum / static_cast<double>(samples);
    if (terminal) {
      std::printf("\rmin: %.3f, max: %.3f, avg: %.3f ms (%llu samples)", least, most, average,
                  static_cast<unsigned long long>(samples));
      std::fflush(stdout);
    } else if (SteadyClock::now() - start >= length) {
      std::printf("%.3f %.3f %.3f %llu\n", least, most, average, static_cast<unsigned long long>(samples));
      return kExitOk;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace minod
