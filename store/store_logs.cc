// The store's partitions and their logs: made, adopted from a restart, started, let go.
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/diag.h"
#include "log/epoch_file.h"
#include "log/segment_name.h"
#include "store/store.h"

namespace minod {

std::unique_ptr<Partition> Store::new_partition(int db, int number) {
  return std::make_unique<Partition>(db, number, next_id_++);
}

LogEvents Store::events_for(Partition& partition) {
  Partition* const at = &partition;
  LogEvents events;
  events.placed = [at](const BatchHeader& batch, Offset segment, FilePosition position) {
    at->placed(batch, segment, position);
  };
  events.released = [this, at] { on_released(at->log()); };
  events.sealed = [this, at](Offset segment) {
    evictor_.changed();
    write_index_files(*at, segment);
    if (at->has_log() && at->log().may_be_cut()) {
      early_hints_.push_back({at, segment, false});
    } else {
      write_hint(*at, segment, false);
    }
  };
  events.trimmed = [this, at](Offset first) {
    at->places().drop_before(first);
    evictor_.changed();
    // The budget is that of all logs.
    for_each_partition([this](Partition& any) { wake_room_waiters(any.log()); });
  };
  events.room = [this, at] {
    evictor_.changed();
    if (at->has_log()) wake_room_waiters(at->log());
  };
  events.failed = [this](const Error& error) { on_failed(error); };
  return events;
}

LogOptions Store::log_options(const Partition& partition) const {
  return LogOptions{options_.directory + "/" + partition.name(),
                    options_.segment_bytes,
                    options_.sync,
                    options_.compress,
                    options_.space,
                    options_.joints};
}

Result<void> Store::open_log(Partition& partition, LogStart start) {
  auto log = Log::open(disk_, clock_, log_options(partition), std::move(start), events_for(partition));
  if (!log) return log.error();
  partition.set_log(std::move(*log));
  return {};
}

Result<void> Store::adopt(std::unique_ptr<Partition> partition, LogStart start) {
  if (auto opened = open_log(*partition, std::move(start)); !opened) return opened;
  auto& place = partitions_[static_cast<std::size_t>(partition->db() * options_.partitions + partition->number())];
  check(place == nullptr, "a partition is adopted once");
  place = std::move(partition);
  return {};
}

void Store::abandon() {
  for_each_partition([](Partition& partition) { partition.log().abandon(); });
  hints_.abandon();
  checkpointer_.abandon();
  compactor_.abandon();
  evictor_.abandon();
  jobs_ = 0;
}

void Store::start() {
  for_each_partition([this](Partition& partition) { start(partition); });
}

void Store::start(Partition& partition) {
  // A crash may have come between the seal of a segment and its index files; to write them anew costs little.
  for (const auto& [base, segment] : partition.log().segments()) {
    if (!segment.sealed) continue;
    write_index_files(partition, base);
    if (partition.log().may_be_cut()) {
      early_hints_.push_back({&partition, base, true});
    } else {
      write_hint(partition, base, true);
    }
  }
  partition.log().start();
}

namespace {

// Blocking: a new database's directory, first epoch and log.
Result<std::unique_ptr<Log>> make_log(Disk& disk, const Clock& clock, const std::string& parent,
                                      const LogOptions& options, const LogEvents& events) {
  if (auto made = disk.make_directory(options.directory); !made) return made.error();
  if (auto synced = disk.sync_directory(parent); !synced) return synced.error();
  if (auto epoch = write_epochs(disk, options.directory, {{Epoch{1}, kFirstOffset}}); !epoch) return epoch.error();
  return Log::open(disk, clock, options, LogStart{}, events);
}

}  // namespace

Result<void> Store::make_database_now(int db, int number) {
  auto& place = partitions_[static_cast<std::size_t>(db * options_.partitions + number)];
  if (place != nullptr) return {};
  auto made = new_partition(db, number);
  auto log = make_log(disk_, clock_, options_.directory, log_options(*made), events_for(*made));
  if (!log) return log.error();
  made->set_log(std::move(*log));
  place = std::move(made);
  return {};
}

// A database gets its log when it is first written to. Making one takes tens of milliseconds of disk time, so a job
// does it, and the calls that want it are parked.
void Store::make_database(int db, std::uint16_t number) {
  auto& place = partitions_[static_cast<std::size_t>(db * options_.partitions + number)];
  if (place != nullptr) return;
  place = new_partition(db, number);
  Partition* const partition = place.get();
  auto made = std::make_shared<std::optional<Result<std::unique_ptr<Log>>>>();
  ++jobs_;
  disk_.run_aside(
      [this, made, options = log_options(*partition), events = events_for(*partition)] {
        *made = make_log(disk_, clock_, options_.directory, options, events);
      },
      [this, partition, made] {
        --jobs_;
        database_made(*partition, std::move(**made));
      });
}

void Store::database_made(Partition& partition, Result<std::unique_ptr<Log>> log) {
  const bool failed = !log;
  if (failed) {
    // Only this database is not there; the next write to it tries again.
    diag::warning(partition.name() + " can't be created: " + log.error().message());
    partitions_[static_cast<std::size_t>(partition.db() * options_.partitions + partition.number())].reset();
  } else {
    partition.set_log(std::move(*log));
    partition.log().set_sync_policy(options_.sync);
    on_made(partition);
    partition.log().start();
  }
  for (const auto& parked : waiting_) {
    const auto alive = parked.lock();
    if (!alive || !alive->request->waits_for_database_) continue;
    alive->request->database_failed_ = failed;
    wake(*alive->request);
  }
}

// A hint speaks only of what is committed: nothing that it holds is ever cut.
void Store::write_due_hints() {
  std::erase_if(early_hints_, [this](const auto& early) {
    const auto& [partition, segment, only_if_missing] = early;
    if (!partition->has_log()) return true;
    const auto& segments = partition->log().segments();
    const auto found = segments.find(segment);
    if (found == segments.end()) return true;
    const auto next = std::next(found);
    if (next == segments.end() || partition->log().marks().committed() < next->first) return false;
    write_hint(*partition, segment, only_if_missing);
    return true;
  });
}

void Store::write_hint(Partition& partition, Offset segment, bool only_if_missing) {
  hints_.add(HintJobs::Wanted{options_.directory + "/" + partition.name(), segment,
                              identity_of(hasher_, options_.directory_id, partition.name()), only_if_missing,
                              [&partition, segment] { return partition.log().segments().contains(segment); }});
}

void Store::checkpoint_now() {
  for_each_partition([this](Partition& partition) { checkpointer_.write_now(partition); });
}

void Store::write_index_files(Partition& partition, Offset segment) {
  auto files = partition.places().take_files(segment);
  if (!files) return;
  const std::string directory = options_.directory + "/" + partition.name();
  auto failure = std::make_shared<std::optional<Error>>();
  ++jobs_;
  disk_.run_aside(
      [this, directory, segment, files = std::move(*files), failure] {
        const auto write = [&](std::string_view suffix, const std::vector<std::byte>& contents) {
          const auto written = replace_file(disk_, directory, segment_name(segment, suffix), contents);
          if (!written) *failure = written.error();
        };
        write(kIndexSuffix, files.offset_index());
        write(kTimeIndexSuffix, files.time_index());
      },
      [this, failure] {
        --jobs_;
        // Index files can be rebuilt from the log at any time; the node itself never reads them.
        if (*failure) diag::warning("an index file was not written: " + (*failure)->message());
      });
}

}  // namespace minod
