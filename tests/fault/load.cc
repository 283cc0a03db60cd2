#include "tests/fault/load.h"

namespace minod::live {

Load::Load(int writers, std::uint64_t seed) {
  for (int i = 0; i < writers; ++i)
    ledgers_.emplace_back("w" + std::to_string(i), seed * 1000 + static_cast<std::uint64_t>(i));
  complaints_.resize(ledgers_.size());
}

void Load::start(std::uint16_t port) {
  stopping_ = false;
  for (std::size_t i = 0; i < ledgers_.size(); ++i) threads_.emplace_back([this, i, port] { write(i, port); });
}

void Load::stop() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

// Pipelines of different depth, each of the writers another.
void Load::write(std::size_t writer, std::uint16_t port) {
  Ledger& ledger = ledgers_[writer];
  const std::size_t depth = std::size_t{1} << (writer % 6);
  auto wire = Wire::connect(port);
  if (!wire) return;
  std::size_t open = 0;
  while (!stopping_ || open > 0) {
    if (!stopping_) {
      for (; open < depth; ++open) wire->queue(ledger.next());
      if (!wire->flush()) stopping_ = true;
    }
    // Half of them, so that others are on their way while these are noted. What a dead server had sent is still read.
    for (std::size_t count = stopping_ ? open : depth / 2 + 1; count > 0; --count, --open) {
      const auto reply = wire->receive();
      if (!reply) return;
      if (ledger.acknowledge(*reply)) continue;
      complaints_[writer] = "writer " + std::to_string(writer) + " got " + shown(*reply);
      return;
    }
  }
}

std::vector<std::string> Load::complaints() const {
  std::vector<std::string> all;
  for (const std::string& one : complaints_) {
    if (!one.empty()) all.push_back(one);
  }
  return all;
}

std::vector<std::string> Load::check(std::uint16_t port) {
  auto wire = Wire::connect(port);
  if (!wire) return {"can't connect to check"};
  std::vector<std::string> all;
  for (Ledger& ledger : ledgers_) {
    const auto wrong = ledger.check(*wire);
    all.insert(all.end(), wrong.begin(), wrong.end());
  }
  return all;
}

std::uint64_t Load::acknowledged_count() const {
  std::uint64_t sum = 0;
  for (const Ledger& ledger : ledgers_) sum += ledger.acknowledged_count();
  return sum;
}

}  // namespace minod::live
