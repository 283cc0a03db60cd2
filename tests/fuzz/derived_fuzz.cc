// A hint and checkpoints of any contents beside a log that is whole: raw bytes, the chunks that belong there, such ones
// with bytes changed, and chunks made up, all with a right CRC, so that what stands behind it is reached too. A start
// refuses, or it succeeds; then each key has a value that it had at some time, or none, or an error, and can be
// written. That a file with a bit flipped serves nothing wrong is replay.CheckpointTest's and sim.DamageEverywhere's to
// say.
#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "base/endian.h"
#include "log/segment_name.h"
#include "tests/fuzz/pieces.h"
#include "tests/store/store_fixture.h"

namespace minod {
namespace {

constexpr const char* kDirectory = "data/db0-0";
constexpr int kKeys = 8;
constexpr std::size_t kCrcPlace = 12;

using Blob = std::vector<std::byte>;

std::string key(int i) { return "key" + std::to_string(i); }

void seal(Blob& chunk) {
  store_little(chunk.data(), std::uint32_t{0x6b68636d});
  store_little(chunk.data() + 8, static_cast<std::uint32_t>(chunk.size()));
  const Bytes bytes(chunk);
  store_little(chunk.data() + kCrcPlace, crc32c(bytes.subspan(kChunkHeaderSize), crc32c(bytes.first(kCrcPlace))));
}

std::vector<Blob> chunks_of(Bytes file) {
  std::vector<Blob> chunks;
  while (file.size() >= kChunkHeaderSize) {
    const std::size_t size = std::min<std::size_t>(load_little<std::uint32_t>(file.data() + 8), file.size());
    if (size < kChunkHeaderSize) break;
    chunks.emplace_back(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    file = file.subspan(size);
  }
  check(!chunks.empty(), "a file that minod has written has chunks");
  return chunks;
}

class Node final : public StoreFixture {
 public:
  Node() {
    options_.segment_bytes = (std::int64_t{256} << 10) + 8192;
    options_.compaction.enabled = false;  // until it is asked for
    options_.compaction.bytes_per_second = 0;
    options_.compaction.delete_retention = Millis(0);
  }
  ~Node() override {
    disk_->kill();
    if (!store_) return;
    store_->abandon();
    store_.reset();
  }
  void TestBody() override {}

  // Three sealed segments with hints, two checkpoints, and what all keys were at some time.
  void fill() {
    options_.checkpoint_bytes = 1;
    use_disk({});
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 2 * kKeys; ++i) set(key(i % kKeys), std::to_string(round * 100 + i), i % 3 == 0);
      check(run({"DEL", key(round)}) == ":1\r\n", "the key was there");
      for (int i = 0; i < 200; ++i) turn_and_tick();
      while (!store_->partition(0, 0)->log().leave_active()) turn_and_tick();
      for (int i = 0; i < 200; ++i) turn_and_tick();
    }
    set(key(0), "last", false);
    check(store_->checkpointer().counters().written > 1, "checkpoints are written");
    stop();
    for (const DirectoryEntry& entry : *disk_->list(kDirectory)) {
      const auto base = parse_segment_name(entry.name, kHintSuffix);
      if (!base && !entry.name.starts_with("checkpoint.")) continue;
      const std::string path = std::string(kDirectory) + "/" + entry.name;
      const auto contents = read_file(*disk_, path, 1 << 24);
      files_[path] = chunks_of(as_bytes(*contents));
    }
    check(files_.size() >= 5, "there are hints and checkpoints");
  }

  void start_on(const Node& other) {
    stop();
    disk_ = other.disk_->after_power_loss(Survival::kAll, {});
    options_.checkpoint_bytes = 0;
  }

  void put(const std::string& path, Bytes contents) {
    const auto file = disk_->open(path, OpenMode::kCreate);
    check(file && (*file)->write_now(FilePosition(0), contents) && (*file)->sync_now(),
          "a simulated disk takes a file");
  }

  void use(const Node& other) {
    if (!try_start()) return;
    for (int i = 0; i < kKeys; ++i) {
      const std::string reply = run({"GET", key(i)});
      check(reply.starts_with("-") || reply == "$-1\r\n" || other.values_.at(key(i)).contains(reply),
            "a key has a value that it had at some time");
    }
    (void)store_->request_compaction();
    for (int i = 0; i < 60; ++i) turn_and_tick();
    if (!failures_.empty()) return;
    check(run({"SET", key(1), "new"}) == "+OK\r\n" && run({"GET", key(1)}) == "$3\r\nnew\r\n", "the node is of use");
  }

  const std::map<std::string, std::vector<Blob>>& files() const { return files_; }

 private:
  void set(const std::string& name, const std::string& value, bool expires) {
    std::vector<std::string> command{"SET", name, value};
    if (expires) command.insert(command.end(), {"PX", "100000000"});
    check(run(command) == "+OK\r\n", "a write is acknowledged");
    values_[name].insert("$" + std::to_string(value.size()) + "\r\n" + value + "\r\n");
  }
  void turn_and_tick() {
    turn();
    advance(Millis(100));
  }

  std::map<std::string, std::vector<Blob>> files_;
  std::map<std::string, std::set<std::string>> values_;
};

Blob changed(Blob chunk, Pieces& pieces) {
  for (int left = pieces.byte() % 4; left >= 0; --left) {
    const std::size_t at = (pieces.byte() | std::size_t{pieces.byte()} << 8) % chunk.size();
    const Bytes with = pieces.bytes(std::min<std::size_t>(pieces.byte() % 9, chunk.size() - at));
    std::copy(with.begin(), with.end(), chunk.begin() + static_cast<std::ptrdiff_t>(at));
  }
  seal(chunk);
  return chunk;
}

Blob made_up(Pieces& pieces) {
  Blob chunk(kChunkHeaderSize);
  store_little(chunk.data() + 4, std::uint32_t{pieces.byte()} % 8);
  const Bytes payload = pieces.bytes(pieces.byte());
  chunk.insert(chunk.end(), payload.begin(), payload.end());
  seal(chunk);
  return chunk;
}

Blob file_from(Pieces& pieces, const std::vector<Blob>& chunks) {
  Blob file;
  for (;;) {
    const std::uint8_t kind = pieces.byte();
    if (kind % 5 == 0) return file;
    Blob piece;
    const auto& known = chunks[pieces.byte() % chunks.size()];
    if (kind % 5 == 1) piece = known;
    if (kind % 5 == 2) piece = changed(known, pieces);
    if (kind % 5 == 3) piece = made_up(pieces);
    if (kind % 5 == 4) {
      const Bytes raw = pieces.bytes(pieces.byte());
      piece.assign(raw.begin(), raw.end());
    }
    file.insert(file.end(), piece.begin(), piece.end());
  }
}

void fuzz(Pieces pieces) {
  static const Node* const original = [] {
    auto* const made = new Node;
    made->fill();
    return made;
  }();
  Node node;
  node.start_on(*original);
  std::uint8_t which = pieces.byte();  // files to replace
  for (const auto& [path, chunks] : original->files()) {
    if ((which & 1) != 0) node.put(path, file_from(pieces, chunks));
    which >>= 1;
  }
  node.use(*original);
}

}  // namespace
}  // namespace minod

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  minod::fuzz(minod::Pieces({reinterpret_cast<const std::byte*>(data), size}));
  return 0;
}
