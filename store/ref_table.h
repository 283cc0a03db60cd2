// A hash table of 32-bit references that grows and shrinks by one bucket at a time (linear hashing: Litwin, VLDB 1980),
// so that no insert waits for a rehash. A bucket is one cache line: 12 references, a byte of each one's hash, and the
// overflow bucket if there is one. Beside each bucket stand the hashes of the last eight records that were let go from
// it: the ghost list of S3-FIFO, 16 bytes a bucket. The same reference is never added twice.
#pragma once

#include <emmintrin.h>

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "store/reserved_memory.h"

namespace minod {

class RefTable {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  RefTable();

  // The reference of this hash for which matches(ref), or kNone. All bits of a hash should be random.
  template <class Matches>
  std::uint32_t find(std::uint64_t hash, Matches matches) const {
    const Bucket* bucket = &buckets_[index_of(hash)];
    const __m128i tag = _mm_set1_epi8(static_cast<char>(tag_of(hash)));
    for (;;) {
      for (unsigned mask = bucket->equal(tag); mask != 0; mask &= mask - 1) {
        const std::uint32_t ref = bucket->refs[std::countr_zero(mask)];
        if (matches(ref)) return ref;
      }
      if (bucket->overflow == 0) [[likely]]
        return kNone;
      bucket = &overflows_[bucket->overflow];
    }
  }

  void prefetch(std::uint64_t hash) const { __builtin_prefetch(&buckets_[index_of(hash)]); }

  // records.hash_of(ref) and records.prefetch(ref) are called for the references of one bucket, which is then split.
  template <class Records>
  void add(std::uint64_t hash, std::uint32_t ref, const Records& records) {
    put(index_of(hash), tag_of(hash), ref);
    if (++count_ > std::size_t{bucket_count_} * kRefsToSplit) split(records);
  }

  void remove(std::uint64_t hash, std::uint32_t ref);
  void replace(std::uint64_t hash, std::uint32_t ref, std::uint32_t by);

  // Ghosts: `hash` was let go; and whether it is among those let go lately (wrong once in 8000 times).
  void remember(std::uint64_t hash);
  bool remembers(std::uint64_t hash) const;

  // Forgets everything and gives all memory back.
  void clear();

  std::size_t count() const { return count_; }
  std::size_t memory_bytes() const;  // pages that were written

 private:
  static constexpr std::size_t kWays = 12;
  static constexpr std::uint32_t kBucketsMin = 16;
  static constexpr std::size_t kRefsToSplit = 6;  // for each bucket, on average
  static constexpr std::size_t kRefsToMerge = 3;

  struct alignas(64) Bucket {
    std::uint8_t tags[kWays];  // 0: free
    std::uint32_t overflow;    // 0: none
    std::uint32_t refs[kWays];

    unsigned equal(__m128i tag) const {
      const __m128i line = _mm_load_si128(reinterpret_cast<const __m128i*>(tags));
      return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(line, tag))) & ((1u << kWays) - 1);
    }
    unsigned taken() const { return ~equal(_mm_setzero_si128()) & ((1u << kWays) - 1); }
  };
  static_assert(sizeof(Bucket) == 64);
  struct alignas(16) Ghosts {
    std::uint16_t hashes[8];  // newest first; 0: none
  };

  static std::uint8_t tag_of(std::uint64_t hash) {
    const auto tag = static_cast<std::uint8_t>(hash >> 56);
    return tag == 0 ? 1 : tag;
  }
  static std::uint16_t ghost_of(std::uint64_t hash) {
    const auto ghost = static_cast<std::uint16_t>(hash >> 40);
    return ghost == 0 ? 1 : ghost;
  }
  std::size_t index_of(std::uint64_t hash) const {
    const std::size_t index = hash & (2 * std::size_t{round_} - 1);
    return index < bucket_count_ ? index : index - round_;
  }

  // Moves the references of bucket last - round_ that belong into a new last bucket.
  template <class Records>
  void split(const Records& records) {
    const std::uint32_t source = bucket_count_ - round_;
    const Bucket& bucket = buckets_[source];
    for (unsigned mask = bucket.taken(); mask != 0; mask &= mask - 1) {
      records.prefetch(bucket.refs[std::countr_zero(mask)]);
    }
    if (!open_last(source)) return;
    take_out(source, [&](std::uint8_t tag, std::uint32_t ref) { put(index_of(records.hash_of(ref)), tag, ref); });
  }

  // Empties a bucket with its overflow; take(tag, ref) may put what it gets anywhere.
  template <class Take>
  void take_out(std::size_t index, Take take) {
    Bucket taken = buckets_[index];
    buckets_[index] = Bucket{};
    for (;;) {
      for (unsigned mask = taken.taken(); mask != 0; mask &= mask - 1) {
        const int way = std::countr_zero(mask);
        take(taken.tags[way], taken.refs[way]);
      }
      if (taken.overflow == 0) return;
      const std::uint32_t overflow = taken.overflow;
      taken = overflows_[overflow];
      free_overflow(overflow);
    }
  }

  bool open_last(std::uint32_t source);
  void merge_last();
  void put(std::size_t index, std::uint8_t tag, std::uint32_t ref);
  std::uint32_t new_overflow();
  void free_overflow(std::uint32_t index);

  ReservedMemory bucket_memory_;
  ReservedMemory ghost_memory_;
  ReservedMemory overflow_memory_;
  Bucket* buckets_;
  Ghosts* ghosts_;
  Bucket* overflows_;
  std::uint32_t bucket_count_ = 0;
  std::uint32_t round_ = 0;           // a power of two; round_ <= bucket_count_ < 2 * round_
  std::uint32_t overflow_count_ = 1;  // ever used; the first never is
  std::uint32_t free_overflow_ = 0;   // linked by Bucket::overflow
  std::size_t count_ = 0;
  bool written_ = false;
};

}  // namespace minod
