#include "store/command_rows.h"
#include "store/commands.h"

namespace minod {

namespace {

constexpr CommandSpec kRows[] = {
    {"append", 3, kWrite | kDenyOom | kFast, kFirst, commands::append, "2.0.0", "string",
     "O(N) in the size of the new value, which is written whole", "Adds bytes at the end of a value, or makes it",
     "@write @string @fast", "RW insert"},
    {"decr", 2, kWrite | kDenyOom | kFast, kFirst, commands::decr, "1.0.0", "string", "O(1)", "Takes one from a number",
     "@write @string @fast", "RW access update"},
    {"decrby", 3, kWrite | kDenyOom | kFast, kFirst, commands::decrby, "1.0.0", "string", "O(1)",
     "Takes an integer from a number", "@write @string @fast", "RW access update"},
    {"get", 2, kReadOnly | kFast, kFirst, commands::get, "1.0.0", "string", "O(1)", "Returns a value",
     "@read @string @fast", "RO access"},
    {"getdel", 2, kWrite | kFast, kFirst, commands::getdel, "6.2.0", "string", "O(1)",
     "Returns a value and deletes the key", "@write @string @fast", "RW access delete"},
    {"getex", -2, kWrite | kFast, kFirst, commands::getex, "6.2.0", "string", "O(1)",
     "Returns a value and changes when it expires", "@write @string @fast", "RW access update"},
    {"getrange", 4, kReadOnly, kFirst, commands::getrange, "2.4.0", "string", "O(N) in the bytes returned",
     "Returns a part of a value", "@read @string @slow", "RO access"},
    {"getset", 3, kWrite | kDenyOom | kFast, kFirst, commands::getset, "1.0.0", "string", "O(1)",
     "Writes a value and returns the old one", "@write @string @fast", "RW access update", "", "6.2.0",
     "`SET` with the `!GET` argument"},
    {"incr", 2, kWrite | kDenyOom | kFast, kFirst, commands::incr, "1.0.0", "string", "O(1)", "Adds one to a number",
     "@write @string @fast", "RW access update"},
    {"incrby", 3, kWrite | kDenyOom | kFast, kFirst, commands::incrby, "1.0.0", "string", "O(1)",
     "Adds an integer to a number", "@write @string @fast", "RW access update"},
    {"incrbyfloat", 3, kWrite | kDenyOom | kFast, kFirst, commands::incrbyfloat, "2.6.0", "string", "O(1)",
     "Adds a real number to a number", "@write @string @fast", "RW access update"},
    {"mget", -2, kReadOnly | kFast, kAll, commands::mget, "1.0.0", "string",
     "O(N) where N is the number of keys to retrieve", "Returns the values of several keys", "@read @string @fast",
     "RO access", "request_policy:multi_shard"},
    {"mset", -3, kWrite | kDenyOom | kManyRecords, kEveryOther, commands::mset, "1.0.1", "string",
     "O(N) where N is the number of keys to set", "Writes several keys, all or none", "@write @string @slow",
     "OW update", "request_policy:multi_shard response_policy:all_succeeded"},
    {"msetnx", -3, kWrite | kDenyOom | kManyRecords, kEveryOther, commands::msetnx, "1.0.1", "string",
     "O(N) where N is the number of keys to set", "Writes several keys if none of them exists", "@write @string @slow",
     "OW insert", "request_policy:multi_shard response_policy:agg_min"},
    {"psetex", 4, kWrite | kDenyOom, kFirst, commands::psetex, "2.6.0", "string", "O(1)",
     "Writes a value that expires after some milliseconds", "@write @string @slow", "OW update"},
    {"set", -3, kWrite | kDenyOom, kFirst, commands::set, "1.0.0", "string", "O(1)",
     "Writes a value, with conditions and a time to live", "@write @string @slow", "RW access update variable_flags"},
    {"setex", 4, kWrite | kDenyOom, kFirst, commands::setex, "2.0.0", "string", "O(1)",
     "Writes a value that expires after some seconds", "@write @string @slow", "OW update"},
    {"setnx", 3, kWrite | kDenyOom | kFast, kFirst, commands::setnx, "1.0.0", "string", "O(1)",
     "Writes a value if the key does not exist", "@write @string @fast", "OW insert"},
    {"setrange", 4, kWrite | kDenyOom, kFirst, commands::setrange, "2.2.0", "string",
     "O(N) in the size of the new value, which is written whole",
     "Overwrites a part of a value, filling gaps with zero bytes", "@write @string @slow", "RW update"},
    {"strlen", 2, kReadOnly | kFast, kFirst, commands::strlen, "2.2.0", "string", "O(1)",
     "Returns the size of a value in bytes", "@read @string @fast", "RO"},
    {"substr", 4, kReadOnly, kFirst, commands::getrange, "1.0.0", "string", "O(N) in the bytes returned",
     "Returns a part of a value", "@read @string @slow", "RO access", "", "2.0.0", "`GETRANGE`"},
};

}  // namespace

std::span<const CommandSpec> string_rows() { return kRows; }

}  // namespace minod
