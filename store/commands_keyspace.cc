// Commands that walk the whole keyspace. Keys are on disk, so a walk reads them: SCAN in the order of the index, since
// its guarantee is about keys; KEYS in the order of the log, which reads every block once.
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/argument.h"
#include "store/call.h"
#include "store/commands.h"
#include "store/glob.h"
#include "store/request.h"
#include "store/slot.h"
#include "store/staged_writes.h"
#include "store/store.h"
#include "store/transaction.h"

namespace minod::commands {

namespace {

constexpr std::size_t kKeysWindow = 2048;       // records of KEYS that are fetched at a time
constexpr std::int64_t kScanCountMax = 10'000;  // of one SCAN call; a greater COUNT counts as this

bool alive(Call& call, Partition& partition, const IndexEntry& entry) {
  if (!entry.expires) return true;
  const auto expires_at = partition.expiries().find(entry.offset);
  return !expires_at || *expires_at > call.now();
}

// ---- what the transaction has done before, which the index does not tell

bool staged_flushed(Call& call) { return call.staged() != nullptr && call.staged()->flushed(call.db()); }

bool staged_deleted(Call& call, std::string_view key) {
  const auto* const write = call.staged() != nullptr ? call.staged()->find(key, call.db()) : nullptr;
  return write != nullptr && !write->present;
}

// Keys that the transaction has made and the index has not; of one partition, or of all that the call may touch.
template <class Visit>
void for_each_new_key(Call& call, std::optional<std::uint16_t> number, Visit&& visit) {
  if (call.staged() == nullptr) return;
  for (const auto& [key, write] : call.staged()->of(call.db())) {
    if (!write.present || (number && partition_of(key, call.reach()) != *number)) continue;
    Partition* const partition = staged_flushed(call) ? nullptr : call.home(key);
    const auto entry = partition != nullptr ? partition->index().find(call.store().hash(key)) : std::nullopt;
    if (!entry || !alive(call, *partition, *entry)) visit(std::string_view(key));
  }
}

// Of the keys that are there now, in the order of the log.
std::vector<Offset> offsets_of(Call& call, Partition& partition) {
  std::vector<Offset> offsets;
  std::uint64_t cursor = 0;
  do {
    cursor = partition.index().scan(cursor, [&](const IndexEntry& entry) {
      if (alive(call, partition, entry)) offsets.push_back(entry.offset);
    });
  } while (cursor != 0);
  std::ranges::sort(offsets);
  offsets.erase(std::unique(offsets.begin(), offsets.end()), offsets.end());
  return offsets;
}

// All keys as they are in this instant. Keys that were read for an earlier run stay, so nothing of others' comes
// between.
void keys_in_transaction(Call& call) {
  std::vector<std::string_view> keys;
  if (!staged_flushed(call)) {
    for (Partition* const partition : call.partitions()) {
      if (partition->index().size() > kTransactionWalkMax) {
        return call.reply().error("ERR KEYS inside a transaction walks at most " + std::to_string(kTransactionWalkMax) +
                                  " keys of a partition (transaction walk limit)");
      }
      std::size_t missing = 0;
      for (const Offset offset : offsets_of(call, *partition)) {
        const auto key = call.key_at(*partition, offset);
        if (key && !staged_deleted(call, *key)) keys.push_back(*key);
        if (!key && ++missing == kKeysWindow) break;
      }
      call.depend_on_all(*partition);
    }
    if (call.parked()) return;
  }
  for_each_new_key(call, std::nullopt, [&](std::string_view key) { keys.push_back(key); });
  std::erase_if(keys, [&](std::string_view key) { return !glob_matches(call[1], key); });
  call.reply().array(keys.size());
  for (const std::string_view key : keys) call.reply().bulk(key);
}

struct ScanOptions {
  std::string_view match;
  bool has_match = false;
  std::int64_t count = 10;
  bool only_other_types = false;  // TYPE names something that no key here is
};

bool parse_scan_options(Call& call, ScanOptions& options) {
  for (std::size_t i = 2; i < call.count(); i += 2) {
    if (i + 1 == call.count()) {
      call.reply().error(kSyntaxError);
      return false;
    }
    const std::string_view value = call[i + 1];
    if (is_word(call[i], "MATCH")) {
      options.match = value;
      options.has_match = value != "*";
    } else if (is_word(call[i], "COUNT")) {
      const auto count = integer_argument(call, i + 1);
      if (!count) return false;
      if (*count < 1) {
        call.reply().error(kSyntaxError);
        return false;
      }
      options.count = std::min(*count, kScanCountMax);
    } else if (is_word(call[i], "TYPE")) {
      options.only_other_types = !is_word(value, "STRING");
    } else {
      call.reply().error(kSyntaxError);
      return false;
    }
  }
  return true;
}

// Redis reads it with strtoul: digits and nothing else, within 64 bits.
std::optional<std::uint64_t> parse_cursor(std::string_view text) {
  std::uint64_t cursor = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), cursor);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return cursor;
}

}  // namespace

