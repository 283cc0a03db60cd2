#include "tests/fault/cut_network.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "base/fd.h"
#include "tests/live/server_process.h"

namespace minod::live {

namespace {

std::string list_of(const std::vector<std::uint16_t>& ports) {
  std::string list;
  for (const std::uint16_t port : ports) list += (list.empty() ? "" : ", ") + std::to_string(port);
  return "{ " + list + " }";
}

bool loopback_up() {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
  return ::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0;
}

}  // namespace

CutNetwork::CutNetwork() {
  if (::geteuid() != 0 || program_in_path("nft").empty()) return;
  usable_ = ::unshare(CLONE_NEWNET) == 0 && loopback_up() && set_rules({});
}

bool CutNetwork::set_rules(const std::vector<std::string>& rules) {
  std::string text = "flush ruleset\ntable inet cut {\nchain input {\ntype filter hook input priority 0;\n";
  for (const std::string& rule : rules) text += rule + "\n";
  text += "}\n}\n";
  const auto done = run({"nft", text}, std::chrono::seconds(10));
  return done && done->status == 0;
}

bool CutNetwork::drop_all(const std::vector<std::uint16_t>& ports) {
  return set_rules({"tcp dport " + list_of(ports) + " drop", "tcp sport " + list_of(ports) + " drop"});
}

bool CutNetwork::drop_to(const std::vector<std::uint16_t>& ports) {
  return set_rules({"tcp dport " + list_of(ports) + " drop"});
}

bool CutNetwork::drop_from(const std::vector<std::uint16_t>& ports) {
  return set_rules({"tcp sport " + list_of(ports) + " drop"});
}

bool CutNetwork::lose(const std::vector<std::uint16_t>& ports, int percent) {
  const std::string chance = " numgen random mod 100 < " + std::to_string(percent) + " drop";
  return set_rules({"tcp dport " + list_of(ports) + chance, "tcp sport " + list_of(ports) + chance});
}

bool CutNetwork::heal() { return set_rules({}); }

}  // namespace minod::live
