// A server that a test starts, kills and starts again: minod, or the redis-server it is compared with.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace minod::live {

// Of the program under test; set by ctest. Empty: not set.
std::string minod_path();
// Where `program` is in PATH; empty: nowhere.
std::string program_in_path(const std::string& program);

// Free when asked, and not from the range that the kernel gives to connections, so that a server finds it free again.
std::uint16_t free_port();

struct Exit {
  int status = -1;  // the exit status; 128 + the signal if one ended it
  std::string output;
};

// Runs a program to its end, or kills it (nothing is returned then). Its stdout and stderr are the output.
std::optional<Exit> run(const std::vector<std::string>& command, std::chrono::milliseconds timeout,
                        bool as_nobody = false);

// Dies with this object, and with the thread that started it.
class ServerProcess {
 public:
  // The port is appended as `--port N`. Output goes to `log_file`, after what is there.
  ServerProcess(std::vector<std::string> command, std::string log_file);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Starts it, and waits until it answers PING. False: it ended, or took longer; log() says why.
  [[nodiscard]] bool start(std::chrono::milliseconds timeout = std::chrono::seconds(30));
  // SIGKILL; it is gone on return. One that had ended by itself, as one does in which a sanitizer finds something, ends
  // the test: nothing else would tell it from the one that was killed.
  void kill_now();
  // SIGTERM; its exit status, or nothing when it had to be killed.
  std::optional<int> terminate(std::chrono::milliseconds timeout = std::chrono::seconds(20));
  bool running();
  std::optional<int> exit_status() const { return exit_status_; }  // of its last end, if it was not killed here

  std::uint16_t port() const { return port_; }
  pid_t pid() const { return pid_; }
  std::uint64_t rss_bytes() const;
  std::string log() const;
  std::string log_tail() const;  // its last lines
  std::vector<std::string>& command() { return command_; }

 private:
  std::optional<int> wait_for_exit(std::chrono::milliseconds timeout);

  std::vector<std::string> command_;
  std::string log_file_;
  std::uint16_t port_;
  pid_t pid_ = -1;
  std::optional<int> exit_status_;
};

}  // namespace minod::live
