// Preloaded into a program, takes every odd MiB of its *.log files away for as long as the file that MINOD_UNREADABLE
// names is there: who reads one gets an error, of libaio's reads (EFAULT: the kernel is given no memory to read into)
// and of pread (EIO).
#undef _FORTIFY_SOURCE  // its inline pread would stand in the way of this one
#include <dlfcn.h>
#include <libaio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr int kStripeBits = 20;

bool lost(int fd, long long position, std::size_t size) {
  static const char* const flag = std::getenv("MINOD_UNREADABLE");
  if (flag == nullptr || access(flag, F_OK) != 0 || size == 0) return false;
  char target[4096];
  const ssize_t length = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), target, sizeof target);
  if (length < 0 || !std::string_view(target, static_cast<std::size_t>(length)).ends_with(".log")) return false;
  const auto first = position >> kStripeBits;
  const auto last = (position + static_cast<long long>(size) - 1) >> kStripeBits;
  return last > first || first % 2 == 1;
}

ssize_t read_at(int fd, void* into, std::size_t size, long long position) {
  using Pread = ssize_t (*)(int, void*, std::size_t, off64_t);
  static const auto real = reinterpret_cast<Pread>(dlsym(RTLD_NEXT, "pread64"));
  if (!lost(fd, position, size)) return real(fd, into, size, position);
  errno = EIO;
  return -1;
}

}  // namespace

extern "C" {

int io_submit(io_context_t context, long count, iocb** requests) {
  using Submit = int (*)(io_context_t, long, iocb**);
  static const auto real = reinterpret_cast<Submit>(dlsym(RTLD_NEXT, "io_submit"));
  std::vector<std::pair<iocb*, void*>> changed;
  for (long i = 0; i < count; ++i) {
    iocb* const request = requests[i];
    if (request->aio_lio_opcode != IO_CMD_PREAD) continue;
    if (!lost(request->aio_fildes, request->u.c.offset, request->u.c.nbytes)) continue;
    changed.emplace_back(request, request->u.c.buf);
    request->u.c.buf = reinterpret_cast<void*>(std::uintptr_t{4096});  // nothing is ever mapped there
  }
  const int taken = real(context, count, requests);
  for (const auto& [request, buffer] : changed) request->u.c.buf = buffer;
  return taken;
}

ssize_t pread(int fd, void* into, std::size_t size, off_t position) { return read_at(fd, into, size, position); }
ssize_t pread64(int fd, void* into, std::size_t size, off64_t position) { return read_at(fd, into, size, position); }

}  // extern "C"
