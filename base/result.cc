#include "base/result.h"

#include <cerrno>
#include <system_error>

namespace minod {

const char* name_of(Errc code) {
  switch (code) {
    case Errc::kIo:
      return "I/O error";
    case Errc::kNoSpace:
      return "no space";
    case Errc::kNotFound:
      return "not found";
    case Errc::kEnd:
      return "end";
    case Errc::kTorn:
      return "torn";
    case Errc::kCorrupt:
      return "corrupt";
    case Errc::kTooLarge:
      return "too large";
    case Errc::kInvalid:
      return "invalid";
    case Errc::kBusy:
      return "busy";
    case Errc::kStopped:
      return "stopped";
    case Errc::kUnsupported:
      return "unsupported";
  }
  return "unknown";
}

std::string Error::message() const {
  std::string text = detail.empty() ? std::string(name_of(code)) : detail;
  if (sys != 0) text += ": " + std::generic_category().message(sys);
  return text;
}

Error errno_error(std::string detail, int sys) {
  const bool full = sys == ENOSPC || sys == EDQUOT;
  const Errc code = full ? Errc::kNoSpace : sys == ENOENT ? Errc::kNotFound : Errc::kIo;
  return Error{code, sys, std::move(detail)};
}

}  // namespace minod
