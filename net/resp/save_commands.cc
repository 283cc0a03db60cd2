// SAVE, BGSAVE and LASTSAVE: a backup of the data directory. Nothing has to be saved for durability: the log is.
#include "net/node_backup.h"
#include "net/resp/connection_commands.h"
#include "net/resp/session.h"
#include "net/shard.h"
#include "store/argument.h"

namespace minod::resp {

void bgsave(Session& session) {
  const auto args = session.args();
  if (args.size() > 2 || (args.size() == 2 && !is_word(args[1], "SCHEDULE"))) {
    return session.reply().error(kSyntaxError);
  }
  Shard& shard = session.shard();
  const auto started = shard.node().backup().start(shard, [](const Result<std::string>&) {});
  if (!started) return session.reply().error("ERR " + started.error().detail);
  session.reply().simple("Background saving started");
}

// The others are served meanwhile.
void save(Session& session) {
  Shard& shard = session.shard();
  const auto started =
      shard.node().backup().start(shard, [&session, alive = session.alive()](const Result<std::string>& result) {
        if (!*alive) return;
        finish_later(session, [&](Reply& reply) {
          if (result) {
            reply.ok();
          } else {
            reply.error("ERR the backup failed: " + result.error().message());
          }
        });
      });
  if (!started) return session.reply().error("ERR " + started.error().detail);
  session.reply_later();
}

void lastsave(Session& session) {
  session.reply().integer(session.shard().node().backup().state().last_success.value() / 1000);
}

}  // namespace minod::resp
