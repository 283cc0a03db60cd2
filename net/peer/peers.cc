#include "net/peer/peers.h"

#include <algorithm>

#include "base/diag.h"
#include "cluster/wire.h"

namespace minod {

Peers::Peers(SocketPoller& sockets, const Clock& clock, Random& random, PeerBook& book, PeersOptions options,
             PeersEvents events)
    : sockets_(sockets),
      clock_(clock),
      random_(random),
      book_(book),
      options_(std::move(options)),
      events_(std::move(events)),
      alive_(std::make_shared<bool>(true)) {
  link_events_.hello = [this](PeerLink& link, const Hello&) { judging_.push_back(&link); };
  link_events_.frame = [this](PeerLink& link, const Frame& frame) {
    // Another partition's messages would meet another shard's logs.
    if (frame.log.partition != link.hello().partition) {
      return link.goodbye("a message about partition " + std::to_string(frame.log.partition) +
                          " came over the connection of partition " + std::to_string(link.hello().partition));
    }
    events_.frame(link.hello().self.member, frame);
  };
  link_events_.members = [this](PeerLink&, const Members& known) {
    for (const PeerEntry& one : known.members) book_.learn(one);
  };
  link_events_.lease = [this](PeerLink& link, const LinkFrame& frame) {
    const MemberId member = link.hello().self.member;
    if (const auto* const granted = std::get_if<LeaseGranted>(&frame)) {
      events_.lease_granted(member, MonotonicNanos(granted->asked_at));
    } else if (events_.lease_asked(member)) {
      link.send(encode_link_frame(LeaseGranted{std::get<LeaseAsked>(frame).at}));
      sent_ = true;
    }
  };
  link_events_.closed = [this](PeerLink& link, const std::string& why) { ended(link, why); };
}

Peers::~Peers() {
  *alive_ = false;
  events_ = PeersEvents();
  close_all();
}

Hello Peers::own_hello(int partition) const {
  Hello hello;
  hello.partitions = static_cast<std::uint16_t>(options_.partitions);
  hello.partition = static_cast<std::uint16_t>(partition);
  hello.group = book_.group();
  hello.self = options_.self;
  return hello;
}

bool Peers::owns(int partition) const { return std::ranges::find(options_.own, partition) != options_.own.end(); }

// ---- the Transport

PeerLink* Peers::up_link(const Target& target) const {
  const auto found = up_.find(target);
  return found == up_.end() || found->second.empty() ? nullptr : found->second.back();
}

void Peers::send(MemberId to, const LogName& log, Message message, SharedBytes batches) {
  auto frame = encode_frame(log, message, batches ? Bytes(*batches) : Bytes());
  const Target target{to, log.partition};
  if (PeerLink* const link = up_link(target)) {
    link->send(std::move(frame));
    sent_ = true;
  } else {
    keep_for_later(target, std::move(frame));
  }
}

// Whoever wants to say something gets a connection, if it is known where to.
void Peers::keep_for_later(const Target& target, std::vector<std::byte> frame) {
  constexpr std::size_t kWaitingMax = std::size_t{64} << 10;
  constexpr Nanos kWantedFor{5'000'000'000};
  Call& call = calls_[target];
  call.wanted_until = clock_.monotonic() + kWantedFor;
  if (call.waiting_bytes + frame.size() > kWaitingMax) return;
  call.waiting_bytes += frame.size();
  call.waiting.push_back(std::move(frame));
}

std::size_t Peers::backlog(MemberId to) const {
  std::size_t bytes = 0;
  for (const int partition : options_.own) {
    if (const PeerLink* const link = up_link({to, partition})) bytes += link->unsent();
  }
  return bytes;
}

void Peers::ask_for_lease() {
  MemberId last = kNobody;  // once each; the members ascend
  for (const auto& [target, links] : up_) {
    if (std::exchange(last, target.first) == target.first) continue;
    links.back()->send(encode_link_frame(LeaseAsked{clock_.monotonic().value()}));
    sent_ = true;
  }
}

bool Peers::is_connected(MemberId member) const {
  return std::ranges::any_of(options_.own, [&](int partition) { return up_link({member, partition}) != nullptr; });
}

std::size_t Peers::connected_count() const {
  std::size_t count = 0;
  MemberId last = kNobody;
  for (const auto& [target, links] : up_) count += std::exchange(last, target.first) != target.first ? 1 : 0;
  return count;
}

std::optional<Nanos> Peers::silence(MemberId member) const {
  std::optional<Nanos> least;
  for (const int partition : options_.own) {
    const PeerLink* const link = up_link({member, partition});
    if (link == nullptr) continue;
    const Nanos silent = clock_.monotonic() - link->heard_at();
    if (!least || silent < *least) least = silent;
  }
  return least;
}

// ---- links

void Peers::take(Fd socket) {
  const auto strangers = std::ranges::count_if(links_, [](const auto& link) { return !link->up(); });
  if (static_cast<std::size_t>(strangers) >= kStrangersMax) return;
  Ssl ssl = options_.tls == nullptr ? nullptr : options_.tls->accepted(socket.get());
  const std::string about = "from " + host_of_peer(socket.get());
  auto link = std::make_unique<PeerLink>(PeerLink::Side::kAccepted, PeerStream(std::move(socket), std::move(ssl)),
                                         about, clock_.monotonic());
  watch(std::move(link), std::nullopt);
}

void Peers::watch(std::unique_ptr<PeerLink> link, std::optional<Hello> own) {
  PeerLink& watched = *link;
  links_.push_back(std::move(link));
  if (auto attached = watched.attach(sockets_, link_events_, std::move(own)); !attached) {
    watched.close(attached.error().message());
  }
}

void Peers::adopt(std::unique_ptr<PeerLink> link) {
  PeerLink& adopted = *link;
  watch(std::move(link), std::nullopt);
  if (!adopted.closed()) judging_.push_back(&adopted);
}

// What stands against the connection; empty: nothing.
std::string Peers::objection(const PeerLink& link) {
  const Hello& hello = link.hello();
  if (hello.protocol != kPeerProtocol) {
    return "this minod speaks version " + std::to_string(kPeerProtocol) + " of the protocol between nodes, not " +
           std::to_string(hello.protocol) + "; run the same version on both";
  }
  if (hello.self.member == options_.self.member) return "this is the same node; check the address";
  if (hello.partitions != options_.partitions) {
    return "this node has " + std::to_string(options_.partitions) + " partitions, that one " +
           std::to_string(hello.partitions) + "; start the new one in an empty --dir with the other's --partitions";
  }
  const auto called = called_.find(&link);
  if (called != called_.end() && hello.partition != called->second.second)
    return "the answer is about another partition";
  if (hello.group != kNobody && book_.group() != kNobody && hello.group != book_.group()) {
    return "this node is of group " + text_of(book_.group()) + ", that one of group " + text_of(hello.group) +
           "; start the one whose data can go in an empty --dir, or send it REPLICAOF";
  }
  return {};
}

void Peers::judge(PeerLink* link) {
  if (link->closed()) return;
  const Hello& hello = link->hello();
  if (const std::string why = objection(*link); !why.empty()) return link->goodbye(why);
  if (owns(hello.partition)) {
    if (hello.group != kNobody) static_cast<void>(book_.join(hello.group));
    return welcome(*link);
  }
  link->detach();
  const auto at = std::ranges::find(links_, link, &std::unique_ptr<PeerLink>::get);
  std::unique_ptr<PeerLink> leaving = std::move(*at);
  links_.erase(at);
  events_.elsewhere(std::move(leaving));
}

void Peers::welcome(PeerLink& link) {
  const Hello& hello = link.hello();
  const Target target{hello.self.member, hello.partition};
  link.accept(own_hello(hello.partition));
  auto& links = up_[target];
  links.push_back(&link);
  PeerEntry entry = hello.self;
  const auto called = called_.find(&link);
  if (entry.address.host.empty()) {
    const auto at = called == called_.end() ? std::nullopt : parse_peer_address(link.about());
    entry.address.host = at ? at->host : host_of_peer(link.fd());
  }
  book_.note(entry);
  tell_members(link);
  const bool sought = called != called_.end() && called->second.first == kNobody;
  if (called != called_.end()) {
    Call& call = calls_[called->second];
    call.pause = kCallPauseMin;
    call.last_trouble.clear();
  }
  if (const auto waiting = calls_.find(target); waiting != calls_.end()) {
    for (auto& frame : waiting->second.waiting) link.send(std::move(frame));
    waiting->second.waiting.clear();
    waiting->second.waiting_bytes = 0;
  }
  sent_ = true;
  diag::notice("connected with member " + text_of(target.first) + " at " + entry.address.host + ", partition " +
               std::to_string(target.second));
  events_.connected(target.first, target.second, sought);
  if (links.size() > kLinksToOneMax) links.front()->close("there are newer connections to the same member");
}

void Peers::ended(PeerLink& link, const std::string& why) {
  if (const auto called = called_.find(&link); called != called_.end()) {
    const Target target = called->second;
    called_.erase(called);
    failed(target, why);
  } else if (link.hello().self.member == kNobody) {
    diag::verbose("a connection " + link.about() + " to the peer port ended: " + why);
  }
  const Target target{link.hello().self.member, link.hello().partition};
  const auto found = up_.find(target);
  if (found == up_.end() || std::erase(found->second, &link) == 0 || !found->second.empty()) return;
  up_.erase(found);
  diag::notice("the connection with member " + text_of(target.first) + ", partition " + std::to_string(target.second) +
               ", has ended: " + why);
  if (!is_connected(target.first)) events_.disconnected(target.first);
}

void Peers::tell_members(PeerLink& link) const {
  Members known{book_.members()};
  std::erase_if(known.members, [&](const PeerEntry& one) {
    return one.member == link.hello().self.member || one.address.host.empty();
  });
  if (!known.members.empty()) link.send(encode_link_frame(known));
}

// ---- turns

bool Peers::turn() {
  if (!sent_ && judging_.empty()) return false;
  for (PeerLink* const link : std::exchange(judging_, {})) judge(link);
  sent_ = false;
  for (std::size_t i = 0; i < links_.size(); ++i) links_[i]->flush();
  return true;
}

void Peers::tick() {
  const MonotonicNanos now = clock_.monotonic();
  for (std::size_t i = 0; i < links_.size(); ++i) links_[i]->tick(now);
  std::erase_if(links_, [&](const auto& link) {
    return link->closed() && std::ranges::find(judging_, link.get()) == judging_.end();
  });
  if (const std::uint64_t version = book_.version(); version != told_version_) {
    told_version_ = version;
    for (const auto& [target, links] : up_) tell_members(*links.back());
    sent_ = true;
  }
  call_those_wanted(now);
}

void Peers::close_all() {
  called_.clear();
  calls_.clear();
  sought_.reset();
  for (const auto& link : links_) link->close("this node is stopping");
  judging_.clear();
}

}  // namespace minod
