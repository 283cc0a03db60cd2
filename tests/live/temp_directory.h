// A directory of a test's own below the one that ctest starts it in (the build tree); removed with everything in it.
#pragma once

#include <string>

namespace minod::live {

class TempDirectory {
 public:
  TempDirectory();
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  void keep() { kept_ = true; }  // for a person to look into

 private:
  std::string path_;
  bool kept_ = false;
};

}  // namespace minod::live
