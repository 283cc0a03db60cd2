#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "base/check.h"
#include "store/command.h"
#include "store/command_rows.h"

namespace minod {

namespace {

std::vector<CommandSpec> sorted_rows() {
  std::vector<CommandSpec> rows;
  for (const auto part : {string_rows(), key_rows(), connection_rows(), server_rows(), transaction_rows()}) {
    rows.insert(rows.end(), part.begin(), part.end());
  }
  // '|' sorts behind every letter, so the subcommands of "client" stand between it and "cluster".
  std::sort(rows.begin(), rows.end(), [](const CommandSpec& a, const CommandSpec& b) { return a.name < b.name; });
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const std::string_view container = rows[i].name.substr(0, rows[i].name.find('|'));
    if (container.size() != rows[i].name.size() && rows[i - 1].name == container) rows[i - 1].flags |= kContainer;
  }
  return rows;
}

// A name of up to 16 letters in two words, lower case. Setting bit 5 makes letters lower case and makes no other byte a
// letter of the same name, so equal words mean equal names as long as names have only letters, which the table's test
// asserts. The loads overlap in names of other sizes than 8 and 16; the size tells those apart.
struct PackedName {
  std::uint64_t front = 0;
  std::uint64_t back = 0;
  std::size_t size = 0;
  friend bool operator==(const PackedName&, const PackedName&) = default;
};

constexpr std::size_t kNameSizeMax = 16;
constexpr std::uint64_t kLowerCase = 0x2020202020202020;

template <class Word>
std::uint64_t load(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

PackedName pack(std::string_view name) {
  const char* const begin = name.data();
  const char* const end = begin + name.size();
  if (name.size() >= 8) {
    return {load<std::uint64_t>(begin) | kLowerCase, load<std::uint64_t>(end - 8) | kLowerCase, name.size()};
  }
  if (name.size() >= 4) {
    return {load<std::uint32_t>(begin) | kLowerCase, load<std::uint32_t>(end - 4) | kLowerCase, name.size()};
  }
  if (name.size() >= 2) {
    return {load<std::uint16_t>(begin) | kLowerCase, load<std::uint16_t>(end - 2) | kLowerCase, name.size()};
  }
  return {load<std::uint8_t>(begin) | kLowerCase, kLowerCase, name.size()};
}

// Open addressing with linear probing, at most a quarter full.
class NameTable {
 public:
  explicit NameTable(std::span<const CommandSpec> rows) {
    for (const CommandSpec& row : rows) {
      if (row.name.find('|') == std::string_view::npos) insert(row);
    }
    check(count_ <= kSlots / 4, "command names fill at most a quarter of their hash table");
  }

  const CommandSpec* find(std::string_view name) const {
    if (name.empty() || name.size() > kNameSizeMax) return nullptr;
    const PackedName packed = pack(name);
    for (std::size_t at = slot_of(packed);; at = (at + 1) % kSlots) {
      const Slot& slot = slots_[at];
      if (!slot.spec || slot.name == packed) return slot.spec;
    }
  }

 private:
  struct Slot {
    PackedName name;
    const CommandSpec* spec = nullptr;
  };

  static constexpr std::size_t kSlotBits = 9;
  static constexpr std::size_t kSlots = std::size_t{1} << kSlotBits;

  static std::size_t slot_of(const PackedName& name) {
    const std::uint64_t mixed = (name.front + name.size) * 0x9e3779b97f4a7c15 ^ name.back * 0xbf58476d1ce4e5b9;
    return static_cast<std::size_t>((mixed * 0x94d049bb133111eb) >> (64 - kSlotBits));
  }

  void insert(const CommandSpec& row) {
    check(!row.name.empty() && row.name.size() <= kNameSizeMax, "a command's name fits a packed name");
    std::size_t at = slot_of(pack(row.name));
    while (slots_[at].spec) at = (at + 1) % kSlots;
    slots_[at] = {pack(row.name), &row};
    ++count_;
  }

  std::array<Slot, kSlots> slots_;
  std::size_t count_ = 0;
};

struct FlagName {
  CommandFlag flag;
  std::string_view name;
};

constexpr FlagName kFlagNames[] = {
    {kWrite, "write"},      {kReadOnly, "readonly"},        {kDenyOom, "denyoom"},
    {kAdmin, "admin"},      {kNoScript, "noscript"},        {kLoading, "loading"},
    {kStale, "stale"},      {kSkipMonitor, "skip_monitor"}, {kSkipSlowlog, "skip_slowlog"},
    {kFast, "fast"},        {kNoAuth, "no_auth"},           {kNoAsyncLoading, "no_async_loading"},
    {kNoMulti, "no_multi"}, {kAllowBusy, "allow_busy"},
};

Error no_keys(const CommandSpec& spec) {
  return {Errc::kInvalid, 0, "the arguments do not fit '" + std::string(spec.name) + "'"};
}

}  // namespace

std::span<const CommandSpec> command_table() {
  static const std::vector<CommandSpec> rows = sorted_rows();
  return rows;
}

const CommandSpec* find_command(std::string_view name) {
  static const NameTable names(command_table());
  return names.find(name);
}

const CommandSpec* find_subcommand(std::string_view container, std::string_view name) {
  const CommandSpec* spec = find_command(container);
  if (!spec) return nullptr;
  const std::string_view prefix = spec->name;
  const CommandSpec* const end = command_table().data() + command_table().size();
  const auto same = [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); };
  for (const CommandSpec* at = spec + 1; at != end && at->name.starts_with(prefix); ++at) {
    if (at->name.size() <= prefix.size() || at->name[prefix.size()] != '|') break;
    const std::string_view own = at->name.substr(prefix.size() + 1);
    if (std::equal(own.begin(), own.end(), name.begin(), name.end(), same)) return at;
  }
  return nullptr;
}

std::vector<std::string_view> flag_names(const CommandSpec& spec) {
  std::vector<std::string_view> names;
  for (const FlagName& known : kFlagNames) {
    if (spec.flags & known.flag) names.push_back(known.name);
  }
  return names;
}

bool arity_fits(const CommandSpec& spec, std::size_t argument_count) {
  const auto count = static_cast<std::ptrdiff_t>(argument_count);
  return spec.arity < 0 ? count >= -spec.arity : count == spec.arity;
}

Result<std::vector<std::size_t>> key_positions(const CommandSpec& spec, std::span<const std::string_view> args) {
  std::vector<std::size_t> positions;
  if (spec.keys.first == 0) return positions;
  const int count = static_cast<int>(args.size());
  const int last = spec.keys.last < 0 ? count + spec.keys.last : spec.keys.last;
  if (!arity_fits(spec, args.size()) || last < spec.keys.first || last >= count) return no_keys(spec);
  for (int at = spec.keys.first; at <= last; at += spec.keys.step) positions.push_back(static_cast<std::size_t>(at));
  return positions;
}

}  // namespace minod
