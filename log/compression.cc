#include "log/compression.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>

#include "base/check.h"
#include "base/endian.h"

namespace minod {

namespace {

constexpr int kWindowLogMax = 27;  // 128 MiB, what every zstd decoder takes

// Room for a usual batch at once: then zstd decodes in one pass, with no window of its own.
constexpr std::size_t kMemorySizeStart = 64 * 1024;

// More than this is given back at the next call.
constexpr std::size_t kMemorySizeKept = 4 * 1024 * 1024;

Error corrupt(std::string detail) { return Error{Errc::kCorrupt, 0, "zstd: " + std::move(detail)}; }

Error decode_error(std::size_t code) {
  const bool window = ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge;
  if (window) return Error{Errc::kTooLarge, 0, "zstd: window over 128 MiB"};
  return corrupt(ZSTD_getErrorName(code));
}

// Also keeps skippable frames and the decoders of zstd's old formats out.
bool starts_frame(Bytes from) {
  return from.size() >= sizeof(std::uint32_t) && load_little<std::uint32_t>(from.data()) == ZSTD_MAGICNUMBER;
}

}  // namespace

struct Compressor::Context {
  ZSTD_CCtx* zstd = ZSTD_createCCtx();
  ~Context() { ZSTD_freeCCtx(zstd); }
};

Compressor::Compressor(int level) : context_(std::make_unique<Context>()) {
  check(context_->zstd != nullptr, "memory for a compressor");
  const std::size_t set = ZSTD_CCtx_setParameter(context_->zstd, ZSTD_c_compressionLevel, level);
  check(ZSTD_isError(set) == 0, "zstd takes the level");
}

Compressor::~Compressor() = default;

std::optional<std::size_t> Compressor::compress(Bytes from, MutableBytes into) {
  const std::size_t size = ZSTD_compress2(context_->zstd, into.data(), into.size(), from.data(), from.size());
  if (ZSTD_isError(size) != 0) return std::nullopt;
  return size;
}

struct Decompressor::Context {
  ZSTD_DCtx* zstd = ZSTD_createDCtx();
  ~Context() { ZSTD_freeDCtx(zstd); }
};

Decompressor::Decompressor() : context_(std::make_unique<Context>()) {
  check(context_->zstd != nullptr, "memory for a decompressor");
  const std::size_t set = ZSTD_DCtx_setParameter(context_->zstd, ZSTD_d_windowLogMax, kWindowLogMax);
  check(ZSTD_isError(set) == 0, "zstd takes the window limit");
}

Decompressor::~Decompressor() = default;

Result<Bytes> Decompressor::decompress(Bytes from, std::size_t size_max) {
  if (!starts_frame(from)) return corrupt("no frame");
  if (memory_.size() > kMemorySizeKept) std::vector<std::byte>().swap(memory_);
  if (memory_.empty()) memory_.resize(kMemorySizeStart);

  // One byte more than allowed tells "exactly the limit" from "over it".
  const std::size_t room_max = size_max + 1;
  ZSTD_DCtx_reset(context_->zstd, ZSTD_reset_session_only);
  ZSTD_inBuffer in{from.data(), from.size(), 0};
  ZSTD_outBuffer out{memory_.data(), std::min(memory_.size(), room_max), 0};
  for (;;) {
    const std::size_t left = ZSTD_decompressStream(context_->zstd, &out, &in);
    if (ZSTD_isError(left) != 0) return decode_error(left);
    if (out.pos > size_max) return Error{Errc::kTooLarge, 0, "zstd: contents over " + std::to_string(size_max)};
    if (left == 0) break;
    if (out.pos < out.size) {
      if (in.pos == in.size) return corrupt("frame cut short");
      continue;
    }
    memory_.resize(std::min(memory_.size() * 2, room_max));
    out.dst = memory_.data();
    out.size = memory_.size();
  }
  if (in.pos != in.size) return corrupt("bytes after the frame");
  return Bytes(memory_.data(), out.pos);
}

}  // namespace minod
