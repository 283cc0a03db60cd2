// The bytes of messages between nodes. docs/FORMAT.md, "Between nodes". What a peer sends is never trusted: a frame
// that is not exactly of this form is kCorrupt, and nothing is allocated by a length that it declares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "cluster/log_name.h"
#include "cluster/message.h"

namespace minod {

inline constexpr std::size_t kFrameHeaderSize = 8;
inline constexpr std::size_t kFrameSizeMax = std::size_t{64} << 20;
inline constexpr std::size_t kSetMembersMax = 1024;  // in a set, or ever
inline constexpr std::size_t kEpochsMax = 65'535;    // in an answer, or of a log
inline constexpr std::size_t kLogsMax = 1024;        // of one partition number
inline constexpr std::size_t kSegmentsMax = 65'535;  // of a log that is copied

struct Frame {
  LogName log;
  Message message;
  Bytes batches;  // of an Answer's records, or of SegmentBytes; points into the bytes it was taken from
};

// The frame of `message`, with `batches` at its end.
std::vector<std::byte> encode_frame(LogName log, const Message& message, Bytes batches = {});

// Takes a whole frame off the front of `from`. kTorn: it is not all there yet. kCorrupt: the peer is not to be listened
// to any more.
Result<Frame> take_frame(Bytes& from);

// ---- what every frame has, whatever it says

// Puts size and CRC into the first kFrameHeaderSize bytes, which were left free for them.
void seal_frame(std::vector<std::byte>& frame);
// What stands behind the header of the frame that `from` begins with; kTorn and kCorrupt as take_frame() says.
// `size_max` bounds the frame, its header too.
Result<Bytes> frame_body(Bytes from, std::size_t size_max);
Error bad_frame(const std::string& what);

}  // namespace minod
