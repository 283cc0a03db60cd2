// Operating errors are values in the signature. An Error says what kind of failure it is (for code) and what happened
// where (for people).
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <string>

namespace minod {

enum class Errc : std::uint8_t {
  kIo,           // the operating system refused; sys holds errno
  kNoSpace,      // the disk, or a reserve that must stay free, is full
  kNotFound,     // a file or a thing asked for by name is not there
  kEnd,          // nothing more to read; not a failure
  kTorn,         // the last write did not finish; what came before it is whole
  kCorrupt,      // bytes that were whole once are damaged
  kTooLarge,     // over a named limit
  kInvalid,      // malformed input
  kBusy,         // held by somebody else
  kStopped,      // the log has failed or is closing; nothing more is accepted
  kUnsupported,  // the file system or the format version can't do it
};

const char* name_of(Errc code);

struct Error {
  Errc code = Errc::kIo;
  int sys = 0;         // errno, or 0
  std::string detail;  // what was being done, to what; no trailing full stop

  // "open data/db0-0/x.log: No space left on device"
  std::string message() const;
};

// boost::system::result turns into an exception only through throw_exception_from_error, which is left undeclared for
// Error: value() does not compile, so nobody throws by accident. Use `if (!r) return r.error();` and `*r`.
template <class T>
using Result = boost::system::result<T, Error>;

Error errno_error(std::string detail, int sys);  // kNoSpace for ENOSPC and EDQUOT, kNotFound for ENOENT, else kIo

}  // namespace minod
