#include "store/command_rows.h"

namespace minod {

namespace {

constexpr CommandSpec kRows[] = {
    {"auth", -2, kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy | kConnection, kNoKeys, nullptr, "1.0.0",
     "connection", "O(N) where N is the number of passwords defined for the user", "Authenticates the connection",
     "@fast @connection"},
    {"client", -2, kConnection, kNoKeys, nullptr, "2.4.0", "connection", "Depends on subcommand",
     "Container of commands about connections", "@slow"},
    {"client|getname", 2, kNoScript | kLoading | kStale | kConnection, kNoKeys, nullptr, "2.6.9", "connection", "O(1)",
     "Returns the connection's name", "@slow @connection"},
    {"client|help", 2, kLoading | kStale | kConnection, kNoKeys, nullptr, "5.0.0", "connection", "O(1)",
     "Lists the subcommands", "@slow @connection"},
    {"client|id", 2, kNoScript | kLoading | kStale | kConnection, kNoKeys, nullptr, "5.0.0", "connection", "O(1)",
     "Returns the connection's number", "@slow @connection"},
    {"client|info", 2, kNoScript | kLoading | kStale | kConnection, kNoKeys, nullptr, "6.2.0", "connection", "O(1)",
     "Describes this connection", "@slow @connection", "", "nondeterministic_output"},
    {"client|kill", -3, kAdmin | kNoScript | kLoading | kStale | kConnection, kNoKeys, nullptr, "2.4.0", "connection",
     "O(N) where N is the number of client connections", "Closes connections", "@admin @slow @dangerous @connection"},
    {"client|list", -2, kAdmin | kNoScript | kLoading | kStale | kConnection, kNoKeys, nullptr, "2.4.0", "connection",
     "O(N) where N is the number of client connections", "Describes the open connections",
     "@admin @slow @dangerous @connection", "", "nondeterministic_output"},
    {"client|no-evict", 3, kAdmin | kNoScript | kLoading | kStale | kConnection, kNoKeys, nullptr, "7.0.0",
     "connection", "O(1)", "Exempts the connection from being closed for its memory",
     "@admin @slow @dangerous @connection"},
    {"client|no-touch", 3, kNoScript | kLoading | kStale | kConnection, kNoKeys, nullptr, "7.2.0", "connection", "O(1)",
     "Lets the connection's reads leave no trace in the cache", "@slow @connection"},
    {"client|reply", 3, kNoScript | kLoading | kStale | kConnection, kNoKeys, nullptr, "3.2.0", "connection", "O(1)",
     "Switches replies to this connection off and on", "@slow @connection"},
    {"client|setinfo", 4, kNoScript | kLoading | kStale | kConnection, kNoKeys, nullptr, "7.2.0", "connection", "O(1)",
     "Records the client library's name or version", "@slow @connection", "",
     "request_policy:all_nodes response_policy:all_succeeded"},
    {"client|setname", 3, kNoScript | kLoading | kStale | kConnection, kNoKeys, nullptr, "2.6.9", "connection", "O(1)",
     "Names the connection", "@slow @connection"},
    {"echo", 2, kLoading | kStale | kFast | kConnection, kNoKeys, nullptr, "1.0.0", "connection", "O(1)",
     "Returns its argument", "@fast @connection"},
    {"hello", -1, kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy | kConnection, kNoKeys, nullptr, "6.0.0",
     "connection", "O(1)", "Chooses the protocol version, authenticates and names the connection", "@fast @connection"},
    {"ping", -1, kFast | kConnection, kNoKeys, nullptr, "1.0.0", "connection", "O(1)", "Returns PONG or its argument",
     "@fast @connection", "", "request_policy:all_shards response_policy:all_succeeded"},
    {"quit", -1, kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy | kConnection, kNoKeys, nullptr, "1.0.0",
     "connection", "O(1)", "Closes the connection", "@fast @connection"},
    {"reset", 1, kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy | kConnection, kNoKeys, nullptr, "6.2.0",
     "connection", "O(1)", "Returns the connection to its first state", "@fast @connection"},
    {"select", 2, kLoading | kStale | kFast | kConnection, kNoKeys, nullptr, "1.0.0", "connection", "O(1)",
     "Chooses the database", "@fast @connection"},
    {"discard", 1, kNoScript | kLoading | kStale | kFast | kAllowBusy | kConnection, kNoKeys, nullptr, "2.0.0",
     "transactions", "O(N), when N is the number of queued commands", "Drops the queued commands",
     "@fast @transaction"},
    {"exec", 1, kNoScript | kLoading | kStale | kSkipSlowlog | kConnection, kNoKeys, nullptr, "1.2.0", "transactions",
     "Depends on commands in the transaction", "Runs the queued commands as one", "@slow @transaction"},
    {"multi", 1, kNoScript | kLoading | kStale | kFast | kAllowBusy | kConnection, kNoKeys, nullptr, "1.2.0",
     "transactions", "O(1)", "Starts queueing commands", "@fast @transaction"},
    {"unwatch", 1, kNoScript | kLoading | kStale | kFast | kAllowBusy | kConnection, kNoKeys, nullptr, "2.2.0",
     "transactions", "O(1)", "Forgets the watched keys", "@fast @transaction"},
    {"watch", -2, kNoScript | kLoading | kStale | kFast | kAllowBusy | kConnection, kAll, nullptr, "2.2.0",
     "transactions", "O(1) for every key", "Lets EXEC fail when one of the keys was changed", "@fast @transaction",
     "RO"},
    {"readonly", 1, kLoading | kStale | kFast | kConnection, kNoKeys, nullptr, "3.0.0", "cluster", "O(1)",
     "Allows reads from a replica", "@fast @connection"},
    {"readwrite", 1, kLoading | kStale | kFast | kConnection, kNoKeys, nullptr, "3.0.0", "cluster", "O(1)",
     "Ends READONLY", "@fast @connection"},
    {"cluster", -2, kConnection, kNoKeys, nullptr, "3.0.0", "cluster", "Depends on subcommand",
     "Container of cluster commands", "@slow"},
};

}  // namespace

std::span<const CommandSpec> connection_rows() { return kRows; }

}  // namespace minod
