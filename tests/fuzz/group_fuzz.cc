// One node of a group whose other members say anything: well-formed messages of every kind, with offsets, epochs, sets
// and batches that fit together now and then, among commands, turns, restarts and what an operator may ask for. The
// node goes on, or its log stops with an error; no message makes it end.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "tests/cluster/group_fixture.h"
#include "tests/fuzz/pieces.h"
#include "tests/log/batches.h"

namespace minod {
namespace {

constexpr int kStepsMax = 100;

class Talk {
 public:
  explicit Talk(Bytes input) : input_(input), node_(network_, 1, options(input_.byte())) {
    node_.store_options.segment_bytes = (std::int64_t{256} << 10) + 8192;
    node_.start();
  }

  void run() {
    for (int i = 0; i < kStepsMax && !input_.empty() && node_.failures.empty(); ++i) step(input_.byte());
    node_.crash();
  }

 private:
  static ReplicationOptions options(std::uint8_t choices) {
    ReplicationOptions made;
    made.group.nodes = 1 + choices % 3;
    made.group.least = 1 + choices / 4 % made.group.nodes;
    made.copy_from = (choices & 128) != 0 ? 0 : made.copy_from;
    return made;
  }

  void step(std::uint8_t choice) {
    Replication& replication = node_.replication();
    switch (choice % 16) {
      case 0:
        return turns(input_.byte() % 32);
      case 1:
        return node_.tick(Millis(std::int64_t{input_.byte()} * 40));
      case 2:
        return command();
      case 3:
        return replication.lead();
      case 4:
        return replication.follow(other());
      case 5:
        return replication.promote({other(), other()}, input_.byte() % 2 == 0);
      case 6:
        return replication.hand_over(member());
      case 7:
        return input_.byte() % 4 == 0 ? replication.disconnected(other()) : replication.connected(other());
      default:
        return message(choice / 16 % 14);
    }
  }

  void turns(int count) {
    for (int i = 0; i < count; ++i) node_.turn();
    network_.under_way.clear();
  }

  // Its reply may never leave: the others say what they like.
  void command() {
    const std::string key(1, static_cast<char>('a' + input_.byte() % 4));
    auto running = node_.begin({"SET", key, std::string(input_.byte(), 'v')}, input_.byte() % 2);
    turns(8);
    commands_.push_back(std::move(running));
  }

  // ---- what the others say

  void message(int kind) {
    Message made = some(kind);
    test::Blob batches;
    if (auto* const answer = std::get_if<Answer>(&made)) batches = fitting(*answer);
    if (std::holds_alternative<SegmentBytes>(made)) batches = batch(Offset(0), Epoch{65536});
    // Only what the parser lets pass reaches a Replication.
    const auto frame = encode_frame(log_name(), made, batches);
    Bytes from(frame);
    const auto taken = take_frame(from);
    if (taken) node_.replication().receive(other(), taken->log, taken->message, taken->batches);
  }

  Message some(int kind) {
    switch (kind) {
      case 0:
        return Fetch{leadership(), leadership(), offset(), offset(), offset(), version(), flags(), flag(), flag()};
      case 1:
        return answer();
      case 2:
        return Refusal{leadership()};
      case 3:
        return Promise{leadership()};
      case 4:
        return Promised{leadership(), flag(), set(), {log_name()}};
      case 5:
        return Inquiry{};
      case 6:
        return Standing{leadership(), flag(), set()};
      case 7:
        return HandOver{leadership(), offset()};
      case 8:
        return Logs{{log_name(), log_name()}};
      case 9:
        return SegmentsWanted{leadership()};
      case 10:
        return Segments{leadership(), offset(), lines(), {{offset(), size()}, {offset(), size()}}};
      case 11:
        return SegmentRead{offset(), size(), static_cast<std::int32_t>(size())};
      case 12:
        return Lend{static_cast<std::int32_t>(flags())};
      default:
        return SegmentBytes{offset(), size(), size()};
    }
  }

