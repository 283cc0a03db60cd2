#include "net/resp/connection_commands.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <array>
#include <string>
#include <utility>

#include "net/connection.h"
#include "net/resp/replication_text.h"
#include "net/resp/session.h"
#include "net/shard.h"
#include "store/argument.h"
#include "store/number.h"

namespace minod::resp {

namespace {

using Function = void (*)(Session&);

constexpr std::array<std::pair<std::string_view, Function>, 38> kFunctions{{
    {"acl", acl},
    {"auth", auth},
    {"bgrewriteaof", bgrewriteaof},
    {"bgsave", bgsave},
    {"client", client},
    {"cluster", cluster},
    {"command", command},
    {"config", config},
    {"debug", debug},
    {"discard", discard},
    {"echo", echo},
    {"exec", exec},
    {"failover", failover},
    {"hello", hello},
    {"info", info},
    {"lastsave", lastsave},
    {"latency", latency},
    {"memory", memory},
    {"module", module},
    {"multi", multi},
    {"ping", ping},
    {"quit", quit},
    {"readonly", read_only_mode},
    {"readwrite", read_only_mode},
    {"replicaof", replicaof},
    {"reset", reset},
    {"role", role},
    {"save", save},
    {"select", select},
    {"shutdown", shutdown},
    {"slaveof", replicaof},
    {"slowlog", slowlog},
    {"time", time},
    {"unwatch", unwatch},
    {"wait", wait},
    {"waitaof", waitaof},
    {"watch", watch},
    {"", nullptr},
}};

// Digests of equal length are compared, so that the time tells neither the length nor a prefix of the password.
bool same_secret(std::string_view given, std::string_view secret) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> a;
  std::array<unsigned char, SHA256_DIGEST_LENGTH> b;
  SHA256(reinterpret_cast<const unsigned char*>(given.data()), given.size(), a.data());
  SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), b.data());
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

// Only the default user exists; without a password, any password of his is right, as in Redis.
bool log_in(Session& session, std::string_view user, std::string_view password) {
  const std::string secret = session.shard().node().config().requirepass;
  if (user != "default" || (!secret.empty() && !same_secret(password, secret))) {
    diag::verbose("failed login from " + session.connection().peer());
    session.reply().error("WRONGPASS invalid username-password pair or user is disabled.");
    return false;
  }
  session.state().authenticated = true;
  return true;
}

bool valid_name(std::string_view name) {
  for (const char c : name) {
    if (c < '!' || c > '~') return false;
  }
  return true;
}

}  // namespace

void run_connection_command(Session& session, const CommandSpec& spec) {
  for (const auto& [name, function] : kFunctions) {
    if (name == spec.name && function != nullptr) {
      function(session);
      return;
    }
  }
  session.reply().error("ERR command '" + std::string(spec.name) + "' is not served");
}

bool set_name(Session& session, std::string_view name, std::string& where, std::string_view what) {
  if (!valid_name(name)) {
    session.reply().error("ERR " + std::string(what) + " cannot contain spaces, newlines or special characters.");
    return false;
  }
  where = name;
  return true;
}

void reply_lines(Session& session, std::span<const std::string_view> lines) {
  session.reply().array(lines.size());
  for (const std::string_view line : lines) session.reply().simple(line);
}

void ask_all_shards(Session& session, std::function<std::string(Shard&)> question,
                    std::function<void(const std::vector<std::string>&, Reply&)> answer) {
  session.reply_later();
  Shard& shard = session.shard();
  shard.node().ask_all(
      shard.number(), std::move(question),
      [&session, answer = std::move(answer), alive = session.alive()](const std::vector<std::string>& answers) {
        if (*alive) finish_later(session, [&](Reply& reply) { answer(answers, reply); });
      });
}

std::vector<ShardReport> reports_now(Shard& shard) {
  shard.fresh_report();
  return shard.node().reports();
}

void finish_later(Session& session, const std::function<void(Reply&)>& write) {
  ByteQueue bytes;
  Reply reply(bytes, session.state().protocol);
  write(reply);
  session.finish_later(std::string(bytes.view()));
}