namespace {

struct Scanned {
  std::uint64_t next = 0;
  std::vector<std::string_view> keys;
};

// As many keys of the partition's index as are wanted, from the cursor on. What it returns holds unless parked().
Scanned scan_partition(Call& call, Partition& partition, std::uint64_t cursor, std::int64_t count) {
  Scanned scanned;
  scanned.next = cursor;
  std::vector<Offset> offsets;
  // Empty buckets cost little but are bounded too, so that one call never walks a sparse index to its end.
  for (std::int64_t steps = count * 10; steps > 0; --steps) {
    scanned.next = partition.index().scan(scanned.next, [&](const IndexEntry& entry) {
      if (alive(call, partition, entry)) offsets.push_back(entry.offset);
    });
    if (scanned.next == 0 || static_cast<std::int64_t>(offsets.size()) >= count) break;
  }
  for (const Offset offset : offsets) {
    if (const auto key = call.key_at(partition, offset)) scanned.keys.push_back(*key);
  }
  call.depend_on_all(partition);
  return scanned;
}

}  // namespace

// One partition is scanned after the other. A cursor names the partition by its remainder, as cursor_partition() does.
void scan(Call& call) {
  const auto cursor = parse_cursor(call[1]);
  if (!cursor) {
    call.reply().error("ERR invalid cursor");
    return;
  }
  ScanOptions options;
  if (!parse_scan_options(call, options)) return;
  const auto count = static_cast<std::uint64_t>(call.store().options().partitions);
  const std::uint16_t number = cursor_partition(*cursor, call.store().options().partitions);
  Scanned scanned;
  Partition* const partition = call.partition(number);
  if (partition != nullptr && !staged_flushed(call)) {
    scanned = scan_partition(call, *partition, *cursor / count, options.count);
    if (call.parked()) return;
  }
  auto& keys = scanned.keys;
  std::erase_if(keys, [&](std::string_view key) { return staged_deleted(call, key); });
  const std::optional<std::uint16_t> only = call.reach() > 1 ? std::optional(number) : std::nullopt;
  if (scanned.next == 0) for_each_new_key(call, only, [&](std::string_view key) { keys.push_back(key); });
  std::erase_if(keys, [&](std::string_view key) {
    return options.only_other_types || (options.has_match && !glob_matches(options.match, key));
  });
  std::uint64_t next = scanned.next * count + number;
  if (scanned.next == 0) next = (number + 1u) % count;
  call.reply().array(2);
  call.reply().bulk(std::to_string(next));
  call.reply().array(keys.size());
  for (const std::string_view key : keys) call.reply().bulk(key);
}

void keys(Call& call) {
  if (!call.alone()) return keys_in_transaction(call);
  struct Walk {
    bool started = false;
    std::vector<std::pair<Partition*, Offset>> records;
    std::size_t done = 0;
    std::vector<std::string> keys;
  };
  Walk& walk = call.state<Walk>();
  if (!std::exchange(walk.started, true)) {
    for (Partition* const partition : call.partitions()) {
      for (const Offset offset : offsets_of(call, *partition)) walk.records.emplace_back(partition, offset);
    }
  }
  while (walk.done < walk.records.size()) {
    const std::size_t end = std::min(walk.done + kKeysWindow, walk.records.size());
    std::vector<std::string_view> window;
    for (std::size_t i = walk.done; i < end; ++i) {
      // What was overwritten since the walk began is read all the same: its key was there.
      const auto key = call.key_at(*walk.records[i].first, walk.records[i].second);
      if (key) window.push_back(*key);
    }
    if (call.parked()) return;
    for (const std::string_view key : window) {
      if (glob_matches(call[1], key)) walk.keys.emplace_back(key);
    }
    walk.done = end;
    call.forget_fetched();
  }
  for (Partition* const partition : call.partitions()) call.depend_on_all(*partition);
  call.reply().array(walk.keys.size());
  for (const std::string& key : walk.keys) call.reply().bulk(key);
}

