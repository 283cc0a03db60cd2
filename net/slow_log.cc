#include "net/slow_log.h"

#include <algorithm>

namespace minod {

namespace {

// Redis's SLOWLOG_ENTRY_MAX_ARGC and SLOWLOG_ENTRY_MAX_STRING.
constexpr std::size_t kArgsMax = 32;
constexpr std::size_t kArgSizeMax = 128;

std::string cut_argument(std::string_view arg) {
  if (arg.size() <= kArgSizeMax) return std::string(arg);
  return std::string(arg.substr(0, kArgSizeMax)) + "... (" + std::to_string(arg.size() - kArgSizeMax) + " more bytes)";
}

}  // namespace

std::vector<std::string> SlowLog::cut(std::span<const std::string_view> args) {
  const bool too_many = args.size() > kArgsMax;
  const std::size_t kept = too_many ? kArgsMax - 1 : args.size();
  std::vector<std::string> result;
  for (const std::string_view arg : args.first(kept)) result.push_back(cut_argument(arg));
  if (too_many) result.push_back("... (" + std::to_string(args.size() - kept) + " more arguments)");
  return result;
}

void SlowLog::add(Entry entry, std::size_t entries_max) {
  const std::lock_guard guard(lock_);
  entry.id = next_id_++;
  entries_.push_front(std::move(entry));
  while (entries_.size() > entries_max) entries_.pop_back();
}

std::vector<SlowLog::Entry> SlowLog::newest(std::size_t count) const {
  const std::lock_guard guard(lock_);
  const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(std::min(count, entries_.size()));
  return {entries_.begin(), end};
}

std::size_t SlowLog::size() const {
  const std::lock_guard guard(lock_);
  return entries_.size();
}

void SlowLog::clear() {
  const std::lock_guard guard(lock_);
  entries_.clear();
}

}  // namespace minod
