// What an operator asks of a node that replicates, and what clients ask about it. Redis's replies; docs/PROTOCOLS.md,
// "Replication".
#include <optional>

#include "net/connection.h"
#include "net/node_replication.h"
#include "net/resp/connection_commands.h"
#include "net/resp/replication_text.h"
#include "net/resp/session.h"
#include "net/shard.h"
#include "store/argument.h"
#include "store/number.h"

namespace minod::resp {

namespace {

constexpr std::string_view kNotReplicated =
    "ERR this node does not replicate: start it with --peer-port, where other nodes connect, or with --replicaof";

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto number = parse_integer(text);
  if (!number || *number < 1 || *number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

// The reply follows when it is known how it went.
void promote(Session& session, NodeReplication& replication, bool accept_loss) {
  session.reply_later();
  replication.promote(session.shard(), accept_loss, [&session, alive = session.alive()](const std::string& error) {
    if (!*alive) return;
    finish_later(session, [&](Reply& reply) {
      if (error.empty()) return reply.ok();
      reply.error("ERR " + error);
    });
  });
}

struct FailoverWords {
  std::optional<PeerAddress> to;
  std::optional<std::int64_t> timeout_ms;
  bool abort = false;
  bool force = false;
  bool takeover = false;
};

// Nothing: the error is replied.
std::optional<FailoverWords> parse_failover(Session& session) {
  const auto args = session.args();
  FailoverWords words;
  for (std::size_t i = 1; i < args.size(); ++i) {
    if (is_word(args[i], "TIMEOUT") && i + 1 < args.size() && !words.timeout_ms) {
      const auto millis = parse_integer(args[++i]);
      if (!millis) {
        session.reply().error("ERR value is not an integer or out of range");
        return std::nullopt;
      }
      if (*millis <= 0) {
        session.reply().error("ERR FAILOVER timeout must be greater than 0");
        return std::nullopt;
      }
      words.timeout_ms = *millis;
    } else if (is_word(args[i], "TO") && i + 2 < args.size() && !words.to) {
      const auto port = parse_port(args[i + 2]);
      if (!port) {
        session.reply().error("ERR value is not an integer or out of range");
        return std::nullopt;
      }
      words.to = PeerAddress{std::string(args[i + 1]), *port};
      i += 2;
    } else if (is_word(args[i], "ABORT") && args.size() == 2) {
      words.abort = true;
    } else if (is_word(args[i], "TAKEOVER") && args.size() == 2) {
      words.takeover = true;
    } else if (is_word(args[i], "FORCE") && words.to && !words.force) {
      words.force = true;
    } else {
      session.reply().error(kSyntaxError);
      return std::nullopt;
    }
  }
  return words;
}

}  // namespace

void replicaof(Session& session) {
  NodeReplication* const replication = session.shard().node().replication();
  const auto args = session.args();
  if (is_word(args[1], "NO") && is_word(args[2], "ONE")) {
    if (replication == nullptr || replication->leads()) return session.reply().ok();
    return promote(session, *replication, false);
  }
  if (replication == nullptr) return session.reply().error(kNotReplicated);
  const auto port = parse_port(args[2]);
  if (!port) return session.reply().error("ERR Invalid master port");
  if (!is_host(args[1])) return session.reply().error("ERR Invalid master host");
  const PeerAddress address{std::string(args[1]), *port};
  diag::notice("REPLICAOF " + text_of(address) + " from " + session.connection().peer());
  replication->follow(session.shard(), address);
  session.reply().ok();
}

void failover(Session& session) {
  const auto words = parse_failover(session);
  if (!words) return;
  NodeReplication* const replication = session.shard().node().replication();
  if (replication == nullptr) {
    return session.reply().error(words->abort ? "ERR No failover in progress."
                                              : "ERR FAILOVER requires connected replicas.");
  }
  if (words->takeover) {
    if (replication->leads()) return session.reply().error("ERR FAILOVER TAKEOVER is for a node that does not lead");
    return promote(session, *replication, true);
  }
  // What FORCE gives up in Redis, writes that the replica does not have, is never given up here.
  if (words->force) return session.reply().error("ERR FAILOVER FORCE is not served: it loses acknowledged writes");
  const auto begun = words->abort ? replication->abort_failover(session.shard())
                                  : replication->fail_over(session.shard(), words->to, words->timeout_ms.value_or(0));
  if (!begun) return session.reply().error(begun.error().detail);
  session.reply().ok();
}

void read_only_mode(Session& session) {
  if (session.shard().node().replication() == nullptr) {
    return session.reply().error("ERR This instance has cluster support disabled");
  }
  session.state().read_only = is_word(session.args()[0], "READONLY");
  session.reply().ok();
}

void role(Session& session) {
  const std::vector<ShardReport> reports = reports_now(session.shard());
  Reply& reply = session.reply();
  NodeReplication* const replication = session.shard().node().replication();
  if (replication == nullptr) {
    std::int64_t end = 0;
    for (const ShardReport& report : reports) end += report.log_end;
    reply.array(3);
    reply.bulk("master");
    reply.integer(end);
    return reply.array(0);
  }
  const ReplicationReport report = replication->report();
  if (!replication->leads()) {
    const auto leader = replication->book().find(report.leader);
    reply.array(5);
    reply.bulk("slave");
    reply.bulk(leader ? leader->address.host : "");
    reply.integer(leader ? leader->client_port : 0);
    const bool up = leader && report.heard_ago < Millis(3000);
    reply.bulk(!up ? "connect" : report.loading ? "sync" : "connected");
    return reply.integer(report.committed);
  }
  std::size_t connected = 0;
  for (const MemberReport& member : report.members) connected += member.connected ? 1 : 0;
  reply.array(3);
  reply.bulk("master");
  reply.integer(report.end);
  reply.array(connected);
  for (const MemberReport& member : report.members) {
    if (!member.connected) continue;
    const auto entry = replication->book().find(member.member);
    reply.array(3);
    reply.bulk(entry ? entry->address.host : "");
    reply.bulk(std::to_string(entry ? entry->client_port : 0));
    reply.bulk(std::to_string(member.acknowledged));
  }
}

}  // namespace minod::resp
