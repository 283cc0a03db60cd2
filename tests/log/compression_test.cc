#include "log/compression.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "tests/log/batches.h"

namespace minod {
namespace {

using test::Blob;
using test::joined;

constexpr std::size_t kAnySize = std::size_t{1} << 30;

class CompressionTest : public testing::Test {
 protected:
  Blob frame_of(const std::string& text) {
    Blob frame(text.size() + 1000);
    frame.resize(compressor_.compress(as_bytes(text), frame).value_or(0));
    return frame;
  }

  // A frame that does not declare its size, with a window of 2^window_log.
  Blob streamed_frame_of(const std::string& text, int window_log) {
    ZSTD_CCtx* context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    Blob frame(text.size() + 1000);
    ZSTD_inBuffer in{text.data(), text.size(), 0};
    ZSTD_outBuffer out{frame.data(), frame.size(), 0};
    ZSTD_compressStream2(context, &out, &in, ZSTD_e_flush);
    EXPECT_EQ(ZSTD_compressStream2(context, &out, &in, ZSTD_e_end), 0u);
    ZSTD_freeCCtx(context);
    frame.resize(out.pos);
    return frame;
  }

  // The contents, or the error's name.
  std::string contents_of(const Blob& frame, std::size_t size_max = kAnySize) {
    const auto contents = decompressor_.decompress(frame, size_max);
    return contents ? std::string(as_text(*contents)) : name_of(contents.error().code);
  }

  Compressor compressor_;
  Decompressor decompressor_;
};

std::string noise(std::size_t size) {
  Random random(7);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>('a' + random.below(16));
  return text;
}

TEST_F(CompressionTest, EverySizeComesBack) {
  for (const std::size_t size : {0, 1, 100, 65535, 65536, 65537, 131072, 5'000'000, 10}) {
    const std::string text = noise(size);
    EXPECT_EQ(contents_of(frame_of(text)), text) << size;
    EXPECT_EQ(contents_of(streamed_frame_of(text, 20)), text) << size;
  }
}

TEST_F(CompressionTest, NothingWhenItDoesNotFit) {
  Blob small(100);
  EXPECT_EQ(compressor_.compress(as_bytes(noise(1000)), small), std::nullopt);
  EXPECT_NE(compressor_.compress(as_bytes(std::string(1000, 'x')), small), std::nullopt);
}

TEST_F(CompressionTest, LimitIsExact) {
  for (const std::size_t size : {100, 65536, 200'000}) {
    for (const Blob& frame : {frame_of(noise(size)), streamed_frame_of(noise(size), 20)}) {
      EXPECT_EQ(contents_of(frame, size).size(), size);
      EXPECT_EQ(contents_of(frame, size - 1), "too large");
    }
  }
}

TEST_F(CompressionTest, BombIsTooLarge) {
  const Blob bomb = frame_of(std::string(64 << 20, 'x'));
  EXPECT_LT(bomb.size(), 10'000u);
  EXPECT_EQ(contents_of(bomb, 1 << 20), "too large");
}

TEST_F(CompressionTest, DeclaredSizeIsNotBelieved) {
  // Magic, a frame that declares 2^62 bytes in one segment, and one raw block with a single byte.
  const Blob liar = test::bytes_of_hex("28b52ffd e0 0000000000000040 090000 78");
  const auto contents = decompressor_.decompress(liar, 1 << 20);
  ASSERT_FALSE(contents);
  EXPECT_EQ(contents.error().code, Errc::kTooLarge) << contents.error().message();
}

TEST_F(CompressionTest, WindowOver128MiBIsTooLarge) {
  EXPECT_EQ(contents_of(streamed_frame_of(noise(1000), 27)), noise(1000));
  EXPECT_EQ(contents_of(streamed_frame_of(noise(1000), 28)), "too large");
}

TEST_F(CompressionTest, OnlyOneWholeFrameIsTaken) {
  const Blob frame = frame_of(noise(1000));
  EXPECT_EQ(contents_of(joined({frame, Blob(1)})), "corrupt");
  EXPECT_EQ(contents_of(joined({frame, frame})), "corrupt");
  EXPECT_EQ(contents_of(test::bytes_of_hex("502a4d18 00000000")), "corrupt");  // a skippable frame
  for (std::size_t size = 0; size < frame.size(); ++size) {
    EXPECT_EQ(contents_of(Blob(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size))), "corrupt") << size;
  }
  EXPECT_EQ(contents_of(frame), noise(1000));
}

TEST_F(CompressionTest, FlippedBytesNeverCrash) {
  const std::string text = noise(3000);
  for (const Blob& whole : {frame_of(text), streamed_frame_of(text, 20)}) {
    for (std::size_t at = 0; at < whole.size(); ++at) {
      Blob frame = whole;
      frame[at] ^= std::byte{0x55};
      EXPECT_LE(contents_of(frame, 1 << 20).size(), 1u << 20);
    }
  }
}

}  // namespace
}  // namespace minod
