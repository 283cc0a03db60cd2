// Any bytes, given to what reads frames from other nodes and the files about them: as they are, and with size and
// checksum put right, so that what stands behind the checks is reached too.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/endian.h"
#include "cluster/shipped_batches.h"
#include "cluster/state_file.h"
#include "cluster/wire.h"

namespace {

using namespace minod;

void read_frames(Bytes from) {
  for (;;) {
    const Bytes before = from;
    const auto frame = take_frame(from);
    if (!frame) return;
    check(from.size() < before.size(), "a frame takes bytes");
    const auto again = encode_frame(frame->log, frame->message, frame->batches);
    check(std::ranges::equal(again, before.first(again.size())), "a frame that is read is written alike");
    const auto* const answer = std::get_if<Answer>(&frame->message);
    if (answer == nullptr) continue;
    const auto end = check_shipped(*answer, frame->batches);
    if (end) check(*end >= answer->begin && *end <= answer->next, "shipped batches lie in what was announced");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes from(reinterpret_cast<const std::byte*>(data), size);
  read_frames(from);
  if (size >= kFrameHeaderSize) {
    std::vector<std::byte> mended(from.begin(), from.end());
    store_big(mended.data(), static_cast<std::uint32_t>(size - kFrameHeaderSize));
    store_big(mended.data() + 4, crc32c(Bytes(mended).subspan(kFrameHeaderSize)));
    read_frames(mended);
  }
  const std::string text(as_text(from));
  const auto state = parse_state(text);
  if (state) check(text_of(*state) == text, "a state that is read is written alike");
  return 0;
}
