// The commands that run in the session, one function each. What they reply is what Redis 7.0 replies.
#pragma once

#include <string>
#include <string_view>

namespace minod::resp {

class Session;

// connection_commands.cc
void auth(Session& session);
void echo(Session& session);
void hello(Session& session);
void ping(Session& session);
void quit(Session& session);
void read_only_mode(Session& session);  // READONLY and READWRITE, without cluster mode
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

// server_commands.cc
void acl(Session& session);
void cluster(Session& session);
void debug(Session& session);
void lastsave(Session& session);
void latency(Session& session);
void memory(Session& session);
void module(Session& session);
void role(Session& session);
void shutdown(Session& session);
void slowlog(Session& session);
void wait(Session& session);


// The version of Redis that minod answers as; clients choose what they send by it.
inline constexpr std::string_view kRedisVersion = "7.2.4";

// Puts a client's name or library name to `where`, or replies the error.
bool set_name(Session& session, std::string_view name, std::string& where, std::string_view what);

}  // namespace minod::resp
