// The commands that run in the session, one function each. What they reply is what Redis 7.0 replies.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/reply.h"

namespace minod {
class Shard;
struct ShardReport;
}  // namespace minod

namespace minod::resp {

class Session;

// connection_commands.cc
void auth(Session& session);
void discard(Session& session);
void echo(Session& session);
void exec(Session& session);
void hello(Session& session);
void ping(Session& session);
void quit(Session& session);
void reset(Session& session);
void select(Session& session);
void time(Session& session);

// client_commands.cc
void client(Session& session);

// command_commands.cc
void command(Session& session);

// config_commands.cc
void config(Session& session);

// info.cc
void info(Session& session);

// replication_commands.cc
void failover(Session& session);
void read_only_mode(Session& session);  // READONLY and READWRITE
void replicaof(Session& session);
void role(Session& session);

// save_commands.cc
void bgsave(Session& session);
void lastsave(Session& session);
void save(Session& session);

// server_commands.cc
void acl(Session& session);
void bgrewriteaof(Session& session);
void cluster(Session& session);
void debug(Session& session);
void latency(Session& session);
void memory(Session& session);
void module(Session& session);
void multi(Session& session);
void shutdown(Session& session);
void slowlog(Session& session);
void unwatch(Session& session);
void watch(Session& session);

// wait_command.cc
void wait(Session& session);
void waitaof(Session& session);

// The version of Redis that minod answers as; clients choose what they send by it.
inline constexpr std::string_view kRedisVersion = "7.2.4";

// Puts a client's name or library name to `where`, or replies the error.
bool set_name(Session& session, std::string_view name, std::string& where, std::string_view what);

// A HELP reply: one simple string a line.
void reply_lines(Session& session, std::span<const std::string_view> lines);

// Asks every shard on its own thread; the reply, which `answer` writes, follows when all have answered.
void ask_all_shards(Session& session, std::function<std::string(Shard&)> question,
                    std::function<void(const std::vector<std::string>&, Reply&)> answer);

// All shards' reports: this shard's is fresh, the others' are at most a tenth of a second old.
std::vector<ShardReport> reports_now(Shard& shard);

// As Session::finish_later(), with the reply that `write` makes.
void finish_later(Session& session, const std::function<void(Reply&)>& write);

}  // namespace minod::resp
