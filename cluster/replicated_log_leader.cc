// A leader's answers get their records: out of RAM when the follower is near, from the disk when it is not.
#include <algorithm>
#include <utility>

#include "base/diag.h"
#include "cluster/replicated_log.h"

namespace minod {

void ReplicatedLog::ship(MemberId to) {
  const auto found = shipping_.find(to);
  if (found == shipping_.end() || found->second.reading || is_away()) return;
  const Answer& answer = found->second.answer;
  if (!replica_.leads() || answer.leadership != replica_.leadership()) {
    shipping_.erase(found);
    return;
  }
  if (host_.transport.backlog(to) >= host_.options.backlog_max) return;
  ShipRing* const recent = log().recent();
  if (const auto run = recent ? recent->from(answer.begin, host_.options.answer_bytes_max) : std::nullopt) {
    return ship_run(to, BatchRun{run->bytes, answer.begin, run->next});
  }
  if (answer.begin >= log().marks().written()) return;  // poll() asks again
  found->second.reading = true;
  read_batches(
      partition_, answer.begin, host_.options.answer_bytes_max,
      [this, alive = std::weak_ptr(alive_), to, life = life_](const Result<BatchRun>& run) {
        if (alive.expired()) return;
        const auto at = shipping_.find(to);
        if (at == shipping_.end()) return;
        at->second.reading = false;
        if (life != life_) return;
        if (!run && run.error().code != Errc::kNotFound) {
          diag::warning(partition_.name() + ": what a follower fetches can't be read: " + run.error().message());
        }
        if (!run) {
          shipping_.erase(at);  // it fetches again
        } else if (run->base == at->second.answer.begin) {
          ship_run(to, *run);
        }
      });
}

void ReplicatedLog::ship_run(MemberId to, const BatchRun& run) {
  const auto found = shipping_.find(to);
  Answer answer = std::move(found->second.answer);
  shipping_.erase(found);
  if (!replica_.leads() || answer.leadership != replica_.leadership()) return;
  answer.next = run.next;
  answer.epochs = replica_.state().stored.epochs.between(answer.begin, answer.next);
  answer.committed = replica_.committed();
  const Offset begin = answer.begin;
  host_.transport.send(to, name_, Message(std::move(answer)), run.bytes);
  replica_.shipped(to, begin, run.next);
}

void ReplicatedLog::ship_those_that_wait() {
  std::vector<MemberId> waiting;
  for (const auto& [member, shipping] : shipping_) {
    if (!shipping.reading) waiting.push_back(member);
  }
  for (const MemberId member : waiting) ship(member);
}

}  // namespace minod
