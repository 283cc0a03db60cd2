// The server: reads its options, then serves until SIGINT or SIGTERM.
#include <sys/random.h>

#include <csignal>
#include <cstdio>
#include <iostream>

#include "base/check.h"
#include "base/diag.h"
#include "base/random.h"
#include "net/node.h"
#include "tools/server_options.h"

int main(int argc, char** argv) {
  using namespace minod;
  Config config;
  if (const auto exit = read_server_options(argc, argv, config, std::cout, std::cerr)) return *exit;
  diag::configure(config.loglevel, config.log_format);
  std::signal(SIGPIPE, SIG_IGN);

  std::uint64_t seed = 0;
  check(getrandom(&seed, sizeof seed, 0) == sizeof seed, "the operating system gives a random seed");
  Random random(seed);
  Node node(config, random);
  if (const auto served = node.run(); !served) {
    std::fprintf(stderr, "minod: %s\n", served.error().message().c_str());
    return 1;
  }
  return 0;
}
