// A network of the test's own, in which packets between some ports can be dropped: the loopback interface of a new
// network namespace, and nft. Needs root.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace minod::live {

class CutNetwork {
 public:
  // Takes the calling thread, and what it starts from now on, to a network of its own.
  CutNetwork();

  bool usable() const { return usable_; }

  // Each replaces what was said before; all are about TCP to and from these ports.
  [[nodiscard]] bool drop_all(const std::vector<std::uint16_t>& ports);
  [[nodiscard]] bool drop_to(const std::vector<std::uint16_t>& ports);    // one way
  [[nodiscard]] bool drop_from(const std::vector<std::uint16_t>& ports);  // the other
  [[nodiscard]] bool lose(const std::vector<std::uint16_t>& ports, int percent);
  [[nodiscard]] bool heal();

 private:
  bool set_rules(const std::vector<std::string>& rules);

  bool usable_ = false;
};

}  // namespace minod::live
