// minod, the server.
#include <sys/random.h>

#include <csignal>
#include <cstdint>
#include <iostream>

#include "base/check.h"
#include "base/diag.h"
#include "base/exhausted_memory.h"
#include "base/random.h"
#include "net/config.h"
#include "net/node.h"
#include "tools/server_options.h"

int main(int argc, char** argv) {
  minod::end_on_exhausted_memory();
  minod::Config config;
  if (const auto exit_code = minod::read_server_options(argc, argv, config, std::cout, std::cerr)) return *exit_code;
  minod::diag::configure(config.loglevel, config.log_format);
  // A client that has gone is seen as EPIPE.
  std::signal(SIGPIPE, SIG_IGN);

  std::uint64_t seed = 0;
  minod::check(getrandom(&seed, sizeof seed, 0) == sizeof seed, "getrandom gives as few bytes as these");
  minod::Random random(seed);
  minod::Node node(config, random);
  if (const auto served = node.run(); !served) {
    std::cerr << "minod: " << served.error().message() << '\n';
    return 1;
  }
  return 0;
}
