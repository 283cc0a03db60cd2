// MEMORY USAGE: what a key costs.
#include "log/record.h"
#include "store/argument.h"
#include "store/call.h"
#include "store/commands.h"

namespace minod::commands {

namespace {

// What index/hash_index.h and index/expiry_index.h promise as means.
constexpr std::size_t kHashIndexShare = 28;
constexpr std::size_t kExpiryIndexShare = 16;

}  // namespace

// The record's size is exact but for the deltas to its batch, which take a few bytes, and for compression.
void memory_usage(Call& call) {
  const bool samples = call.count() == 5 && is_word(call[3], "SAMPLES");
  if (call.count() != 3 && !samples) return call.reply().error(kSyntaxError);
  if (samples) {
    const auto count = integer_argument(call, 4);
    if (!count) return;
    if (*count < 0) return call.reply().error(kSyntaxError);
  }
  const Value* value = call.find(call[2]);
  if (call.parked()) return;
  if (!value) return call.reply().null();
  const NewRecord record{.key = call[2], .value = value->bytes, .expires_at = value->expires_at};
  const std::size_t index_share = kHashIndexShare + (value->expires_at == kNeverExpires ? 0 : kExpiryIndexShare);
  call.reply().integer(static_cast<std::int64_t>(index_share + record_size(record, 0, 0)));
}

}  // namespace minod::commands
