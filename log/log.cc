#include "log/log.h"

#include <algorithm>

#include "base/check.h"
#include "base/endian.h"

namespace minod {

namespace {

// Records are refused when less than this is left of prepared space and no more can be had; deletes may still use it.
constexpr std::size_t kDeleteReserve = std::size_t{256} << 10;
constexpr std::size_t kGroupHeldBackMax = std::size_t{32} << 10;
constexpr std::size_t kSpareMemoryMax = std::size_t{4} << 20;

}  // namespace

Log::Log(Disk& disk, const Clock& clock, LogOptions options, const LogStart& start, LogEvents events)
    : disk_(disk),
      clock_(clock),
      options_(std::move(options)),
      events_(std::move(events)),
      marks_(start.end),
      epoch_(start.epoch),
      log_start_(start.log_start),
      committed_log_start_(start.log_start),
      segments_(disk, clock, options_.directory, options_.segment_bytes, options_.space),
      tail_(start.end),
      cached_end_(start.end) {
  if (options_.compress) compressor_ = std::make_unique<Compressor>();
  segments_.on_changed = [this] {
    events_.room();
    write_next_group();
  };
  segments_.on_sealed = [this](Offset segment) {
    events_.sealed(segment);
    drop_dead_segments();
  };
  segments_.on_failed = [this](Error error) { fail(std::move(error)); };
}

Log::~Log() { check(!in_flight_ && !syncing_ && segments_.idle(), "a log is closed when nothing is in flight"); }

void Log::abandon() {
  in_flight_ = syncing_ = false;
  segments_.abandon();
}

Result<std::unique_ptr<Log>> Log::open(Disk& disk, const Clock& clock, LogOptions options, LogStart start,
                                       LogEvents events) {
  std::unique_ptr<Log> log(new Log(disk, clock, std::move(options), start, std::move(events)));
  if (auto opened = log->segments_.open(start.segments, start.end); !opened) return opened.error();
  if (auto ready = log->start_writing(start); !ready) return ready.error();
  return log;
}

Result<void> Log::start_writing(const LogStart& start) {
  Segment& active = segments_.active();
  position_ = active.end;
  if (start.dirty_tail) {
    // A write that was torn may have left whole batches behind the cut. They carry offsets and an epoch that could fit
    // what is appended next, so they must be gone, durably, before that (etcd's ZeroToEnd has the same reason).
    // In place: so it takes no space on a full disk.
    if (auto zeroed = active.file->prepare_now(position_.value(), active.prepared); !zeroed) return zeroed.error();
  }
  const std::int64_t block_begin = static_cast<std::int64_t>(align_down(static_cast<std::size_t>(position_.value())));
  std::vector<std::byte> before(static_cast<std::size_t>(position_.value() - block_begin));
  const auto read = active.file->read_now(FilePosition(block_begin), before);
  if (!read) return read.error();
  if (*read != before.size()) return Error{Errc::kCorrupt, 0, "the last block of the active segment is cut short"};
  open_.start(active.base, position_, before);
  return {};
}

void Log::start() {
  seal_finished_segments();
  drop_dead_segments();
  segments_.prepare(0, false);
}

FilePosition Log::segment_end(Offset segment) const { return segments_.all().at(segment).end; }

Log::Place Log::written_place() const {
  const Group& first = in_flight_ ? writing_ : queued_.empty() ? open_ : queued_.front();
  return {first.segment(), first.end() - ByteCount(static_cast<std::int64_t>(first.added()))};
}

// ---- appending

Log::Room Log::make_room(std::size_t bytes, bool last_reserve) {
  if (failure_) return Room::kFull;
  if (writers_ != Writers::kMay) return writers_ == Writers::kWait ? Room::kWait : Room::kReadOnly;
  const auto need = static_cast<std::int64_t>(bytes + kBatchHeaderSize + (last_reserve ? 0 : kDeleteReserve));
  const auto planned = position_.value() + static_cast<std::int64_t>(builder_.size());
  const bool empty = planned == 0;  // an empty segment is made larger, never left: two can't have one base offset
  if (planned + need <= segments_.active().prepared || (!empty && segments_.next_takes(need))) return Room::kYes;
  segments_.prepare(need, empty);
  return segments_.preparing() ? Room::kWait : Room::kFull;
}

void Log::begin_group(std::size_t bytes) {
  check(group_bytes_ == 0, "groups do not nest");
  const auto need = static_cast<std::int64_t>(bytes + kBatchHeaderSize);
  const bool fits =
      position_.value() + static_cast<std::int64_t>(builder_.size()) + need <= segments_.active().prepared;
  if (builder_.is_open() && (builder_.size() + bytes > kBatchSizeTarget || !fits)) close_batch();
  group_bytes_ = bytes + kBatchHeaderSize;
}

void Log::end_group() {
  group_bytes_ = 0;
  if (!together_.empty()) end_joint();
  if (builder_.is_open() && builder_.size() >= kBatchSizeTarget) close_batch();
}

void Log::open_batch(std::size_t need, UnixMillis now, bool control) {
  if (position_.value() + static_cast<std::int64_t>(need) > segments_.active().prepared) roll();
  batch_ = tail_.open_batch(std::max(need, kBatchSizeTarget));
  builder_.open(batch_, marks_.appended(), epoch_, now, control);
}

Offset Log::append(const NewRecord& record, UnixMillis now) {
  const std::size_t together = builder_.is_open() ? 0 : together_.size();
  const std::size_t bound = record.key.size() + record.value.size() + kRecordOverheadMax + together;
  const auto planned = position_.value() + static_cast<std::int64_t>(builder_.size() + bound);
  if (builder_.is_open() && group_bytes_ == 0 &&
      (builder_.size() + bound > kBatchSizeTarget || planned > segments_.active().prepared)) {
    close_batch();
  }
  NewRecord stamped = record;
  if (!builder_.is_open()) {
    open_batch(std::max(bound + kBatchHeaderSize, group_bytes_), now, false);
    stamped.together = together_;
    // The first batch of a group says how far the log was committed: a whole batch later proves that damage below is no
    // torn write (Pebble's synced offset). What was only durable may be a part of a joint transaction that a start
    // cuts.
    if (open_.added() == 0) stamped.durable_upto = marks_.committed();
  }
  batch_ = tail_.grow_batch(builder_.size(), bound);
  builder_.moved(batch_);
  const std::size_t before = builder_.size();
  const std::byte* const at = builder_.append(stamped, now);
  tail_.add(at, builder_.size() - before);
  const Offset offset = marks_.appended();
  marks_.append_to(offset + OffsetCount(1));
  ++counters_.records;
  return offset;
}

bool Log::needs_new_segment(std::size_t bytes) const {
  const auto need = static_cast<std::int64_t>(bytes + kBatchHeaderSize + kDeleteReserve);
  return position_.value() + static_cast<std::int64_t>(builder_.size()) + need >
         segments_.all().rbegin()->second.prepared;
}

Offset Log::append_log_start(UnixMillis now, Offset below) {
  if (builder_.is_open()) close_batch();
  const Offset offset = marks_.appended();
  std::byte key[4];
  store_big<std::int16_t>(key, 0);
  store_big(key + 2, kLogStartControl);
  std::byte value[10];
  store_big<std::int16_t>(value, 0);
  if (below == kNoOffset) below = offset;
  check(log_start_ <= below && below <= offset, "the log start goes forward, up to the record that says so");
  store_big(value + 2, below.value());
  open_batch(kBatchHeaderSize + kRecordOverheadMax + together_.size(), now, true);
  NewRecord record{as_text(key), as_text(value)};
  record.together = together_;
  const std::byte* const at = builder_.append(record, now);
  tail_.add(at, builder_.size() - kBatchHeaderSize);
  marks_.append_to(offset + OffsetCount(1));
  close_batch();
  log_start_ = below;
  pending_log_starts_.push_back({offset, below});
  return offset;
}

void Log::close_batch() {
  const BatchHeader header = builder_.close();
  auto size = static_cast<std::size_t>(header.length);
  const Bytes plain(batch_, size);
  tail_.close_batch(size);
  std::byte* const to = open_.room(size);
  const auto compressed = compressor_ && header.record_count > 0
                              ? compress_batch(*compressor_, plain, MutableBytes(to, size))
                              : std::nullopt;
  if (compressed) {
    size = *compressed;
  } else {
    std::memcpy(to, plain.data(), size);
  }
  open_.grew(size);
  open_.end_offset = header.next_offset();
  pending_bytes_ += size;
  ++counters_.batches;

  const FilePosition at = position_;
  position_ += ByteCount(static_cast<std::int64_t>(size));
  Segment& active = segments_.active();
  active.end = position_;
  check(position_.value() <= active.prepared, "a batch lies in prepared space");
  BatchHeader placed = header;
  placed.length = static_cast<std::int32_t>(size);
  placed.crc = load_big<std::uint32_t>(to + batch_field::kCrc);
  if (recent_) recent_->add(header.base_offset, header.next_offset(), Bytes(to, size));
  events_.placed(placed, active.base, at);
}

void Log::roll() {
  if (open_.added() != 0) queued_.push_back(std::move(open_));
  const Offset left = segments_.active().base;
  segments_.roll(marks_.appended());
  position_ = FilePosition(0);
  open_ = std::move(spare_);
  spare_ = Group();
  open_.start(marks_.appended(), position_, {});
  const bool nothing_on_its_way = !in_flight_ && queued_.empty();
  if (nothing_on_its_way) segments_.seal(left);
  segments_.prepare(0, false);
}

// ---- writing

void Log::dispatch() { write_next_group(); }

void Log::write_next_group() {
  if (in_flight_ || failure_) return;
  if (queued_.empty()) {
    if (builder_.is_open()) {
      check(group_bytes_ == 0, "a group is complete before the turn ends");
      close_batch();
    }
    if (open_.added() == 0 || !segments_.active().named) return;
    writing_ = std::move(open_);
    open_ = std::move(spare_);
    spare_ = Group();
    // The written group keeps its last, partly filled block for reading; the next one starts with a copy of it.
    open_.start(writing_.segment(), writing_.end(), writing_.unfinished_block());
  } else {
    if (!segments_.find(queued_.front().segment())->named) return;
    writing_ = std::move(queued_.front());
    queued_.pop_front();
  }
  in_flight_ = true;
  dispatched_at_ = clock_.monotonic();
  counters_.group_bytes.record(writing_.added());
  const WriteMode mode = options_.sync == SyncPolicy::kAlways ? WriteMode::kDurable : WriteMode::kCached;
  segments_.find(writing_.segment())
      ->file->write(writing_.begin(), writing_.blocks(), mode, [this, mode](const Result<std::size_t>& result) {
        in_flight_ = false;
        if (!result) {
          fail(result.error());
          return;
        }
        marks_.write_to(writing_.end_offset);
        if (mode == WriteMode::kCached) cached_end_ = writing_.end_offset;
        durable_reached(marks_.durable());
        settle_joints();
        written(writing_.added());
      });
  disk_.submit();
}

// All below `end` is durable; and if no cached write lies above it, so is everything written since.
void Log::durable_reached(Offset end) {
  if (end >= cached_end_) end = marks_.written();
  if (end <= marks_.durable()) return;
  marks_.make_durable_to(end);
  settle_joints();
  drop_dead_segments();  // of a log start that has become durable; on a full disk nothing else would come
}

void Log::written(std::size_t size) {
  pending_bytes_ -= size;
  ++counters_.groups;
  counters_.bytes += size;
  counters_.commit_ns.record(static_cast<std::uint64_t>((clock_.monotonic() - dispatched_at_).value()));
  if (writing_.memory_bytes() <= kSpareMemoryMax) {
    spare_ = std::move(writing_);
  } else {
    writing_ = Group();
  }
  seal_finished_segments();
  if (options_.sync == SyncPolicy::kAlways) sync();  // does something only after the policy was changed to this
  // The next group leaves before the replies of this one are made, and the device works while the processor does; but
  // not one smaller than this was: its owner's clients are about to write again, and a group costs the same whatever
  // its size. The owner dispatches what is held back at the end of its turn.
  if (!queued_.empty() || pending_bytes() >= std::min(size, kGroupHeldBackMax)) write_next_group();
  events_.released();
}

void Log::sync() {
  if (syncing_ || failure_ || marks_.durable() == marks_.written()) return;
  syncing_ = true;
  // A segment that was left is made durable by its seal; until then a sync of the active one proves nothing.
  const Offset end = marks_.written();
  for (const auto& [base, segment] : segments_.all()) {
    if (segment.full && !segment.sealed) {
      syncing_ = false;
      return;
    }
  }
  segments_.active().file->sync([this, end](const Result<std::size_t>& result) {
    syncing_ = false;
    if (!result) {
      fail(result.error());
      return;
    }
    durable_reached(end);
    events_.released();
  });
  disk_.submit();
}

void Log::fail(Error error) {
  if (failure_) return;
  failure_ = std::move(error);
  if (options_.joints) options_.joints->give_up();
  events_.failed(*failure_);
}

// ---- segments that are left

void Log::seal_finished_segments() {
  const Offset writing = queued_.empty() ? segments_.active().base : queued_.front().segment();
  std::vector<Offset> finished;
  for (const auto& [base, segment] : segments_.all()) {
    if (base < writing && segment.full && !segment.sealing) finished.push_back(base);
  }
  for (const Offset base : finished) segments_.seal(base);
}

bool Log::leave_active() {
  if (failure_ || group_bytes_ != 0) return false;
  const bool has_records = position_.value() != 0 || builder_.is_open();
  if (!has_records || !segments_.next_takes(static_cast<std::int64_t>(kDeleteReserve))) return false;
  if (builder_.is_open()) close_batch();
  roll();
  return true;
}

void Log::hold_segments(bool held) {
  held_ = held;
  if (!held_) drop_dead_segments();
}

std::vector<std::shared_ptr<File>> Log::replace_segments(Offset base, Offset end, std::shared_ptr<File> file,
                                                         std::int64_t size) {
  auto replaced = segments_.replace(base, end, std::move(file), size);
  events_.sealed(base);
  return replaced;
}

void Log::drop_dead_segments() {
  if (held_) return;
  bool dropped = false;
  while (segments_.all().size() > 1) {
    const auto first = segments_.all().begin();
    if (!first->second.sealed || std::next(first)->first > committed_log_start_) break;
    segments_.remove(first->first);
    dropped = true;
  }
  if (dropped && events_.trimmed) events_.trimmed(segments_.all().begin()->first);
}

std::int64_t Log::live_disk_bytes() const {
  std::int64_t bytes = segments_.disk_bytes();
  for (auto at = segments_.all().begin(); std::next(at) != segments_.all().end(); ++at) {
    if (std::next(at)->first > log_start_) break;
    bytes -= at->second.prepared;
  }
  return bytes;
}

void Log::read(Offset segment, FilePosition begin, FilePosition end, BlockCallback done) {
  const Segment* found = segments_.find(segment);
  check(found != nullptr && begin < end, "a read lies in a segment of the log");
  const std::size_t from = align_down(static_cast<std::size_t>(begin.value()));
  const auto skip = static_cast<std::size_t>(begin.value()) - from;
  const auto size = static_cast<std::size_t>((end - begin).value());
  auto block = std::make_shared<Block>();
  block->memory = AlignedBuffer(skip + size);
  const MutableBytes into = block->memory.span();
  found->file->read(FilePosition(static_cast<std::int64_t>(from)), into,
                    [block, skip, size, file = found->file, done = std::move(done)](const Result<std::size_t>& read) {
                      if (!read) {
                        done(read.error());
                      } else if (*read < skip + size) {
                        done(Error{Errc::kCorrupt, 0, "a segment file ends before a batch that was placed in it"});
                      } else {
                        block->bytes = std::as_const(block->memory).span().subspan(skip, size);
                        done(block);
                      }
                    });
}

}  // namespace minod
