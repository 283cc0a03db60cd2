// One partition of one keyspace: its log, and what the log's records add up to. Everything here but the log itself is
// rebuilt by apply(), in the order of the log: a live write, a restart and a replica differ only in who calls it.
// Belongs to one shard.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/ids.h"
#include "index/change_window.h"
#include "index/checkpoint_file.h"
#include "index/expiry_index.h"
#include "index/hash_index.h"
#include "index/key_hash.h"
#include "index/log_index.h"
#include "index/segment_counts.h"
#include "log/log.h"

namespace minod {

class Partition {
 public:
  // `id` is the shard's number for the log, in cache keys. Without an index, apply() has no effect: a plain topic's.
  Partition(int db, int number, std::uint16_t id, bool indexed = true)
      : db_(db), number_(number), id_(id), indexed_(indexed) {}

  // The record is the newest of its key, or of the keyspace.
  void apply(KeyHash hash, Offset offset, bool has_value, UnixMillis expires_at) {
    if (!indexed_) return;
    if (has_value) {
      apply_value(hash, offset, expires_at);
    } else {
      apply_tombstone(hash, offset);
    }
  }
  // As apply(), unless what is known of the key is as new: for a restart that reads again what a checkpoint may hold.
  void apply_if_newer(KeyHash hash, Offset offset, bool has_value, UnixMillis expires_at) {
    const auto entry = index_.find(hash);
    if (!entry || entry->offset < offset) {
      apply(hash, offset, has_value, expires_at);
    } else if (!has_value) {
      counts_.erased_by(offset);
    } else if (entry->offset > offset) {
      counts_.died(offset);
    }
  }
  // As apply() of each, for a checkpoint's changes: fast when they come in the order of their hashes and are new.
  void load(std::span<const IndexChange> changes);
  // Forgets all that was applied.
  void clear();
  // Every record below `offset`, where the log-start record is, is gone.
  void apply_log_start(Offset offset);

  // Cache mode. The key's newest record was appended again, unchanged, and has been read `hits` times before.
  void apply_kept(KeyHash hash, Offset offset, UnixMillis expires_at, std::uint8_t hits);
  // The record at `offset` was this key's newest; the log-start record at `by` ends its life.
  void apply_eviction(KeyHash hash, Offset offset, Offset by);
  // As a restart finds it: every record below `below` is gone, as the log-start record at `by` says.
  void apply_eviction_below(Offset below, Offset by);
  // The same for a shard that serves: nobody sees these records any more, and go_on_evicting() frees their memory in
  // steps of less than a millisecond, until it returns false.
  void begin_eviction_below(Offset below, Offset by);
  bool go_on_evicting();

  // The log has placed a batch.
  void placed(const BatchHeader& batch, Offset segment, FilePosition position) {
    places_.placed(batch, segment, position);
    counts_.placed(batch, segment);
  }

  // A restart may load a checkpoint of the index and replay the log from here on: what erases keys from here on must
  // stay in the log, or the checkpoint's entries for them would come back. Set before the checkpoint's first entry is
  // read from the index; of two checkpoints, the older one counts.
  Offset replay_begin() const { return replay_begin_; }
  void set_replay_begin(Offset offset) { replay_begin_ = offset; }

  // Where the newest checkpoint on disk begins, as far as is known, and in which segment; kNoCheckpoint: there is none.
  Offset newest_checkpoint() const { return newest_checkpoint_; }
  Offset newest_checkpoint_segment() const { return newest_checkpoint_segment_; }
  void set_newest_checkpoint(const CheckpointHeader& header) {
    newest_checkpoint_ = header.begin;
    newest_checkpoint_segment_ = header.segment;
  }

  // A restart starts its reading of values from disk only; nothing is known of the order of older erasures then.
  Offset newest_erasure() const { return newest_erasure_; }

  // A follower's: what is appended is applied later, and nothing expires, is evicted or compacted.
  bool follows() const { return follows_; }
  void set_follows(bool follows) {
    if (follows && !follows_ && log_) applied_ = log_->marks().appended();
    follows_ = follows;
    counts_.apply_later(follows);
  }

  // All below was applied: a follower's owner says how far, in any other log it is all that was appended.
  Offset applied() const { return follows_ ? applied_ : log_->marks().appended(); }
  void set_applied(Offset end) { applied_ = end; }

  // What `fresh` has been filled with takes the place of what was applied, and so does its id(): nothing that was kept
  // of the records before is taken for one of those that come. The log stays.
  void take_over(Partition&& fresh);

  int db() const { return db_; }
  int number() const { return number_; }
  std::uint16_t id() const { return id_; }
  Log& log() { return *log_; }
  const Log& log() const { return *log_; }
  bool has_log() const { return log_ != nullptr; }  // false while a job makes the log of a new database
  void set_log(std::unique_ptr<Log> log) { log_ = std::move(log); }
  std::unique_ptr<Log> take_log() { return std::move(log_); }

  HashIndex& index() { return index_; }
  const HashIndex& index() const { return index_; }
  ExpiryIndex& expiries() { return expiries_; }
  const ExpiryIndex& expiries() const { return expiries_; }
  LogIndex& places() { return places_; }
  SegmentCounts& counts() { return counts_; }
  const SegmentCounts& counts() const { return counts_; }

  // Bytes of the log, or of hints, that the restart had to read behind the checkpoint.
  std::int64_t replayed_bytes() const { return replayed_bytes_; }
  void set_replayed_bytes(std::int64_t bytes) { replayed_bytes_ = bytes; }

  // Index, expiries and places: what must be in RAM whatever the cache does.
  std::size_t index_bytes() const {
    return index_.memory_bytes() + expiries_.memory_bytes() + places_.memory_bytes() + counts_.memory_bytes();
  }

  std::string name() const { return "db" + std::to_string(db_) + "-" + std::to_string(number_); }

 private:
  void apply_value(KeyHash hash, Offset offset, UnixMillis expires_at) { apply_kept(hash, offset, expires_at, 0); }
  void apply_tombstone(KeyHash hash, Offset offset);

  int db_;
  int number_;
  std::uint16_t id_;
  bool indexed_;
  bool follows_ = false;
  Offset applied_ = kFirstOffset;
  HashIndex index_;
  ExpiryIndex expiries_;
  LogIndex places_;
  SegmentCounts counts_;
  Offset replay_begin_ = kNoCheckpoint;
  Offset newest_checkpoint_ = kNoCheckpoint;
  Offset newest_checkpoint_segment_ = kNoCheckpoint;
  Offset newest_erasure_ = kNoOffset;
  Offset evicting_below_ = kFirstOffset;
  std::int64_t replayed_bytes_ = 0;
  std::unique_ptr<Log> log_;  // last: its jobs refer to nothing above, but its destructor runs first
};

}  // namespace minod
