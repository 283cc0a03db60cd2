#include "store/checkpointer.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/diag.h"

namespace minod {

namespace {

constexpr std::size_t kPieceSlots = 256;  // of the index: read between two looks at the clock
constexpr std::size_t kSliceSlots = 4096;
constexpr std::int64_t kPause = 9;  // times what a slice took
constexpr Nanos kTickSlices{600'000};
constexpr std::int64_t kBytesPerKey = 24;  // of the file

// The older of the two, or one that is not there or of no use.
std::string slot_to_replace(Disk& disk, const std::string& directory, const IndexIdentity& identity) {
  std::string oldest;
  Offset begin;
  for (const std::string_view name : kCheckpointNames) {
    const auto opened = CheckpointReader::open(disk, directory + "/" + std::string(name), identity);
    if (!opened) return std::string(name);
    if (oldest.empty() || (*opened)->header().begin < begin) {
      oldest = name;
      begin = (*opened)->header().begin;
    }
  }
  return oldest;
}

// Where the oldest checkpoint on disk begins that a restart could open; nothing when it can't be said.
std::optional<Offset> oldest_begin(Disk& disk, const std::string& directory, const IndexIdentity& identity) {
  Offset oldest = kNoCheckpoint;
  for (const std::string_view name : kCheckpointNames) {
    const auto opened = CheckpointReader::open(disk, directory + "/" + std::string(name), identity);
    if (opened) oldest = std::min(oldest, (*opened)->header().begin);
    if (!opened && opened.error().code == Errc::kIo) return std::nullopt;
  }
  return oldest;
}

}  // namespace

struct Checkpointer::Work {
  enum class Step : std::uint8_t { kPlaces, kEntries, kEnd, kPublish };

  Work(Partition& of, std::string in) : partition(of), directory(std::move(in)) {}

