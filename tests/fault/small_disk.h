// A small ext4 of a test's own, in a file behind a loop device; and the ways in which it fails. Needs root.
#pragma once

#include <string>

namespace minod::live {

class SmallDisk {
 public:
  // Image and mount point are made in `directory`.
  explicit SmallDisk(std::string directory) : directory_(std::move(directory)) {}
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  // Why it can't be mounted here; empty: it is.
  std::string mount(const std::string& size);
  bool mount_again(const std::string& options = "rw");  // what was unmounted
  bool unmount();

  // As after a fatal error of the file system: every write fails, with EIO and with EROFS.
  bool shut_down();
  bool abort();

  std::string path() const { return directory_ + "/mount"; }

 private:
  std::string directory_;
  bool mounted_ = false;
};

// Runs a script with sh; false, and its output is printed, when it fails.
bool shell(const std::string& script);

}  // namespace minod::live
