// CLIENT and its subcommands.
#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "net/connection.h"
#include "net/resp/connection_commands.h"
#include "net/resp/session.h"
#include "net/shard.h"
#include "store/argument.h"
#include "store/number.h"

namespace minod::resp {

namespace {

std::string client_line(Connection& connection, MonotonicNanos now) {
  const Session::State& state = connection.session().state();
  const auto seconds = [&](MonotonicNanos since) { return std::to_string((now - since).value() / 1'000'000'000); };
  std::string line = "id=" + std::to_string(connection.id()) + " addr=" + connection.peer() +
                     " laddr=" + connection.local() + " fd=" + std::to_string(connection.fd()) + " name=" + state.name +
                     " age=" + seconds(connection.created_at()) + " idle=" + seconds(connection.active_at());
  const std::int64_t queued = connection.session().queued_commands();
  std::string flags = queued >= 0 ? "x" : "";
  if (connection.is_unix()) flags += "U";
  line += " flags=" + (flags.empty() ? "N" : flags) + " db=" + std::to_string(state.db) +
          " sub=0 psub=0 ssub=0 multi=" + std::to_string(queued) + " qbuf=" + std::to_string(connection.input_bytes()) +
          " qbuf-free=" + std::to_string(connection.input_room()) +
          " argv-mem=0 multi-mem=" + std::to_string(connection.session().queued_bytes());
  line += " rbs=" + std::to_string(connection.memory_bytes()) +
          " rbp=0 obl=0 oll=0 omem=" + std::to_string(connection.output_bytes()) +
          " tot-mem=" + std::to_string(connection.memory_bytes()) +
          " events=r cmd=" + std::string(state.last_command.empty() ? "NULL" : state.last_command) +
          " user=default redir=-1";
  line += " resp=" + std::to_string(static_cast<int>(state.protocol)) + " lib-name=" + state.lib_name +
          " lib-ver=" + state.lib_version + "\n";
  return line;
}

void reply_text(Session& session, const std::string& text) { session.reply().verbatim(text); }

void list(Session& session) {
  const auto args = session.args();
  std::vector<std::uint64_t> ids;
  if (args.size() == 4 && is_word(args[2], "TYPE")) {
    const bool normal = is_word(args[3], "NORMAL");
    if (!normal && !is_word(args[3], "MASTER") && !is_word(args[3], "REPLICA") && !is_word(args[3], "PUBSUB")) {
      session.reply().error("ERR Unknown client type '" + std::string(args[3]) + "'");
      return;
    }
    if (!normal) {
      reply_text(session, "");
      return;
    }
  } else if (args.size() > 3 && is_word(args[2], "ID")) {
    for (std::size_t i = 3; i < args.size(); ++i) {
      const auto id = parse_integer(args[i]);
      if (!id || *id < 1) {
        session.reply().error("ERR Invalid client ID");
        return;
      }
      ids.push_back(static_cast<std::uint64_t>(*id));
    }
  } else if (args.size() != 2) {
    session.reply().error(kSyntaxError);
    return;
  }
  ask_all_shards(
      session,
      [ids](Shard& asked) {
        std::string text;
        for (const auto& [id, connection] : asked.connections()) {
          if (!ids.empty() && std::ranges::find(ids, id) == ids.end()) continue;
          text += client_line(*connection, asked.node().clock().monotonic());
        }
        return text;
      },
      [](const std::vector<std::string>& texts, Reply& reply) {
        std::string all;
        for (const std::string& text : texts) all += text;
        reply.verbatim(all);
      });
}

// Which clients CLIENT KILL means.
struct KillFilter {
  std::uint64_t id = 0;
  std::string addr;
  std::string laddr;
  bool wrong_type = false;
  bool wrong_user = false;
  std::uint64_t skip = 0;

  bool matches(const Connection& connection) const {
    if (wrong_type || wrong_user || connection.id() == skip) return false;
    if (id != 0 && connection.id() != id) return false;
    if (!addr.empty() && connection.peer() != addr) return false;
    return laddr.empty() || connection.local() == laddr;
  }
};

bool parse_kill_filter(Session& session, KillFilter& filter) {
  const auto args = session.args();
  bool skip_me = true;
  for (std::size_t i = 2; i < args.size(); i += 2) {
    if (i + 1 == args.size()) {
      session.reply().error(kSyntaxError);
      return false;
    }
    const std::string_view value = args[i + 1];
    if (is_word(args[i], "ID")) {
      const auto id = parse_integer(value);
      if (!id || *id < 1) {
        session.reply().error("ERR client-id should be greater than 0");
        return false;
      }
      filter.id = static_cast<std::uint64_t>(*id);
    } else if (is_word(args[i], "TYPE")) {
      filter.wrong_type = !is_word(value, "NORMAL");
    } else if (is_word(args[i], "ADDR")) {
      filter.addr = value;
    } else if (is_word(args[i], "LADDR")) {
      filter.laddr = value;
    } else if (is_word(args[i], "USER")) {
      filter.wrong_user = value != "default";
    } else if (is_word(args[i], "SKIPME") && (is_word(value, "YES") || is_word(value, "NO"))) {
      skip_me = is_word(value, "YES");
    } else {
      session.reply().error(kSyntaxError);
      return false;
    }
  }
  if (skip_me) filter.skip = session.connection().id();
  return true;
}

void kill(Session& session) {
  const auto args = session.args();
  KillFilter filter;
  const bool old_form = args.size() == 3;
  if (old_form) {
    filter.addr = args[2];
  } else if (!parse_kill_filter(session, filter)) {
    return;
  }
  ask_all_shards(
      session,
      [filter, own = session.connection().id()](Shard& asked) {
        std::vector<Connection*> victims;
        for (const auto& [id, connection] : asked.connections()) {
          if (filter.matches(*connection)) victims.push_back(connection.get());
        }
        for (Connection* victim : victims) {
          if (victim->id() == own) {
            victim->session().quit();  // after its own reply
          } else {
            victim->close();
          }
        }
        return std::to_string(victims.size());
      },
      [old_form](const std::vector<std::string>& counts, Reply& reply) {
        std::int64_t killed = 0;
        for (const std::string& count : counts) killed += std::stoll(count);
        if (!old_form) {
          reply.integer(killed);
        } else if (killed != 0) {
          reply.ok();
        } else {
          reply.error("ERR No such client");
        }
      });
}

void set_reply_mode(Session& session) {
  Session::State& state = session.state();
  const std::string_view mode = session.args()[2];
  if (is_word(mode, "ON")) {
    state.reply_off = false;
    state.skip_this_reply = false;
    session.reply().ok();
  } else if (is_word(mode, "OFF")) {
    state.reply_off = true;
  } else if (is_word(mode, "SKIP")) {
    if (!state.reply_off) {
      state.skip_next_reply = true;
      state.skip_this_reply = true;
    }
  } else {
    session.reply().error(kSyntaxError);
  }
}

void set_flag(Session& session, bool& flag) {
  const std::string_view mode = session.args()[2];
  if (!is_word(mode, "ON") && !is_word(mode, "OFF")) {
    session.reply().error(kSyntaxError);
    return;
  }
  flag = is_word(mode, "ON");
  session.reply().ok();
}

void set_info(Session& session) {
  Session::State& state = session.state();
  const auto args = session.args();
  const bool is_name = is_word(args[2], "LIB-NAME");
  if (!is_name && !is_word(args[2], "LIB-VER")) {
    session.reply().error("ERR Unrecognized option '" + std::string(args[2]) + "'");
    return;
  }
  const std::string what(is_name ? "lib-name" : "lib-ver");
  if (set_name(session, args[3], is_name ? state.lib_name : state.lib_version, what)) session.reply().ok();
}

void help(Session& session) {
  static constexpr std::string_view kLines[] = {
      "CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
      "GETNAME -- the name of this connection.",
      "ID -- the number of this connection.",
      "INFO -- one line about this connection.",
      "KILL <ip:port> | ID <id> | ADDR <ip:port> | LADDR <ip:port> | TYPE <type> | USER <user> | SKIPME <yes|no>",
      "LIST [TYPE <type> | ID <id> ...] -- one line a connection.",
      "NO-EVICT <ON|OFF>, NO-TOUCH <ON|OFF> -- accepted; minod has no client eviction.",
      "REPLY <ON|OFF|SKIP> -- whether replies are sent.",
      "SETINFO <LIB-NAME|LIB-VER> <value>, SETNAME <name>",
      "HELP -- this text."};
  reply_lines(session, kLines);
}

}  // namespace

void client(Session& session) {
  Session::State& state = session.state();
  const auto args = session.args();
  const std::string_view what = args[1];
  if (is_word(what, "ID")) {
    session.reply().integer(static_cast<std::int64_t>(session.connection().id()));
  } else if (is_word(what, "GETNAME")) {
    state.name.empty() ? session.reply().null() : session.reply().bulk(state.name);
  } else if (is_word(what, "SETNAME")) {
    if (set_name(session, args[2], state.name, "Client names")) session.reply().ok();
  } else if (is_word(what, "SETINFO")) {
    set_info(session);
  } else if (is_word(what, "INFO")) {
    reply_text(session, client_line(session.connection(), session.shard().node().clock().monotonic()));
  } else if (is_word(what, "LIST")) {
    list(session);
  } else if (is_word(what, "KILL")) {
    kill(session);
  } else if (is_word(what, "NO-EVICT")) {
    set_flag(session, state.no_evict);
  } else if (is_word(what, "NO-TOUCH")) {
    set_flag(session, state.no_touch);
  } else if (is_word(what, "REPLY")) {
    set_reply_mode(session);
  } else {
    help(session);
  }
}

}  // namespace minod::resp
