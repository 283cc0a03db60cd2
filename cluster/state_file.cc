#include "cluster/state_file.h"

#include <cinttypes>
#include <cstdio>
#include <sstream>

#include "base/crc32c.h"

namespace minod {

namespace {

constexpr const char* kName = "replication-state";
constexpr const char* kNotKnown =
    "; what this node has promised and acknowledged is not known. Take the data directory away and let it start as a "
    "new "
    "replica";
constexpr int kFormat = 1;
constexpr std::size_t kSizeMax = std::size_t{16} << 20;

std::string with_checksum(std::string text) {
  char line[32];
  std::snprintf(line, sizeof line, "crc32c %08" PRIx32 "\n", crc32c(as_bytes(text)));
  return text + line;
}

bool parse_leadership(std::istringstream& in, Leadership& leadership) {
  std::string leader;
  if (!(in >> leadership.epoch.value >> leader)) return false;
  const auto id = parse_member_id(leader);
  if (id) leadership.leader = *id;
  return id.has_value();
}

bool parse_set(std::istringstream& in, StoredState& state) {
  InSyncSet set;
  if (!(in >> set.version.epoch.value >> set.version.number)) return false;
  bool of_set = true;
  for (std::string word; in >> word;) {
    if (of_set && word == "known") {
      of_set = false;
      continue;
    }
    const auto id = parse_member_id(word);
    if (!id) return false;
    (of_set ? set.members : set.known).push_back(*id);
  }
  state.sets.push_back(std::move(set));
  return true;
}

// What a line says is noted; whether it stands where it should is seen when the whole is written again.
bool parse_line(const std::string& line, StoredState& state, std::vector<EpochLine>& epochs) {
  std::istringstream in(line);
  std::string word;
  in >> word;
  if (word == "promised") return parse_leadership(in, state.promised);
  if (word == "counts") return static_cast<bool>(in >> state.counts);
  if (word == "in-force") return static_cast<bool>(in >> state.in_force);
  if (word == "incomplete") return static_cast<bool>(in >> state.incomplete >> state.generation);
  if (word == "set") return parse_set(in, state);
  if (word == "crc32c" || word == "format") return true;
  std::int64_t offset = 0;
  if (word == "epoch") {
    EpochLine one;
    if (!parse_leadership(in, one.leadership) || !(in >> offset)) return false;
    one.start = Offset(offset);
    epochs.push_back(one);
    return true;
  }
  if (word != "committed" || !(in >> offset)) return false;
  state.committed = Offset(offset);
  return true;
}

}  // namespace

std::string text_of(const StoredState& state) {
  std::ostringstream out;
  const auto leadership = [&](const Leadership& one) { out << one.epoch.value << " " << text_of(one.leader); };
  out << "format " << kFormat << "\npromised ";
  leadership(state.promised);
  out << "\ncounts " << state.counts << "\nin-force " << state.in_force;
  out << "\nincomplete " << state.incomplete << " " << state.generation;
  for (const InSyncSet& set : state.sets) {
    out << "\nset " << set.version.epoch.value << " " << set.version.number;
    for (const MemberId member : set.members) out << " " << text_of(member);
    out << " known";
    for (const MemberId member : set.known) out << " " << text_of(member);
  }
  for (const EpochLine& line : state.epochs.lines()) {
    out << "\nepoch ";
    leadership(line.leadership);
    out << " " << line.start.value();
  }
  out << "\ncommitted " << state.committed.value() << "\n";
  return with_checksum(out.str());
}

Result<StoredState> parse_state(std::string_view text) {
  const Error damaged{Errc::kCorrupt, 0, std::string(kName) + " is damaged"};
  std::istringstream lines{std::string(text)};
  std::string first;
  std::getline(lines, first);
  int format = 0;
  if (std::sscanf(first.c_str(), "format %d", &format) != 1) return damaged;
  if (format != kFormat) {
    return Error{Errc::kUnsupported, 0,
                 std::string(kName) + " has format " + std::to_string(format) + "; this minod reads format " +
                     std::to_string(kFormat) + ". Start the version that wrote it"};
  }
  StoredState state;
  std::vector<EpochLine> epochs;
  for (std::string line; std::getline(lines, line);) {
    if (!parse_line(line, state, epochs)) return damaged;
  }
  state.epochs = EpochHistory(std::move(epochs));
  if (text_of(state) != text) return damaged;
  return state;
}

Result<std::optional<StoredState>> read_state(Disk& disk, const std::string& directory) {
  const auto text = read_file(disk, directory + "/" + kName, kSizeMax);
  if (!text && text.error().code == Errc::kNotFound) return std::optional<StoredState>();
  if (!text) return text.error();
  auto state = parse_state(*text);
  if (!state) {
    Error error = state.error();
    error.detail = directory + "/" + error.detail + (error.code == Errc::kCorrupt ? kNotKnown : "");
    return error;
  }
  return std::optional(std::move(*state));
}

Error older_state(const std::string& directory) {
  return Error{Errc::kCorrupt, 0, directory + "/" + kName + " is older than the log beside it" + kNotKnown};
}

Result<void> write_state(Disk& disk, const std::string& directory, const StoredState& state) {
  return replace_file(disk, directory, kName, as_bytes(text_of(state)));
}

}  // namespace minod