void auth(Session& session) {
  const auto args = session.args();
  if (args.size() > 3) {
    session.reply().error(kSyntaxError);
    return;
  }
  const bool with_user = args.size() == 3;
  if (!with_user && session.shard().node().config().requirepass.empty()) {
    session.reply().error(
        "ERR AUTH <password> called without any password configured for the default user. Are you sure your "
        "configuration is correct?");
    return;
  }
  if (log_in(session, with_user ? args[1] : "default", args.back())) session.reply().ok();
}

void hello(Session& session) {
  const auto args = session.args();
  Protocol protocol = session.state().protocol;
  if (args.size() > 1) {
    const auto version = parse_integer(args[1]);
    if (!version) {
      session.reply().error("ERR Protocol version is not an integer or out of range");
      return;
    }
    if (*version != 2 && *version != 3) {
      session.reply().error("NOPROTO unsupported protocol version");
      return;
    }
    protocol = *version == 3 ? Protocol::kResp3 : Protocol::kResp2;
  }
  std::string name = session.state().name;
  for (std::size_t i = 2; i < args.size();) {
    if (is_word(args[i], "AUTH") && i + 2 < args.size()) {
      if (!log_in(session, args[i + 1], args[i + 2])) return;
      i += 3;
    } else if (is_word(args[i], "SETNAME") && i + 1 < args.size()) {
      if (!set_name(session, args[i + 1], name, "Client names")) return;
      i += 2;
    } else {
      session.reply().error("ERR Syntax error in HELLO option '" + std::string(args[i]) + "'");
      return;
    }
  }
  if (!session.state().authenticated) {
    session.reply().error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> "
        "<pass> option can be used to authenticate the client and select the RESP protocol version at the same time");
    return;
  }
  session.state().protocol = protocol;
  session.state().name = name;
  Reply& reply = session.reply();
  reply.set_protocol(protocol);
  reply.map(7);
  reply.bulk("server");
  reply.bulk("redis");
  reply.bulk("version");
  reply.bulk(kRedisVersion);
  reply.bulk("proto");
  reply.integer(static_cast<int>(protocol));
  reply.bulk("id");
  reply.integer(static_cast<std::int64_t>(session.connection().id()));
  reply.bulk("mode");
  reply.bulk("standalone");
  reply.bulk("role");
  reply.bulk(role_name(session.shard().node().replication()) == "master" ? "master" : "replica");
  reply.bulk("modules");
  reply.array(0);
}

void ping(Session& session) {
  const auto args = session.args();
  if (args.size() > 2) {
    session.reply().error("ERR wrong number of arguments for 'ping' command");
  } else if (args.size() == 2) {
    session.reply().bulk(args[1]);
  } else {
    session.reply().simple("PONG");
  }
}

void echo(Session& session) { session.reply().bulk(session.args()[1]); }

void quit(Session& session) {
  session.reply().ok();
  session.quit();
}

void reset(Session& session) {
  Session::State& state = session.state();
  state = Session::State();
  session.drop_transaction();
  state.authenticated = session.shard().node().config().requirepass.empty();
  session.reply().set_protocol(Protocol::kResp2);
  session.reply().simple("RESET");
}

void select(Session& session) {
  const auto db = parse_integer(session.args()[1]);
  if (!db) {
    session.reply().error("ERR value is not an integer or out of range");
  } else if (*db != static_cast<std::int32_t>(*db)) {
    session.reply().error("ERR value is out of range, value must between -2147483648 and 2147483647");
  } else if (*db < 0 || *db >= kDatabases) {
    session.reply().error("ERR DB index is out of range");
  } else {
    session.state().db = static_cast<int>(*db);
    session.reply().ok();
  }
}

void time(Session& session) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  session.reply().array(2);
  session.reply().bulk(std::to_string(now.tv_sec));
  session.reply().bulk(std::to_string(now.tv_nsec / 1000));
}

}  // namespace minod::resp
