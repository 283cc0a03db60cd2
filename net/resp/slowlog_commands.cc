// SLOWLOG and its subcommands.
#include <array>
#include <limits>
#include <string>

#include "net/resp/connection_commands.h"
#include "net/resp/session.h"
#include "net/shard.h"
#include "store/argument.h"
#include "store/number.h"

namespace minod::resp {

namespace {

constexpr std::int64_t kCountDefault = 10;

constexpr std::array<std::string_view, 12> kHelp = {
    "SLOWLOG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "GET [<count>]",
    "    Return the last <count> slow commands (default: 10, -1 means all).",
    "    Entries are made of:",
    "    id, timestamp, time in microseconds, arguments array, client IP and port,",
    "    client name",
    "LEN",
    "    Return how many slow commands are recorded.",
    "RESET",
    "    Forget them.",
    "HELP",
    "    Print this help.",
};

void get(Session& session) {
  const auto args = session.args();
  if (args.size() > 3) {
    return session.reply().error("ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.");
  }
  std::int64_t count = kCountDefault;
  if (args.size() == 3) {
    const auto given = parse_integer(args[2]);
    if (!given || *given < -1) return session.reply().error("ERR count should be greater than or equal to -1");
    count = *given == -1 ? std::numeric_limits<std::int64_t>::max() : *given;
  }
  const auto entries = session.shard().node().slow_log().newest(static_cast<std::size_t>(count));
  Reply& reply = session.reply();
  reply.array(entries.size());
  for (const SlowLog::Entry& entry : entries) {
    reply.array(6);
    reply.integer(static_cast<std::int64_t>(entry.id));
    reply.integer(entry.unix_seconds);
    reply.integer(entry.micros);
    reply.array(entry.args.size());
    for (const std::string& arg : entry.args) reply.bulk(arg);
    reply.bulk(entry.peer);
    reply.bulk(entry.client_name);
  }
}

}  // namespace

void slowlog(Session& session) {
  SlowLog& log = session.shard().node().slow_log();
  const std::string_view what = session.args()[1];
  if (is_word(what, "GET")) {
    get(session);
  } else if (is_word(what, "LEN")) {
    session.reply().integer(static_cast<std::int64_t>(log.size()));
  } else if (is_word(what, "RESET")) {
    log.clear();
    session.reply().ok();
  } else {
    reply_lines(session, kHelp);
  }
}

}  // namespace minod::resp
