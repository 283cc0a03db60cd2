#include "tests/fault/small_disk.h"

#include <fcntl.h>
#include <linux/ioctl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>

#include "base/fd.h"
#include "tests/live/server_process.h"

namespace minod::live {

namespace {

constexpr unsigned long kShutDown = _IOR('X', 125, std::uint32_t);  // FS_IOC_SHUTDOWN of ext4 and XFS
constexpr std::uint32_t kNoLogFlush = 2;

}  // namespace

bool shell(const std::string& script) {
  const auto exit = run({"sh", "-ec", script}, std::chrono::seconds(60));
  if (exit && exit->status == 0) return true;
  std::printf("%s\n%s\n", script.c_str(), exit ? exit->output.c_str() : "(it did not end)");
  return false;
}

SmallDisk::~SmallDisk() {
  if (mounted_) unmount();
}

std::string SmallDisk::mount(const std::string& size) {
  if (geteuid() != 0) return "not root: can't mount";
  if (program_in_path("mkfs.ext4").empty() && !std::filesystem::exists("/usr/sbin/mkfs.ext4")) return "no mkfs.ext4";
  const std::string image = directory_ + "/image";
  if (!shell("PATH=$PATH:/usr/sbin; truncate -s " + size + " " + image + "; mkfs.ext4 -q -m 0 " + image + "; mkdir " +
             path()) ||
      !mount_again()) {
    return "can't mount";
  }
  return "";
}

bool SmallDisk::mount_again(const std::string& options) {
  mounted_ = shell("mount -o loop," + options + " " + directory_ + "/image " + path());
  return mounted_;
}

bool SmallDisk::unmount() {
  mounted_ = !shell("umount " + path());
  return !mounted_;
}

bool SmallDisk::shut_down() {
  const Fd fd(::open(path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::uint32_t how = kNoLogFlush;
  return fd && ::ioctl(fd.get(), kShutDown, &how) == 0;
}

bool SmallDisk::abort() { return shell("mount -o remount,abort " + path()); }

}  // namespace minod::live
