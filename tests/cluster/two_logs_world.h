// A group of three members with two logs of one partition: the first, which all have, and another that is made later.
// The members are the server's own Replica; what is around them is what cluster/replication_partition.cc does.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "cluster/replica.h"

namespace minod {

class TwoLogs {
 public:
  static constexpr std::size_t kNodes = 3;

  TwoLogs(const GroupOptions& options, std::uint64_t seed);

  // Something happens; what, in words.
  std::string step();
  // What an acknowledgement promises, where it is broken.
  std::optional<std::string> violation() const;
  // The other log has been led by one that had to be asked for it.
  bool was_taken_over() const { return taken_over_; }

 private:
  enum Which : std::size_t { kFirst, kOther };
  struct Node {
    MemberId id;
    std::array<std::optional<Replica>, 2> logs;
    MemberId lent_to = kNobody;
    std::vector<MemberId> fetched;  // newcomers that have fetched the other log
  };
  struct Parcel {
    MemberId from;
    MemberId to;
    Which log = kFirst;
    Message message;
  };
  struct Record {
    Offset offset;
    Leadership leadership;
    friend bool operator==(const Record&, const Record&) = default;
  };

  Node* find(MemberId id);
  std::vector<MemberId> others(std::size_t i) const;
  bool has(const Node& node, Which log) const { return node.logs[log].has_value(); }
  bool leads(const Node& node, Which log) const { return has(node, log) && node.logs[log]->leads(); }
  void make_other(std::size_t i);
  void stand(std::size_t i, Which log);
  void settle(Node& node);
  bool settle_log(Node& node, Which log);
  void note_acknowledged(const Node& node, Which log);
  void deliver(const Parcel& parcel);
  bool waits(Node& node, const Parcel& parcel);
  bool is_shown_all(Node& node, const Parcel& parcel) const;
  void promote(std::size_t i);
  void replace(std::size_t i);
  std::string operate(std::size_t i);

  GroupOptions options_;
  Random random_;
  std::array<Node, kNodes> nodes_;
  std::vector<Parcel> network_;
  std::array<std::vector<Record>, 2> acknowledged_;
  std::array<std::int32_t, 2> newest_term_{};
  int promotions_ = 0;
  int replaced_ = 0;
  bool taken_over_ = false;
};

}  // namespace minod
