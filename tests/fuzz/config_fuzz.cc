// Any bytes as a config file; and whatever was taken from it can be written out and read again.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/fd.h"
#include "net/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace minod;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (text.find("nclude") != std::string::npos) return 0;  // other files are not the input's to name
  const Fd file(memfd_create("config", MFD_CLOEXEC));
  check(file.get() >= 0 && write(file.get(), data, size) == static_cast<ssize_t>(size), "a file in memory takes bytes");
  Config config;
  const auto loaded = load_config_file("/proc/self/fd/" + std::to_string(file.get()), config);
  if (!loaded) check(!loaded.error().message().empty(), "a refusal says why");
  (void)check_config(config);
  for (const Option& option : options()) {
    const std::string value = option.get(config);
    Config other;
    if (!option.set(other, value)) continue;  // some have a value that means: not set
    check(option.get(other) == value, "an option's value reads back as itself");
  }
  return 0;
}