  Answer answer() {
    Answer one;
    one.leadership = leadership();
    one.begin = offset();
    one.next = offset();
    one.epochs = lines();
    if (flags() == 0) one.divergence = EpochHistory::Divergence{leadership(), offset()};
    if (one.divergence) one.last = leadership();
    one.first = offset();
    one.committed = offset();
    one.set = set();
    one.in_force = flag();
    one.generation = flags();
    one.complete = flag();
    return one;
  }

  // Batches as the answer announces them, or something else.
  test::Blob fitting(Answer& answer) {
    const std::uint8_t choice = input_.byte();
    if (choice % 4 == 0) return {};
    if (choice % 4 == 1) {
      const Bytes raw = input_.bytes(input_.byte());
      return {raw.begin(), raw.end()};
    }
    answer.begin = end();
    answer.epochs = {{answer.leadership, answer.begin}};
    test::Blob all = batch(answer.begin, answer.leadership.epoch);
    answer.next = Offset(answer.begin.value() + records_);
    return all;
  }

  test::Blob batch(Offset base, Epoch epoch) {
    std::vector<std::string> values;
    for (int i = input_.byte() % 3; i >= 0; --i) values.push_back(std::to_string(i));
    records_ = static_cast<std::int64_t>(values.size());
    return test::batch_of(base.value(), epoch.value, values);
  }

  // ---- and what it is made of

  MemberId member() {
    const std::uint64_t number = input_.byte() % 4;  // 0: nobody
    return MemberId{number, number};
  }
  MemberId other() { return input_.byte() % 2 == 0 ? MemberId{2, 2} : MemberId{3, 3}; }
  bool flag() { return input_.byte() % 2 != 0; }
  std::uint32_t flags() { return input_.byte() % 4; }
  LogName log_name() {
    const std::uint8_t choice = input_.byte();
    return LogName{static_cast<std::int16_t>(choice < 224 ? choice / 128 : choice), 0};
  }

  const Log* log() {
    const Partition* const partition = node_.store().partition(0, 0);
    return partition != nullptr && partition->has_log() ? &partition->log() : nullptr;
  }
  Offset end() { return log() == nullptr ? kFirstOffset : log()->marks().appended(); }
  Offset offset() {
    const std::uint8_t choice = input_.byte();
    if (choice < 64) return Offset(choice);
    if (choice < 192) return Offset(std::max<std::int64_t>(0, end().value() + choice - 128));
    if (choice < 224) return end();
    return Offset(choice == 255 ? std::numeric_limits<std::int64_t>::max() : std::int64_t{1} << (choice % 62));
  }
  std::int64_t size() {
    const std::uint8_t choice = input_.byte();
    return choice < 200 ? std::int64_t{choice} * 64 : std::int64_t{1} << (choice % 63);
  }
  Leadership leadership() {
    const std::uint8_t choice = input_.byte();
    Epoch epoch{first_of_term(choice % 4).value + choice / 4 % 4};
    if (choice > 250) epoch = Epoch{std::numeric_limits<std::int32_t>::max() - choice % 2};
    return {epoch, member()};
  }
  SetVersion version() {
    const std::uint8_t choice = input_.byte();
    return {Epoch{first_of_term(choice % 4).value + choice / 4 % 2}, choice / 16};
  }
  InSyncSet set() {
    InSyncSet made;
    made.version = version();
    const std::uint8_t choice = input_.byte();
    for (std::uint64_t i = 1; i <= 3; ++i) {
      if ((choice >> i & 1) != 0) made.members.push_back(MemberId{i, i});
      if ((choice >> (3 + i) & 1) != 0) made.known.push_back(MemberId{i, i});
    }
    return made;
  }
  std::vector<EpochLine> lines() {
    std::vector<EpochLine> made;
    for (int i = input_.byte() % 4; i > 0; --i) made.push_back({leadership(), offset()});
    return made;
  }

  Pieces input_;
  TestNetwork network_;
  GroupNode node_;
  std::vector<std::unique_ptr<GroupNode::Running>> commands_;
  std::int64_t records_ = 0;  // of the last batch
};

}  // namespace
}  // namespace minod

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  minod::Talk({reinterpret_cast<const std::byte*>(data), size}).run();
  return 0;
}
