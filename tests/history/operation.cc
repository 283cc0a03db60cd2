#include "tests/history/operation.h"

namespace minod::history {

std::string text_of(const Operation& operation) {
  static constexpr const char* kNames[] = {"write", "read", "erase", "take"};
  std::string text = kNames[static_cast<std::size_t>(operation.kind)];
  if (operation.kind != Operation::Kind::kErase) {
    text += operation.value ? " " + std::to_string(*operation.value) : " nothing";
  }
  text += " [" + std::to_string(operation.start) + ", ";
  text += operation.end == kNever ? "never]" : std::to_string(operation.end) + "]";
  return operation.certain ? text : text + " of unknown outcome";
}

}  // namespace minod::history