namespace {

// Of a random one of the partitions that have keys, so that a few keys beside many are not drawn more often than the
// many: each with its share.
Partition* draw_partition(Call& call) {
  const std::vector<Partition*> all = call.partitions();
  std::uint64_t keys = 0;
  for (const Partition* const partition : all) keys += partition->index().size();
  if (keys == 0) return nullptr;
  std::uint64_t drawn = call.store().random().below(keys);
  for (Partition* const partition : all) {
    if (drawn < partition->index().size()) return partition;
    drawn -= partition->index().size();
  }
  return nullptr;
}

}  // namespace

void randomkey(Call& call) {
  struct Sample {
    Partition* partition = nullptr;
    Offset offset = kNoOffset;
  };
  Sample& sample = call.state<Sample>();
  for (int tries = 0; tries < 100 && !staged_flushed(call); ++tries) {
    if (sample.offset == kNoOffset) {
      sample.partition = draw_partition(call);
      if (sample.partition == nullptr) break;
      const auto entry = sample.partition->index().sample(call.store().random().next());
      if (!entry) break;
      if (!alive(call, *sample.partition, *entry)) continue;
      sample.offset = entry->offset;
    }
    const auto key = call.key_at(*sample.partition, sample.offset);
    if (!key && call.parked()) return;
    const auto now = key ? sample.partition->index().find(call.store().hash(*key)) : std::nullopt;
    if (now && now->offset == sample.offset && !staged_deleted(call, *key)) {
      for (Partition* const partition : call.partitions()) call.depend_on_all(*partition);
      call.reply().bulk(*key);
      return;
    }
    sample.offset = kNoOffset;
  }
  for (Partition* const partition : call.partitions()) call.depend_on_all(*partition);
  std::optional<std::string_view> made;
  for_each_new_key(call, std::nullopt, [&](std::string_view key) { made = key; });
  made ? call.reply().bulk(*made) : call.reply().null();
}

namespace {

// How many more keys there are than the index has.
std::int64_t staged_growth(Call& call) {
  std::int64_t growth = 0;
  for (const auto& [key, write] : call.staged()->of(call.db())) {
    Partition* const partition = staged_flushed(call) ? nullptr : call.home(key);
    const bool before = partition != nullptr && partition->index().find(call.store().hash(key)).has_value();
    growth += (write.present ? 1 : 0) - (before ? 1 : 0);
  }
  return growth;
}

}  // namespace

void dbsize(Call& call) {
  std::int64_t size = 0;
  for (Partition* const partition : call.partitions()) {
    call.depend_on_all(*partition);
    if (!staged_flushed(call)) size += static_cast<std::int64_t>(partition->index().size());
  }
  if (call.staged() != nullptr) size += staged_growth(call);
  call.reply().integer(size);
}

namespace {

bool flush_mode_fits(Call& call) {
  const bool fits = call.count() == 1 || (call.count() == 2 && (is_word(call[1], "SYNC") || is_word(call[1], "ASYNC")));
  if (!fits) call.reply().error(kSyntaxError);
  return fits;
}

}  // namespace

void flushdb(Call& call) {
  if (!flush_mode_fits(call) || !call.erase_all({call.db()})) return;
  call.reply().ok();
}

void flushall(Call& call) {
  if (!flush_mode_fits(call)) return;
  std::vector<int> all;
  for (int db = 0; db < kDatabases; ++db) all.push_back(db);
  if (!call.erase_all(all)) return;
  call.reply().ok();
}

}  // namespace minod::commands
