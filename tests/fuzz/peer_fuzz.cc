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
#include "net/peer/link_frame.h"
#include "net/peer/peer_book.h"

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

void read_link_frames(Bytes from) {
  while (is_link_frame(from)) {
    const Bytes before = from;
    const auto frame = take_link_frame(from);
    if (!frame) return;
    check(from.size() < before.size(), "a frame about a connection takes bytes");
    const auto again = encode_link_frame(*frame);
    // What would move an operator's cursor is not written again.
    const bool alike = std::ranges::equal(again, before.first(again.size()));
    check(alike || std::holds_alternative<Goodbye>(*frame), "a frame about a connection is written as it was read");
  }
}

void read_files(std::string_view text) {
  const auto state = parse_state(text);
  if (state) check(text_of(*state) == text, "a state that is read is written alike");
  const auto book = PeerBook::parse(text);
  if (!book) return;
  const auto again = PeerBook::parse(PeerBook::text_of(*book));
  check(again && *again == *book, "what is known of a group is read as it was written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes from(reinterpret_cast<const std::byte*>(data), size);
  read_frames(from);
  read_link_frames(from);
  if (size >= kFrameHeaderSize) {
    std::vector<std::byte> mended(from.begin(), from.end());
    store_big(mended.data(), static_cast<std::uint32_t>(size - kFrameHeaderSize));
    store_big(mended.data() + 4, crc32c(Bytes(mended).subspan(kFrameHeaderSize)));
    read_frames(mended);
    read_link_frames(mended);
  }
  read_files(as_text(from));
  return 0;
}
