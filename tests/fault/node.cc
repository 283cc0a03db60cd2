#include "tests/fault/node.h"

#include <algorithm>
#include <filesystem>

namespace minod::live {

std::vector<std::string> segments(const std::string& data) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(data + "/db0-0")) {
    if (entry.path().extension() == ".log") files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace minod::live
