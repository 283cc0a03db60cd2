#include "store/ref_table.h"

#include <cstring>

#include "base/buffer.h"

namespace minod {

namespace {

constexpr std::size_t kPageSize = 4096;
constexpr std::size_t kCommitBuckets = 1024;  // at a time

// At 6 references a bucket, 400 million; addresses cost nothing.
constexpr std::size_t kBucketBytesMax = std::size_t{4} << 30;
constexpr std::size_t kGhostBytesMax = kBucketBytesMax / 4;
constexpr std::size_t kOverflowBytesMax = kBucketBytesMax / 2;

}  // namespace

RefTable::RefTable()
    : bucket_memory_(kBucketBytesMax),
      ghost_memory_(kGhostBytesMax),
      overflow_memory_(kOverflowBytesMax),
      buckets_(reinterpret_cast<Bucket*>(bucket_memory_.data())),
      ghosts_(reinterpret_cast<Ghosts*>(ghost_memory_.data())),
      overflows_(reinterpret_cast<Bucket*>(overflow_memory_.data())) {
  check(bucket_memory_.commit(0, kCommitBuckets * sizeof(Bucket)), "the first buckets are granted");
  check(ghost_memory_.commit(0, kCommitBuckets * sizeof(Ghosts)), "the first ghosts are granted");
  bucket_count_ = round_ = kBucketsMin;
}

void RefTable::put(std::size_t index, std::uint8_t tag, std::uint32_t ref) {
  written_ = true;
  Bucket* bucket = &buckets_[index];
  while (bucket->taken() == (1u << kWays) - 1) {
    if (bucket->overflow == 0) bucket->overflow = new_overflow();
    bucket = &overflows_[bucket->overflow];
  }
  const int way = std::countr_one(bucket->taken());
  bucket->tags[way] = tag;
  bucket->refs[way] = ref;
}

void RefTable::remove(std::uint64_t hash, std::uint32_t ref) {
  Bucket* before = nullptr;
  Bucket* bucket = &buckets_[index_of(hash)];
  const __m128i tag = _mm_set1_epi8(static_cast<char>(tag_of(hash)));
  for (;;) {
    for (unsigned mask = bucket->equal(tag); mask != 0; mask &= mask - 1) {
      const int way = std::countr_zero(mask);
      if (bucket->refs[way] != ref) continue;
      bucket->tags[way] = 0;
      if (before != nullptr && bucket->taken() == 0) {
        const std::uint32_t emptied = before->overflow;
        before->overflow = bucket->overflow;
        free_overflow(emptied);
      }
      if (--count_ < bucket_count_ * kRefsToMerge && bucket_count_ > kBucketsMin) merge_last();
      return;
    }
    check(bucket->overflow != 0, "only what is in the table is removed");
    before = bucket;
    bucket = &overflows_[bucket->overflow];
  }
}

void RefTable::replace(std::uint64_t hash, std::uint32_t ref, std::uint32_t by) {
  Bucket* bucket = &buckets_[index_of(hash)];
  for (;;) {
    for (unsigned mask = bucket->taken(); mask != 0; mask &= mask - 1) {
      std::uint32_t& here = bucket->refs[std::countr_zero(mask)];
      if (here != ref) continue;
      here = by;
      return;
    }
    check(bucket->overflow != 0, "only what is in the table is replaced");
    bucket = &overflows_[bucket->overflow];
  }
}

void RefTable::remember(std::uint64_t hash) {
  auto* row = reinterpret_cast<__m128i*>(ghosts_[index_of(hash)].hashes);
  const __m128i shifted = _mm_slli_si128(_mm_load_si128(row), sizeof(std::uint16_t));
  _mm_store_si128(row, _mm_insert_epi16(shifted, ghost_of(hash), 0));
}

bool RefTable::remembers(std::uint64_t hash) const {
  const auto* row = reinterpret_cast<const __m128i*>(ghosts_[index_of(hash)].hashes);
  const __m128i ghost = _mm_set1_epi16(static_cast<short>(ghost_of(hash)));
  return _mm_movemask_epi8(_mm_cmpeq_epi16(_mm_load_si128(row), ghost)) != 0;
}

// The new bucket inherits its source's ghosts: half of them never match there, and soon make room.
bool RefTable::open_last(std::uint32_t source) {
  const std::uint32_t last = bucket_count_;
  if (last % kCommitBuckets == 0) {
    if (!bucket_memory_.commit(last * sizeof(Bucket), kCommitBuckets * sizeof(Bucket))) return false;
    if (!ghost_memory_.commit(last * sizeof(Ghosts), kCommitBuckets * sizeof(Ghosts))) return false;
  }
  ghosts_[last] = ghosts_[source];
  if (++bucket_count_ == 2 * round_) round_ *= 2;
  return true;
}

void RefTable::merge_last() {
  if (bucket_count_ == round_) round_ /= 2;
  const std::uint32_t last = --bucket_count_;
  take_out(last, [&](std::uint8_t tag, std::uint32_t ref) { put(last - round_, tag, ref); });
  const std::size_t buckets_end = last * sizeof(Bucket);
  if (buckets_end % kPageSize == 0) bucket_memory_.discard(buckets_end, kPageSize);
  const std::size_t ghosts_end = last * sizeof(Ghosts);
  if (ghosts_end % kPageSize == 0) ghost_memory_.discard(ghosts_end, kPageSize);
}

std::uint32_t RefTable::new_overflow() {
  if (free_overflow_ != 0) {
    const std::uint32_t index = free_overflow_;
    free_overflow_ = overflows_[index].overflow;
    overflows_[index] = Bucket{};
    return index;
  }
  const std::size_t begin = overflow_count_ * sizeof(Bucket);
  if (overflow_count_ == 1 || overflow_count_ % kCommitBuckets == 0) {
    const std::size_t aligned = align_down(begin, kCommitBuckets * sizeof(Bucket));
    check(overflow_memory_.commit(aligned, kCommitBuckets * sizeof(Bucket)), "overflow buckets are granted");
  }
  return overflow_count_++;
}

void RefTable::free_overflow(std::uint32_t index) {
  overflows_[index] = Bucket{};
  overflows_[index].overflow = free_overflow_;
  free_overflow_ = index;
}

void RefTable::clear() {
  bucket_memory_.discard(0, align_up(bucket_count_ * sizeof(Bucket), kPageSize));
  ghost_memory_.discard(0, align_up(bucket_count_ * sizeof(Ghosts), kPageSize));
  if (overflow_count_ > 1) overflow_memory_.discard(0, align_up(overflow_count_ * sizeof(Bucket), kPageSize));
  bucket_count_ = round_ = kBucketsMin;
  overflow_count_ = 1;
  free_overflow_ = 0;
  count_ = 0;
  written_ = false;
}

std::size_t RefTable::memory_bytes() const {
  if (!written_) return 0;
  return align_up(bucket_count_ * sizeof(Bucket), kPageSize) + align_up(bucket_count_ * sizeof(Ghosts), kPageSize) +
         align_up((overflow_count_ - 1) * sizeof(Bucket), kPageSize);
}

}  // namespace minod
