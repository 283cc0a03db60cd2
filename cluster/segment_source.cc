#include "cluster/segment_source.h"

#include <algorithm>
#include <utility>

#include "base/buffer.h"

namespace minod {

namespace {

constexpr Millis kListKept{60'000};

}  // namespace

Segments SegmentSource::list(MemberId member, const Log& log, Millis now) {
  Segments all;
  List& list = lists_[member];
  list = List{{}, now};
  const Log::Place written = log.written_place();
  for (const auto& [base, segment] : log.segments()) {
    if (base > written.segment) break;
    const std::int64_t size = (base == written.segment ? written.position : segment.end).value();
    if (size == 0) continue;
    all.segments.push_back(SegmentEntry{base, size});
    list.segments.push_back(Held{base, size, segment.file});
  }
  all.end = log.marks().written();
  return all;
}

void SegmentSource::read(MemberId member, const SegmentRead& wanted, Millis now) {
  const auto found = lists_.find(member);
  const Held* held = nullptr;
  if (found != lists_.end()) {
    found->second.used_at = now;
    const auto at = std::ranges::find(found->second.segments, wanted.base, &Held::base);
    if (at != found->second.segments.end()) held = &*at;
  }
  const bool aligned = wanted.position >= 0 && wanted.position % static_cast<std::int64_t>(kIoAlignment) == 0;
  if (held == nullptr || !aligned || wanted.position >= held->size || wanted.size <= 0) {
    transport_.send(member, name_, Message(SegmentBytes{wanted.base, wanted.position, -1}), nullptr);
    return;
  }
  const std::int64_t size =
      std::min({std::int64_t{wanted.size}, std::int64_t{kSegmentReadMax}, held->size - wanted.position});
  const auto memory = std::make_shared<AlignedBuffer>(align_up(static_cast<std::size_t>(size)));
  const SegmentBytes about{wanted.base, wanted.position, held->size};
  held->file->read(FilePosition(wanted.position), memory->span(),
                   [transport = &transport_, name = name_, member, about, size, memory,
                    file = held->file](const Result<std::size_t>& read) {
                     if (!read || *read < static_cast<std::size_t>(size)) return;  // it is asked for again
                     const Bytes bytes = std::as_const(*memory).span().first(static_cast<std::size_t>(size));
                     transport->send(member, name, Message(about),
                                     std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end()));
                   });
}

void SegmentSource::tick(Millis now) {
  std::erase_if(lists_, [&](const auto& one) { return now - one.second.used_at > kListKept; });
}

}  // namespace minod