  Partition& partition;
  std::string directory;
  CheckpointHeader header;
  Step step = Step::kPlaces;
  Offset next_segment;  // whose places are not in the file yet
  std::uint64_t cursor = 0;
  Offset end;
  std::uint64_t changes = 0;
  std::uint64_t bytes = 0;
  ChunkBuilder builder;
  ChangeWindow window;
  std::vector<HashIndex::Keyed> entries;
  std::optional<ReplacedFile> file;  // a job's, while one runs
  std::optional<Offset> oldest;      // of the checkpoints on disk, when it is published
};

std::int64_t Checkpointer::log_bytes(const Partition& partition) const {
  return partition.replayed_bytes() + static_cast<std::int64_t>(partition.log().counters().bytes);
}

bool Checkpointer::due(const Partition& partition, std::int64_t bytes) const {
  const auto begun = begun_at_.find(partition.id());
  return log_bytes(partition) - (begun == begun_at_.end() ? 0 : begun->second) >= bytes;
}

void CheckpointCounters::add(const CheckpointCounters& other) {
  running = running || other.running;
  written += other.written;
  failed += other.failed;
  bytes += other.bytes;
  slice_ns = std::max(slice_ns, other.slice_ns);
}

CheckpointCounters Checkpointer::counters() const {
  CheckpointCounters counters = counters_;
  counters.running = busy();
  return counters;
}

void Checkpointer::consider(Partition& partition) {
  if (work_ || running_ || bytes_ == 0 || partition.log().failure() != nullptr) return;
  // A large index is written less often: checkpoints then never take more than half of what the log writes.
  const auto file_bytes = static_cast<std::int64_t>(partition.index().size()) * kBytesPerKey;
  if (due(partition, std::max(bytes_, 2 * file_bytes)) || overdue_.contains(partition.id())) begin(partition);
}

void Checkpointer::rewritten(const Partition& partition, Offset base, Offset end) {
  const bool under_way = work_ && &work_->partition == &partition;
  const Offset begin = under_way ? work_->header.begin : partition.newest_checkpoint();
  const Offset segment = under_way ? work_->header.segment : partition.newest_checkpoint_segment();
  if (segment >= base && segment < end && begin != base) overdue_.insert(partition.id());
}

void Checkpointer::begin(Partition& partition) {
  begun_at_[partition.id()] = log_bytes(partition);
  overdue_.erase(partition.id());
  work_ = std::make_shared<Work>(partition, directory_ + "/" + partition.name());
  const Log::NextPlace next = partition.log().next_place();
  CheckpointHeader& header = work_->header;
  header.identity = identity_of(hasher_, directory_id_, partition.name());
  header.begin = next.offset;
  header.segment = next.segment;
  header.position = next.position;
  header.log_start = partition.log().log_start();
  partition.set_replay_begin(std::min(partition.replay_begin(), header.begin));
  put_header(work_->builder, header);
  // The active segment's, as they are now; the others do not change.
  for (const SegmentPlaces& places : partition.places().places(header.segment)) work_->builder.places(places);
}

// The log is read again from where the checkpoint begins, so all before is in the index before its first entry is read:
// a follower applies what it has only when it is committed.
bool Checkpointer::waits() const {
  return work_->step == Work::Step::kPlaces && work_->partition.applied() < work_->header.begin;
}

// The next segment's places, or the next entries.
bool Checkpointer::slice() {
  Work& work = *work_;
  if (work.step == Work::Step::kPlaces) {
    const auto places = work.partition.places().next_places(work.next_segment);
    if (places && places->segment < work.header.segment) {
      work.builder.places(*places);
      work.next_segment = places->segment + OffsetCount(1);
      return false;
    }
    work.step = Work::Step::kEntries;
  }
  add_entries();
  if (work.cursor != 0) return false;
  work.step = Work::Step::kEnd;
  work.end = work.partition.log().marks().appended();
  put_end(work.builder, work.end, work.changes);
  return true;
}

// As many pieces as kSliceTime allows: what a piece takes depends on how cold the index's memory is.
void Checkpointer::add_entries() {
  Work& work = *work_;
  const MonotonicNanos begin = clock_.monotonic();
  work.window.clear();
  for (std::size_t slots = 0; slots < kSliceSlots;) {
    add_piece();
    slots += kPieceSlots;
    if (work.cursor == 0 || clock_.monotonic() - begin >= kSliceTime) break;
  }
  if (work.window.changes.empty()) return;
  work.changes += work.window.changes.size();
  work.builder.changes(work.window);
}

void Checkpointer::add_piece() {
  Work& work = *work_;
  work.entries.clear();
  work.cursor = work.partition.index().read(work.cursor, kPieceSlots, work.entries);
  for (const HashIndex::Keyed& keyed : work.entries) {
    UnixMillis expires_at = kNeverExpires;
    if (keyed.entry.expires) {
      const auto found = work.partition.expiries().find(keyed.entry.offset);
      check(found.has_value(), "an entry that expires has its time");
      expires_at = *found;
    }
    work.window.changes.emplace_back(keyed.hash, keyed.entry.offset, true, expires_at);
  }
}

void Checkpointer::turn() {
  if (!work_ || running_ || clock_.monotonic() < next_slice_ || waits()) return;
  step();
}

void Checkpointer::tick() {
  const MonotonicNanos begin = clock_.monotonic();
  while (work_ && !running_ && work_->step < Work::Step::kEnd && !waits() && clock_.monotonic() - begin < kTickSlices)
    step();
}

void Checkpointer::step() {
  Work& work = *work_;
  if (work.partition.log().failure() != nullptr) {
    finished(std::nullopt);
    return;
  }
  if (work.step == Work::Step::kEnd || work.step == Work::Step::kPublish) {
    // What the file speaks of must be in the log whenever the file is there.
    if (work.partition.log().marks().committed() < work.end) {
      work.partition.log().sync();  // under appendfsync no nobody else does it
      return;
    }
    work.step = Work::Step::kPublish;
    run([this, at = work_] {
      auto published = at->file->publish();
      if (published) at->oldest = oldest_begin(disk_, at->directory, at->header.identity);
      return published;
    });
    return;
  }
  if (work.step == Work::Step::kPlaces && work.partition.follows() &&
      work.partition.log().log_start() != work.header.log_start) {
    // It has moved while what it waited for was applied, and the header says otherwise.
    overdue_.insert(work.partition.id());
    work_.reset();
    return;
  }
  const MonotonicNanos before = clock_.monotonic();
  const bool last = slice();
  const MonotonicNanos after = clock_.monotonic();
  const Nanos took = after - before;
  counters_.slice_ns = std::max(counters_.slice_ns, took.value());
  next_slice_ = after + Nanos(took.value() * kPause);
  if (!last && work.builder.size() < kBufferBytes) return;
  auto bytes = std::make_shared<std::vector<std::byte>>(work.builder.take());
  work.bytes += bytes->size();
  run([this, at = work_, bytes]() -> Result<void> {
    if (!at->file) at->file.emplace(disk_, at->directory, slot_to_replace(disk_, at->directory, at->header.identity));
    return at->file->append(*bytes);
  });
}

void Checkpointer::run(std::function<Result<void>()> job) {
  running_ = true;
  auto result = std::make_shared<Result<void>>();
  disk_.run_aside([job = std::move(job), result] { *result = job(); },
                  [this, result] {
                    running_ = false;
                    job_done(*result);
                  });
}

void Checkpointer::job_done(const Result<void>& result) {
  if (!work_) return;
  if (!result) {
    finished(result.error());
  } else if (work_->step == Work::Step::kPublish) {
    finished(std::nullopt);
  }
}

void Checkpointer::finished(const std::optional<Error>& failure) {
  if (failure) {
    // The one before is still there, and the log behind it.
    ++counters_.failed;
    diag::warning("the checkpoint of " + work_->directory + " was not written: " + failure->message());
  } else if (work_->step == Work::Step::kPublish) {
    if (work_->oldest) work_->partition.set_replay_begin(*work_->oldest);
    work_->partition.set_newest_checkpoint(work_->header);
    ++counters_.written;
    counters_.bytes = work_->bytes;
  }
  work_.reset();
}

void Checkpointer::write_now(Partition& partition) {
  if (work_) overdue_.insert(work_->partition.id());  // it was begun, and will not be written
  work_.reset();
  if (bytes_ == 0 || partition.log().failure() != nullptr) return;
  if (!due(partition, std::min(bytes_, kStopBytesMin)) && !overdue_.contains(partition.id())) return;
  // What is not committed, another leader's log may not have.
  const Watermarks& marks = partition.log().marks();
  if (partition.applied() < marks.appended() || marks.committed() < marks.appended()) return;
  begin(partition);
  ReplacedFile file(disk_, work_->directory, slot_to_replace(disk_, work_->directory, work_->header.identity));
  Result<void> result;
  for (bool last = false; !last && result;) {
    last = slice();
    if (!last && work_->builder.size() < kBufferBytes) continue;
    const std::vector<std::byte> bytes = work_->builder.take();
    work_->bytes += bytes.size();
    result = file.append(bytes);
  }
  if (result) result = file.publish();
  work_->step = Work::Step::kPublish;
  finished(result ? std::nullopt : std::optional(result.error()));
}

bool Checkpointer::rest(const Partition& partition) {
  begun_at_.erase(partition.id());
  overdue_.erase(partition.id());
  if (running_) return false;
  if (work_ && &work_->partition == &partition) work_.reset();
  return true;
}

void Checkpointer::abandon() {
  work_.reset();
  running_ = false;
}

}  // namespace minod
