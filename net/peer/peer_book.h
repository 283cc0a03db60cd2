// What a node knows of its group besides its logs: the group's id, its members and where each is reached, and whether
// an operator has made it leader or follower since it was started with the options that it has. Kept in DIR/peers.
// docs/FORMAT.md, "peers".
//
// Nothing here is needed for safety: members' ids and promises are in the logs' directories. Any thread.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cluster/member.h"
#include "log/disk.h"
#include "net/peer/link_frame.h"

namespace minod {

// What an operator asked for last, and what `--replicaof` said then: an option that was changed since asks for
// something else.
struct PeerOrder {
  bool leads = false;
  std::string follows;      // HOST:PORT; empty: nobody in particular
  std::string beside_flag;  // the value of --replicaof when it was asked
  friend bool operator==(const PeerOrder&, const PeerOrder&) = default;
};

class PeerBook {
 public:
  struct Contents {
    MemberId group;  // nobody: of none yet
    std::vector<PeerEntry> members;
    std::optional<PeerOrder> order;
    friend bool operator==(const Contents&, const Contents&) = default;
  };

  // What DIR/peers says; nothing of it when it is not there. Blocking. kCorrupt says what to do.
  static Result<Contents> read(Disk& disk, const std::string& directory);
  static std::string text_of(const Contents& contents);
  static Result<Contents> parse(std::string_view text);

  explicit PeerBook(MemberId self, Contents contents = {}) : self_(self), contents_(std::move(contents)) {}

  Contents contents() const;
  MemberId group() const;
  std::optional<PeerEntry> find(MemberId member) const;
  std::vector<PeerEntry> members() const;  // without this node

  // This node joins `group`, or is of it already. False: it is of another one.
  bool join(MemberId group);
  // Forgets the group and its members: to be of another.
  void leave();
  // What another member says of itself; it takes the place of one that was reached there before.
  void note(const PeerEntry& entry);
  // What another says of a third: only of one that is not known. Else two that see it differently would tell each other
  // for ever.
  void learn(const PeerEntry& entry);
  void note(const PeerOrder& order);
  // Lets a member go that no longer exists.
  void forget(MemberId member);

  // Grows with every change: what is on disk is as old as the number that was taken with it.
  std::uint64_t version() const;
  // Durable when it returns. Blocking.
  Result<void> write(Disk& disk, const std::string& directory) const;

 private:
  const MemberId self_;
  mutable std::mutex lock_;
  Contents contents_;
  std::uint64_t version_ = 0;
};

}  // namespace minod
