// The table of commands: what each is called, what its arguments are, and the function that runs it. Everything that
// speaks of a command in general (COMMAND, arity errors, key extraction, routing, MULTI, statistics) reads this table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace minod {

class Call;

// The first are Redis's, as COMMAND names them; see flag_names().
enum CommandFlag : std::uint32_t {
  kWrite = 1u << 0,  // may append records
  kReadOnly = 1u << 1,
  kDenyOom = 1u << 2,  // may make the data larger
  kAdmin = 1u << 3,
  kNoScript = 1u << 4,
  kLoading = 1u << 5,  // allowed while the node starts
  kStale = 1u << 6,
  kSkipMonitor = 1u << 7,
  kSkipSlowlog = 1u << 8,  // its arguments are secrets, or its time is other commands'
  kFast = 1u << 9,
  kNoAuth = 1u << 10,   // allowed before AUTH
  kNoMulti = 1u << 11,  // not inside MULTI
  kAllowBusy = 1u << 12,
  kNoAsyncLoading = 1u << 13,

  kManyRecords = 1u << 16,    // its records are all there or none after a crash: one batch
  kAllPartitions = 1u << 17,  // has no key and concerns the whole keyspace: all partitions of the database
  kConnection = 1u << 18,     // runs in the session, not in the store
  kDebugOnly = 1u << 19,      // only with --enable-debug-command
  kContainer = 1u << 20,  // its first argument is a subcommand; set by the table, whose next row is the first of them
  kManyDatabases = 1u << 21,  // writes to more than one database, so to several logs
};

// Where keys stand among the arguments, as Redis's COMMAND says it: first and last argument index, and step. last may
// be negative: -1 is the last argument. first 0: no keys.
struct KeyPositions {
  int first = 0;
  int last = 0;
  int step = 0;
};

struct CommandSpec {
  std::string_view name;  // lower case; "client|setname" for a subcommand
  int arity;              // counts the name; negative: at least
  std::uint32_t flags;
  KeyPositions keys;
  void (*run)(Call&);      // null for kConnection commands
  std::string_view since;  // the Redis version that brought it
  std::string_view group;  // "string", "generic", "connection", "server", "transactions", "cluster"
  std::string_view complexity;
  std::string_view summary;                // minod's own words
  std::string_view acl_categories;         // "@read @string @fast", in the order that COMMAND prints
  std::string_view key_flags = {};         // "RW access update"; a ';' separates positions whose flags differ
  std::string_view tips = {};              // "request_policy:all_shards response_policy:agg_sum"
  std::string_view deprecated_since = {};  // empty: not deprecated
  std::string_view replaced_by = {};
};

// All commands, sorted by name; subcommands follow their container.
std::span<const CommandSpec> command_table();

// Case-insensitive; containers ("client") and not subcommands. Fast: on the path of every request.
const CommandSpec* find_command(std::string_view name);
const CommandSpec* find_subcommand(std::string_view container, std::string_view name);
inline bool has_subcommands(const CommandSpec& spec) { return (spec.flags & kContainer) != 0; }

// The names of those flags that Redis has, in COMMAND's order.
std::vector<std::string_view> flag_names(const CommandSpec& spec);

bool arity_fits(const CommandSpec& spec, std::size_t argument_count);

// Indexes of the arguments that are keys; kInvalid when the arguments do not fit the command.
Result<std::vector<std::size_t>> key_positions(const CommandSpec& spec, std::span<const std::string_view> args);

}  // namespace minod
