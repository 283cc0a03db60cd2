#include "tools/bench_run.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <thread>

#include "tools/bench_report.h"
#include "tools/bench_worker.h"

namespace minod::bench {

namespace {

constexpr double kClientBoundShare = 0.9;
constexpr Nanos kThreadStart{5'000'000};  // from making the plan to its first slot
constexpr std::chrono::milliseconds kPollInterval{20};

using Workers = std::vector<std::unique_ptr<Worker>>;

Nanos seconds(double value) { return Nanos(static_cast<std::int64_t>(value * 1e9)); }

// The value of "name:value" in INFO's text, or nothing.
std::string info_field(const std::string& info, const std::string& name) {
  const auto at = info.find("\n" + name + ":");
  if (at == std::string::npos) return {};
  const auto begin = at + name.size() + 2;
  return info.substr(begin, info.find_first_of("\r\n", begin) - begin);
}

std::string ask_info(resp::Client& control, std::string_view section) {
  auto reply = control.call({"INFO", section});
  return reply && !reply->is_error() ? "\n" + reply->text : std::string();
}

std::string server_name(resp::Client& control) {
  const std::string info = ask_info(control, "server");
  for (const char* product : {"minod", "valkey", "redis"}) {
    const std::string version = info_field(info, std::string(product) + "_version");
    if (!version.empty()) return std::string(product) + " " + version;
  }
  return "unknown server";
}

std::optional<double> server_cpu(resp::Client& control) {
  const std::string info = ask_info(control, "cpu");
  const std::string system = info_field(info, "used_cpu_sys");
  const std::string user = info_field(info, "used_cpu_user");
  if (system.empty() || user.empty()) return std::nullopt;
  return std::strtod(system.c_str(), nullptr) + std::strtod(user.c_str(), nullptr);
}

// Logs in with the blocking client and takes the socket over, non-blocking.
Result<Fd> connect_socket(const resp::Address& address) {
  auto client = resp::Client::connect(address);
  if (!client) return client.error();
  Fd socket(::fcntl(client->fd(), F_DUPFD_CLOEXEC, 0));
  if (!socket || ::fcntl(socket.get(), F_SETFL, O_RDWR | O_NONBLOCK) != 0) {
    return errno_error("take over a connection", errno);
  }
  const int on = 1;
  if (address.unix_path.empty()) ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

Result<std::vector<Connection>> connect_thread(const Options& options, const Stage& stage, Stripe thread) {
  std::vector<Connection> connections;
  for (std::uint64_t i = thread.index; i < options.connections; i += thread.count) {
    auto socket = connect_socket(options.address);
    if (!socket) return socket.error();
    std::uint64_t budget = std::numeric_limits<std::uint64_t>::max();
    if (options.requests != 0) {
      budget = options.requests / options.connections + (i < options.requests % options.connections);
    }
    RequestSource source({options, stage.newest, stage.ledger}, Stripe{i, options.connections}, budget);
    connections.emplace_back(std::move(*socket), std::move(source), options.pipeline, stage.ledger);
  }
  return connections;
}

Window window_from(MonotonicNanos start, const Options& options) {
  Window window;
  window.start = start;
  window.from = start + seconds(options.warmup_seconds);
  window.until = options.requests == 0 ? window.from + seconds(options.duration_seconds)
                                       : MonotonicNanos(std::numeric_limits<std::int64_t>::max() / 2);
  return window;
}

Result<Workers> make_workers(const Options& options, const Stage& stage, const Worker::Surroundings& around) {
  std::vector<std::vector<Connection>> connections;
  for (unsigned i = 0; i < options.threads; ++i) {
    auto connected = connect_thread(options, stage, Stripe{i, options.threads});
    if (!connected) return connected.error();
    connections.push_back(std::move(*connected));
  }
  const Window window = window_from(around.clock.monotonic() + kThreadStart, options);
  Workers workers;
  for (unsigned i = 0; i < options.threads; ++i) {
    std::optional<Schedule> schedule;
    if (options.open_loop()) {
      schedule.emplace(options.rate, options.poisson, window.start, Stripe{i, options.threads}, options.seed + i);
    }
    workers.push_back(std::make_unique<Worker>(around, std::move(connections[i]), std::move(schedule), window));
    auto prepared = workers.back()->prepare();
    if (!prepared) return prepared.error();
  }
  return workers;
}

void show_progress(const Series& series, std::uint64_t& shown) {
  const auto point = series.latest();
  if (!point || point->second + 1 == shown) return;
  shown = point->second + 1;
  std::fprintf(stderr, "\r%s\033[K", progress_text(*point).c_str());
  std::fflush(stderr);
}

// Waits for the threads to end; INFO is asked for when the warm-up is over, which is when measuring begins.
std::optional<double> watch(const Options& options, const Stage& stage, resp::Client& control,
                            const std::atomic<unsigned>& running, const Series& series) {
  const auto begin = std::chrono::steady_clock::now();
  std::optional<double> cpu_before;
  bool asked = false;
  std::uint64_t shown = 0;
  do {
    if (!asked && std::chrono::steady_clock::now() - begin >= std::chrono::duration<double>(options.warmup_seconds)) {
      cpu_before = server_cpu(control);
      asked = true;
    }
    if (stage.shows_progress) show_progress(series, shown);
    if (running.load() != 0) std::this_thread::sleep_for(kPollInterval);
  } while (running.load() != 0);
  if (shown != 0) std::fputs("\r\033[K", stderr);
  return cpu_before;
}

void collect(const Workers& workers, MonotonicNanos from, Outcome& outcome) {
  MonotonicNanos ended = from;
  for (const auto& worker : workers) {
    outcome.tally.merge(worker->tally());
    outcome.cpu_shares.push_back(worker->cpu_share());
    outcome.backlog_max += worker->backlog_max();
    outcome.backlog_at_end += worker->backlog_at_end();
    outcome.connections_lost += worker->connections_lost();
    ended = std::max(ended, worker->issuing_ended());
  }
  ended = std::max(ended, outcome.tally.last_reply());
  outcome.seconds = static_cast<double>((ended - from).value()) / 1e9;
}

}  // namespace

std::optional<double> Outcome::server_cpu_per_million() const {
  if (!server_cpu_seconds || tally.replies() == 0) return std::nullopt;
  return *server_cpu_seconds / static_cast<double>(tally.replies()) * 1e6;
}

bool Outcome::client_bound() const {
  return std::any_of(cpu_shares.begin(), cpu_shares.end(), [](double share) { return share > kClientBoundShare; });
}

Result<Outcome> run_phase(const Options& options, const Stage& stage) {
  auto control = resp::Client::connect(options.address);
  if (!control) return control.error();
  Outcome outcome;
  outcome.server = server_name(*control);

  const SystemClock clock;
  Series series;
  auto workers = make_workers(options, stage, {clock, series, stage.stop, options.lockstep});
  if (!workers) return workers.error();

  std::atomic<unsigned> running = options.threads;
  std::vector<std::thread> threads;
  for (const auto& worker : *workers) {
    threads.emplace_back([&running, &worker] {
      worker->run();
      --running;
    });
  }
  const auto cpu_before = watch(options, stage, *control, running, series);
  for (std::thread& thread : threads) thread.join();
  const auto cpu_after = server_cpu(*control);
  if (cpu_before && cpu_after) outcome.server_cpu_seconds = *cpu_after - *cpu_before;

  series.finish();
  outcome.series = series.points();
  outcome.interrupted = stage.stop.load();
  collect(*workers, workers->front()->measured_from(), outcome);
  return outcome;
}

}  // namespace minod::bench
