#include "tests/live/server_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "base/fd.h"
#include "base/random.h"
#include "tests/live/wire.h"

namespace minod::live {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr unsigned kNobody = 65534;

// The child of a process that has threads: only system calls until exec.
pid_t spawn(const std::vector<std::string>& command, int output, bool as_nobody) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t pid = fork();
  if (pid != 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  if (as_nobody && (setgid(kNobody) != 0 || setuid(kNobody) != 0)) _exit(126);
  execvp(arguments[0], arguments.data());
  _exit(127);
}

int status_of(int raw) { return WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw); }

std::string contents(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool port_is_free(std::uint16_t port) {
  const Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  where.sin_port = htons(port);
  return bind(fd.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0;
}

}  // namespace

std::string minod_path() {
  const char* path = std::getenv("MINOD_BINARY");
  return path == nullptr ? "" : path;
}

std::string program_in_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::istringstream directories(path == nullptr ? "" : path);
  for (std::string directory; std::getline(directories, directory, ':');) {
    const std::string file = directory + "/" + program;
    if (access(file.c_str(), X_OK) == 0) return file;
  }
  return "";
}

std::uint16_t free_port() {
  constexpr std::uint16_t kFirst = 20000;
  constexpr std::uint16_t kCount = 12000;
  static Random random(static_cast<std::uint64_t>(getpid()) * 1000003 +
                       static_cast<std::uint64_t>(Clock::now().time_since_epoch().count()));
  for (;;) {
    const auto port = static_cast<std::uint16_t>(kFirst + random.below(kCount));
    if (port_is_free(port)) return port;
  }
}

std::optional<Exit> run(const std::vector<std::string>& command, milliseconds timeout, bool as_nobody) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  const Fd out(ends[0]);
  Fd in(ends[1]);
  const pid_t pid = spawn(command, in.get(), as_nobody);
  in = Fd();
  fcntl(out.get(), F_SETFL, O_NONBLOCK);
  Exit exit;
  const auto deadline = Clock::now() + timeout;
  std::array<char, 4096> chunk{};
  for (bool ended = false;;) {
    const ssize_t got = read(out.get(), chunk.data(), chunk.size());
    if (got > 0) {
      exit.output.append(chunk.data(), static_cast<std::size_t>(got));
      continue;
    }
    if (ended) return exit;
    int raw = 0;
    if (waitpid(pid, &raw, WNOHANG) == pid) {
      exit.status = status_of(raw);
      ended = true;
      continue;
    }
    if (Clock::now() > deadline) {
      kill(pid, SIGKILL);
      waitpid(pid, &raw, 0);
      return std::nullopt;
    }
    std::this_thread::sleep_for(milliseconds(5));
  }
}

ServerProcess::ServerProcess(std::vector<std::string> command, std::string log_file)
    : command_(std::move(command)), log_file_(std::move(log_file)), port_(free_port()) {
  command_.insert(command_.end(), {"--port", std::to_string(port_)});
}

ServerProcess::~ServerProcess() { kill_now(); }

bool ServerProcess::start(milliseconds timeout) {
  {
    const Fd out(open(log_file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    pid_ = spawn(command_, out.get(), false);
  }
  const auto deadline = Clock::now() + timeout;
  while (Clock::now() < deadline && running()) {
    auto wire = Wire::connect(port_);
    if (wire && wire->call({"PING"}) == "+PONG\r\n") return true;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return false;
}

bool ServerProcess::running() { return pid_ > 0 && !wait_for_exit(milliseconds(0)); }

void ServerProcess::kill_now() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  int raw = 0;
  waitpid(pid_, &raw, 0);
  pid_ = -1;
  if (WIFSIGNALED(raw) && WTERMSIG(raw) == SIGKILL) return;
  std::fprintf(stderr, "it had ended by itself, with %d:\n%s\n", status_of(raw), log().c_str());
  std::abort();
}

std::optional<int> ServerProcess::terminate(milliseconds timeout) {
  if (pid_ <= 0) return std::nullopt;
  kill(pid_, SIGTERM);
  const auto status = wait_for_exit(timeout);
  kill_now();
  return status;
}

std::optional<int> ServerProcess::wait_for_exit(milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  for (;;) {
    int raw = 0;
    if (waitpid(pid_, &raw, WNOHANG) == pid_) {
      pid_ = -1;
      exit_status_ = status_of(raw);
      return exit_status_;
    }
    if (Clock::now() >= deadline) return std::nullopt;
    std::this_thread::sleep_for(milliseconds(2));
  }
}

std::uint64_t ServerProcess::rss_bytes() const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoull(line.substr(6)) * 1024;
  }
  return 0;
}

std::string ServerProcess::log() const { return contents(log_file_); }

std::string ServerProcess::log_tail() const {
  constexpr std::size_t kTail = 1500;
  const std::string all = log();
  return all.size() > kTail ? all.substr(all.size() - kTail) : all;
}

}  // namespace minod::live
