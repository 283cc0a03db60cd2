#include "net/peer/peer_book.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <sstream>

#include "base/crc32c.h"

namespace minod {

namespace {

constexpr const char* kName = "peers";
constexpr std::size_t kSizeMax = std::size_t{4} << 20;
constexpr std::string_view kNothing = "-";

std::string or_nothing(const std::string& text) { return text.empty() ? std::string(kNothing) : text; }
std::string text_or_empty(const std::string& word) { return word == kNothing ? std::string() : word; }

bool parse_member(std::istringstream& in, PeerBook::Contents& contents) {
  std::string id;
  std::string address;
  unsigned client_port = 0;
  if (!(in >> id >> address >> client_port) || client_port > 0xffff) return false;
  PeerEntry entry;
  const auto member = parse_member_id(id);
  if (!member) return false;
  entry.member = *member;
  entry.client_port = static_cast<std::uint16_t>(client_port);
  // A host without a port: it takes no connections.
  if (const auto parsed = parse_peer_address(address)) {
    entry.address = *parsed;
  } else if (is_host(address)) {
    entry.address.host = address;
  } else {
    return false;
  }
  contents.members.push_back(std::move(entry));
  return true;
}

bool parse_line(const std::string& line, PeerBook::Contents& contents) {
  std::istringstream in(line);
  std::string word;
  std::string rest;
  in >> word;
  if (word == "crc32c" || word == "format") return true;
  if (word == "member") return parse_member(in, contents);
  if (word == "group") {
    const auto id = in >> rest ? parse_member_id(rest) : std::nullopt;
    if (id) contents.group = *id;
    return id.has_value();
  }
  PeerOrder order;
  std::string follows;
  std::string flag;
  if (word != "order" || !(in >> rest >> follows >> flag) || (rest != "lead" && rest != "follow")) return false;
  contents.order = PeerOrder{rest == "lead", text_or_empty(follows), text_or_empty(flag)};
  return true;
}

}  // namespace

std::string PeerBook::text_of(const Contents& contents) {
  std::ostringstream out;
  out << "format 1\ngroup " << minod::text_of(contents.group) << "\n";
  if (const auto& order = contents.order) {
    out << "order " << (order->leads ? "lead" : "follow") << " " << or_nothing(order->follows) << " "
        << or_nothing(order->beside_flag) << "\n";
  }
  for (const PeerEntry& one : contents.members) {
    out << "member " << minod::text_of(one.member) << " "
        << (one.address.port == 0 ? one.address.host : minod::text_of(one.address)) << " " << one.client_port << "\n";
  }
  char line[32];
  std::snprintf(line, sizeof line, "crc32c %08" PRIx32 "\n", crc32c(as_bytes(out.str())));
  return out.str() + line;
}

Result<PeerBook::Contents> PeerBook::parse(std::string_view text) {
  Contents contents;
  std::istringstream lines{std::string(text)};
  bool ok = true;
  for (std::string line; ok && std::getline(lines, line);) ok = parse_line(line, contents);
  if (!ok || text_of(contents) != text) return Error{Errc::kCorrupt, 0, std::string(kName) + " is damaged"};
  return contents;
}

Result<PeerBook::Contents> PeerBook::read(Disk& disk, const std::string& directory) {
  const auto text = read_file(disk, directory + "/" + kName, kSizeMax);
  if (!text && text.error().code == Errc::kNotFound) return Contents();
  if (!text) return text.error();
  auto contents = parse(*text);
  if (contents) return contents;
  Error error = contents.error();
  error.detail = directory + "/" + error.detail +
                 "; it says which group this node is of and where the others are. Remove it, and start with "
                 "--replicaof and the address of the node that leads";
  return error;
}

Result<void> PeerBook::write(Disk& disk, const std::string& directory) const {
  return replace_file(disk, directory, kName, as_bytes(text_of(contents())));
}

PeerBook::Contents PeerBook::contents() const {
  const std::lock_guard guard(lock_);
  return contents_;
}

MemberId PeerBook::group() const {
  const std::lock_guard guard(lock_);
  return contents_.group;
}

std::optional<PeerEntry> PeerBook::find(MemberId member) const {
  const std::lock_guard guard(lock_);
  const auto at = std::ranges::find(contents_.members, member, &PeerEntry::member);
  return at == contents_.members.end() ? std::nullopt : std::optional(*at);
}

std::vector<PeerEntry> PeerBook::members() const {
  const std::lock_guard guard(lock_);
  return contents_.members;
}

std::uint64_t PeerBook::version() const {
  const std::lock_guard guard(lock_);
  return version_;
}

bool PeerBook::join(MemberId group) {
  const std::lock_guard guard(lock_);
  if (contents_.group == group) return true;
  if (contents_.group != kNobody) return false;
  contents_.group = group;
  ++version_;
  return true;
}

void PeerBook::leave() {
  const std::lock_guard guard(lock_);
  contents_.group = kNobody;
  contents_.members.clear();
  ++version_;
}

void PeerBook::note(const PeerEntry& entry) {
  if (entry.member == self_ || entry.member == kNobody) return;
  const std::lock_guard guard(lock_);
  auto& members = contents_.members;
  const auto at = std::ranges::find(members, entry.member, &PeerEntry::member);
  if (at != members.end() && *at == entry) return;
  std::erase_if(members, [&](const PeerEntry& one) {
    return one.member == entry.member || (entry.address.port != 0 && one.address == entry.address);
  });
  if (members.size() >= kMembersMax) return;
  members.push_back(entry);
  std::ranges::sort(members, {}, &PeerEntry::member);
  ++version_;
}

void PeerBook::learn(const PeerEntry& entry) {
  if (!find(entry.member)) note(entry);
}

void PeerBook::note(const PeerOrder& order) {
  const std::lock_guard guard(lock_);
  if (contents_.order == order) return;
  contents_.order = order;
  ++version_;
}

void PeerBook::forget(MemberId member) {
  const std::lock_guard guard(lock_);
  if (std::erase_if(contents_.members, [&](const PeerEntry& one) { return one.member == member; }) != 0) ++version_;
}

}  // namespace minod
