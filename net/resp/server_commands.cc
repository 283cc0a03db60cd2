// Commands about the server as a whole that need little code each; the larger ones have files of their own.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "base/diag.h"
#include "net/connection.h"
#include "net/resp/connection_commands.h"
#include "net/resp/session.h"
#include "net/shard.h"
#include "store/argument.h"
#include "store/number.h"

namespace minod::resp {

namespace {

constexpr double kSleepSecondsMax = 3600;

constexpr std::array<std::string_view, 9> kDebugHelp = {
    "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "DROP-VALUES",
    "    Forget every value in memory that is on disk, so that reads go there.",
    "PANIC",
    "    Abort the process, as a crash would.",
    "SLEEP <seconds>",
    "    Hold up every shard for so long. Decimals are allowed.",
    "HELP",
    "    Print this help.",
};
constexpr std::array<std::string_view, 7> kLatencyHelp = {
    "LATENCY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "LATEST",
    "    Always empty: spikes are not recorded. INFO has the latency of commits.",
    "RESET [<event> ...]",
    "    Return 0.",
    "HELP",
    "    Print this help.",
};
constexpr std::array<std::string_view, 6> kMemoryHelp = {
    "MEMORY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "USAGE <key> [SAMPLES <count>]",
    "    Return the bytes that the key takes: its share of the index, which is in",
    "    memory, and its record, which is on disk and may be in memory too.",
    "HELP",
    "    Print this help.",
};

void reply_ok(const std::vector<std::string>&, Reply& reply) { reply.ok(); }

// The whole server stands still, as Redis does, so that tests can see what clients make of it.
void debug_sleep(Session& session) {
  const auto seconds = parse_real(session.args()[2]);
  if (!seconds || *seconds < 0 || *seconds > kSleepSecondsMax) {
    return session.reply().error("ERR value is not a valid float");
  }
  ask_all_shards(
      session,
      [pause = std::chrono::duration<double>(static_cast<double>(*seconds))](Shard&) {
        std::this_thread::sleep_for(pause);
        return std::string();
      },
      reply_ok);
}

void debug_drop_values(Session& session) {
  ask_all_shards(
      session,
      [](Shard& asked) {
        asked.store().drop_values();
        return std::string();
      },
      reply_ok);
}

}  // namespace

void acl(Session& session) { session.reply().bulk("default"); }

// The log is what Redis's append-only file is, and compaction what its rewrite does.
void bgrewriteaof(Session& session) {
  ask_all_shards(
      session, [](Shard& asked) { return std::string(asked.store().request_compaction() ? "started" : ""); },
      [](const std::vector<std::string>& answers, Reply& reply) {
        const bool started = std::ranges::any_of(answers, [](const std::string& answer) { return !answer.empty(); });
        if (started) return reply.simple("Background append only file rewriting started");
        reply.error("ERR Background append only file rewriting already in progress");
      });
}

void cluster(Session& session) { session.reply().error("ERR This instance has cluster support disabled"); }

void debug(Session& session) {
  const auto args = session.args();
  if (!session.shard().node().config().enable_debug_command) {
    return session.reply().error(
        "ERR DEBUG command not allowed. It is for tests: start minod with --enable-debug-command yes to allow it.");
  }
  if (is_word(args[1], "SLEEP") && args.size() == 3) {
    debug_sleep(session);
  } else if (is_word(args[1], "DROP-VALUES") && args.size() == 2) {
    debug_drop_values(session);
  } else if (is_word(args[1], "PANIC") && args.size() == 2) {
    diag::warning("DEBUG PANIC: aborting, as the client " + session.connection().peer() + " asks");
    std::abort();
  } else if (is_word(args[1], "HELP") && args.size() == 2) {
    reply_lines(session, kDebugHelp);
  } else {
    session.reply().error("ERR unknown subcommand or wrong number of arguments for '" +
                          std::string(args[1].substr(0, 128)) + "'. Try DEBUG HELP.");
  }
}

void latency(Session& session) {
  const std::string_view what = session.args()[1];
  if (is_word(what, "LATEST")) {
    session.reply().array(0);
  } else if (is_word(what, "RESET")) {
    session.reply().integer(0);
  } else {
    reply_lines(session, kLatencyHelp);
  }
}

void memory(Session& session) { reply_lines(session, kMemoryHelp); }

void module(Session& session) { session.reply().array(0); }

// NOSAVE, SAVE, NOW and FORCE make no difference: what is acknowledged is on disk, and nobody is waited for.
void shutdown(Session& session) {
  bool aborts = false;
  bool saves = false;
  bool skips_save = false;
  const auto words = session.args().subspan(1);
  for (const std::string_view word : words) {
    if (is_word(word, "SAVE")) {
      saves = true;
    } else if (is_word(word, "NOSAVE")) {
      skips_save = true;
    } else if (is_word(word, "ABORT")) {
      aborts = true;
    } else if (!is_word(word, "NOW") && !is_word(word, "FORCE")) {
      return session.reply().error(kSyntaxError);
    }
  }
  if ((saves && skips_save) || (aborts && words.size() > 1)) return session.reply().error(kSyntaxError);
  if (aborts) return session.reply().error("ERR No shutdown in progress.");
  diag::notice("SHUTDOWN from " + session.connection().peer() + ": stopping");
  session.shard().node().stop();
  session.quit();
}

}  // namespace minod::resp
