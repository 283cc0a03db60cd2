#include "store/command_rows.h"

namespace minod {

namespace {

constexpr std::uint32_t kAnyTime = kNoScript | kLoading | kStale | kFast | kAllowBusy | kConnection;

constexpr CommandSpec kRows[] = {
    {"discard", 1, kAnyTime, kNoKeys, nullptr, "2.0.0", "transactions", "O(N), when N is the number of queued commands",
     "Forgets the transaction and what it watches", "@fast @transaction"},
    {"exec", 1, kNoScript | kLoading | kStale | kSkipSlowlog | kConnection, kNoKeys, nullptr, "1.2.0", "transactions",
     "Depends on commands in the transaction", "Executes the transaction, all or nothing", "@slow @transaction"},
    {"multi", 1, kAnyTime, kNoKeys, nullptr, "1.2.0", "transactions", "O(1)", "Begins a transaction",
     "@fast @transaction"},
    {"unwatch", 1, kAnyTime, kNoKeys, nullptr, "2.2.0", "transactions", "O(1)", "Forgets what is watched",
     "@fast @transaction"},
    {"watch", -2, kAnyTime, kAll, nullptr, "2.2.0", "transactions", "O(1) for every key",
     "Makes the next transaction do nothing if a key changes before it", "@fast @transaction", "RO"},
};

}  // namespace

std::span<const CommandSpec> transaction_rows() { return kRows; }

}  // namespace minod
