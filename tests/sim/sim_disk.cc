#include "tests/sim/sim_disk.h"

#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "tests/sim/sim_open_file.h"

namespace minod {

namespace {

// The numbers of the two steps that are not transfers.
constexpr std::uint64_t kRunJob = 0;
constexpr std::uint64_t kDeliverJob = 1;
constexpr std::uint64_t kFirstTransfer = 2;

Error stopped(const std::string& path) { return Error{Errc::kStopped, 0, path + ": the simulated machine is down"}; }

void check_unchanged(Bytes bytes, std::uint64_t hash) {
  check(XXH3_64bits(bytes.data(), bytes.size()) == hash, "a buffer does not change while it is written");
}

}  // namespace

SimDisk::SimDisk(Options options) : options_(options), random_(options.seed), next_number_(kFirstTransfer) {
  check(options_.delay_max > 0, "an operation completes in a later poll");
}

// The owner's buffers may be gone already, so they are not looked at.
SimDisk::~SimDisk() {
  for (auto& [number, transfer] : transfers_) transfer.handle->in_flight = 0;
}

// ---- names

Result<std::unique_ptr<File>> SimDisk::open(const std::string& path, OpenMode mode) {
  if (auto admitted = admit(SimOperation::kOpen, path); !admitted) return admitted.error();
  std::shared_ptr<SimInode> inode = names_.find(path);
  const bool creates = mode == OpenMode::kCreate;
  if (names_.is_directory(path)) return errno_error("open " + path, EISDIR);
  if (inode == nullptr && (!creates || !names_.is_directory(SimNames::parent_of(path)))) {
    return errno_error("open " + path, ENOENT);
  }
  if (inode == nullptr) {
    inode = std::make_shared<SimInode>();
    names_.create(path, inode);
  } else if (creates) {
    inode->truncate(0);
  }
  if (creates) {
    if (auto reached = mutated(path); !reached) return reached.error();
  }
  auto handle = std::make_shared<Handle>(Handle{inode, path, mode != OpenMode::kRead, lives_, 0});
  return std::unique_ptr<File>(new OpenFile(*this, std::move(handle)));
}

Result<std::vector<DirectoryEntry>> SimDisk::list(const std::string& directory) {
  if (crashed_) return stopped(directory);
  if (!names_.is_directory(directory)) return errno_error("list " + directory, ENOENT);
  return names_.list(directory);
}

Result<void> SimDisk::make_directory(const std::string& path) {
  if (auto admitted = admit(SimOperation::kMakeDirectory, path); !admitted) return admitted;
  if (names_.is_directory(path)) return {};
  if (names_.find(path) != nullptr) return errno_error("make directory " + path, EEXIST);
  if (!names_.is_directory(SimNames::parent_of(path))) return errno_error("make directory " + path, ENOENT);
  names_.make_directory(path);
  return mutated(path);
}

Result<void> SimDisk::rename(const std::string& from, const std::string& to) {
  if (auto admitted = admit(SimOperation::kRename, from); !admitted) return admitted;
  if (names_.is_directory(from)) {
    if (names_.find(to) != nullptr || names_.is_directory(to))
      return errno_error("rename " + from + " to " + to, EEXIST);
    if (!names_.is_synced_below(from)) {
      return Error{Errc::kUnsupported, 0, "rename " + from + ": only of a directory that is synced, with all below it"};
    }
    names_.rename_directory(from, to);
    return mutated(from);
  }
  const auto inode = names_.find(from);
  if (inode == nullptr || !names_.is_directory(SimNames::parent_of(to))) {
    return errno_error("rename " + from + " to " + to, ENOENT);
  }
  if (names_.is_directory(to)) return errno_error("rename " + from + " to " + to, EISDIR);
  // Two names of one file: POSIX changes nothing.
  if (names_.find(to) != inode) names_.rename(from, to);
  return mutated(from);
}

Result<void> SimDisk::link(const std::string& from, const std::string& to) {
  if (auto admitted = admit(SimOperation::kLink, from); !admitted) return admitted;
  if (names_.find(from) == nullptr || !names_.is_directory(SimNames::parent_of(to))) {
    return errno_error("link " + from + " to " + to, ENOENT);
  }
  if (names_.find(to) != nullptr || names_.is_directory(to)) {
    return errno_error("link " + from + " to " + to, EEXIST);
  }
  names_.link(from, to);
  return mutated(from);
}

Result<void> SimDisk::remove(const std::string& path) {
  if (auto admitted = admit(SimOperation::kRemove, path); !admitted) return admitted;
  if (names_.find(path) == nullptr && !names_.is_directory(path)) return errno_error("remove " + path, ENOENT);
  if (names_.is_directory(path) && !names_.is_empty(path)) return errno_error("remove " + path, ENOTEMPTY);
  names_.remove(path);
  return mutated(path);
}

Result<void> SimDisk::sync_directory(const std::string& path) {
  if (auto admitted = admit(SimOperation::kSyncDirectory, path); !admitted) return admitted;
  if (!names_.is_directory(path)) return errno_error("sync directory " + path, ENOENT);
  if (auto reached = mutated(path); !reached) return reached;
  names_.sync(path);
  return {};
}

Result<std::uint64_t> SimDisk::free_bytes(const std::string& path) {
  if (crashed_) return stopped(path);
  std::uint64_t used = 0;
  for (const auto& inode : names_.inodes()) used += static_cast<std::uint64_t>(inode->size());
  return used < options_.capacity ? options_.capacity - used : 0;
}

// ---- faults and crash points

void SimDisk::fail(SimOperation kind, std::uint64_t k, int sys) { faults_[{kind, counts_[kind] + k}] = sys; }

int SimDisk::fault_of(SimOperation kind) {
  const auto found = faults_.find({kind, ++counts_[kind]});
  return found == faults_.end() ? 0 : found->second;
}

Result<void> SimDisk::admit(SimOperation kind, const std::string& path) {
  if (crashed_) return stopped(path);
  if (const int fault = fault_of(kind); fault != 0) return errno_error(path, fault);
  return {};
}

Result<void> SimDisk::admit(SimOperation kind, const Handle& handle) {
  if (auto lives = alive(handle); !lives) return lives;
  return admit(kind, handle.path);
}

Result<void> SimDisk::alive(const Handle& handle) const {
  if (crashed_ || handle.life != lives_) return stopped(handle.path);
  return {};
}

// Counts a mutating operation; false when the power fails at it.
bool SimDisk::reach_operation() {
  if (crashed_) return false;
  if (on_operation) on_operation();
  if (++operations_ != crash_at_) return true;
  crashed_ = true;
  stop_process();
  return false;
}

Result<void> SimDisk::mutated(const std::string& path) {
  if (!reach_operation()) return stopped(path);
  return {};
}

bool SimDisk::fits(const SimInode& inode, std::int64_t end) const {
  std::uint64_t used = static_cast<std::uint64_t>(std::max<std::int64_t>(0, end - inode.size()));
  if (used == 0) return true;
  for (const auto& other : names_.inodes()) used += static_cast<std::uint64_t>(other->size());
  return used <= options_.capacity;
}

// ---- transfers

void SimDisk::check_no_overlap(const Transfer& write) const {
  constexpr auto kBlock = static_cast<std::int64_t>(kIoAlignment);
  const std::int64_t end = write.position + static_cast<std::int64_t>(write.bytes.size());
  for (const auto& [number, other] : transfers_) {
    if (other.kind != SimOperation::kWrite || other.handle->inode != write.handle->inode) continue;
    const std::int64_t other_end = other.position + static_cast<std::int64_t>(other.bytes.size());
    const bool apart = end <= other.position || other_end <= write.position / kBlock * kBlock;
    check(apart, "two writes in flight share no block");
  }
}

void SimDisk::start(Transfer transfer) {
  // The process that asks is gone; nobody waits for the answer.
  if (!alive(*transfer.handle)) return;
  if (transfer.kind == SimOperation::kWrite) check_no_overlap(transfer);
  transfer.fault = fault_of(transfer.kind);
  transfer.due = draw_due();
  const bool stalls = options_.stall_one_in != 0 && random_.one_in(options_.stall_one_in);
  if (stalls) transfer.due += random_.below(SimDiskOptions::kStallMax);
  ++transfer.handle->in_flight;
  transfers_.emplace(next_number_++, std::move(transfer));
}

void SimDisk::run_aside(std::function<void()> job, std::function<void()> done) {
  if (crashed_) return;
  jobs_.push_back({std::move(job), std::move(done), draw_due()});
}

std::size_t SimDisk::poll() {
  check(!polling_, "a callback does not poll the disk it is called by");
  if (crashed_) return 0;
  polling_ = true;
  ++polls_;
  delivered_ = 0;
  std::vector<std::uint64_t> due;
  if (!jobs_.empty() && jobs_.front().due <= polls_) due.push_back(kRunJob);
  if (!finished_jobs_.empty() && finished_jobs_.front().due <= polls_) due.push_back(kDeliverJob);
  for (const auto& [number, transfer] : transfers_) {
    if (transfer.due <= polls_) due.push_back(number);
  }
  for (std::size_t i = due.size(); i > 1; --i) std::swap(due[i - 1], due[random_.below(i)]);
  for (const std::uint64_t number : due) {
    if (!crashed_) step(number);
  }
  polling_ = false;
  return delivered_;
}

void SimDisk::step(std::uint64_t number) {
  if (number >= kFirstTransfer) return complete(number);
  if (number == kDeliverJob) {
    const Job job = std::move(finished_jobs_.front());
    finished_jobs_.pop_front();
    ++delivered_;
    return job.done();
  }
  Job job = std::move(jobs_.front());
  jobs_.pop_front();
  job.call();
  job.call = nullptr;
  if (crashed_) return;
  job.due = draw_due();
  finished_jobs_.push_back(std::move(job));
}

void SimDisk::complete(std::uint64_t number) {
  const auto found = transfers_.find(number);
  if (found->second.kind != SimOperation::kRead && !reach_operation()) return;
  Transfer transfer = std::move(found->second);
  transfers_.erase(found);
  if (transfer.kind == SimOperation::kWrite) check_unchanged(transfer.bytes, transfer.hash);
  Result<std::size_t> result = perform(transfer);
  --transfer.handle->in_flight;
  ++delivered_;
  transfer.done(std::move(result));
}

Result<std::size_t> SimDisk::perform(Transfer& transfer) {
  SimInode& inode = *transfer.handle->inode;
  if (transfer.kind == SimOperation::kWrite) return perform_write(transfer);
  if (transfer.kind == SimOperation::kSync) {
    if (transfer.fault == 0) {
      inode.make_durable(transfer.sync_up_to);
      return 0;
    }
    if (options_.failed_sync_drops) inode.drop_some_dirty(transfer.sync_up_to, random_);
    return errno_error("sync " + transfer.handle->path, transfer.fault);
  }
  if (transfer.fault != 0) return errno_error("read " + transfer.handle->path, transfer.fault);
  if (transfer.position >= inode.size()) return 0;
  const Bytes rest = inode.contents().subspan(static_cast<std::size_t>(transfer.position));
  const std::size_t count = std::min(rest.size(), transfer.into.size());
  if (count != 0) std::memcpy(transfer.into.data(), rest.data(), count);
  return count;
}

Result<std::size_t> SimDisk::perform_write(const Transfer& transfer) {
  SimInode& inode = *transfer.handle->inode;
  const std::string what = "write " + transfer.handle->path;
  const auto size = static_cast<std::int64_t>(transfer.bytes.size());
  if (!transfer.handle->writable) return errno_error(what, EBADF);
  if (!fits(inode, transfer.position + size)) return errno_error(what, ENOSPC);
  if (transfer.fault != 0) {
    for (std::int64_t at = 0; at < size; at += SimInode::kSectorSize) {
      const auto count = static_cast<std::size_t>(std::min(SimInode::kSectorSize, size - at));
      if (random_.one_in(2)) {
        inode.write(transfer.position + at, transfer.bytes.subspan(static_cast<std::size_t>(at), count));
      }
    }
    return errno_error(what, transfer.fault);
  }
  inode.write(transfer.position, transfer.bytes);
  if (transfer.durable) inode.make_span_durable(transfer.position, size);
  return transfer.bytes.size();
}

// ---- the end of a process, and of a machine

// From here on the owner may destroy its buffers and files: what was in flight is copied, and is in flight no more.
void SimDisk::stop_process() {
  for (auto& [number, transfer] : transfers_) {
    transfer.handle->in_flight = 0;
    if (transfer.kind != SimOperation::kWrite) continue;
    check_unchanged(transfer.bytes, transfer.hash);
    transfer.copy.assign(transfer.bytes.begin(), transfer.bytes.end());
    transfer.bytes = transfer.copy;
    transfer.done = nullptr;
    interrupted_.push_back(std::move(transfer));
  }
  transfers_.clear();
  jobs_.clear();
  finished_jobs_.clear();
}

void SimDisk::restart() {
  interrupted_.clear();
  faults_.clear();
  crash_at_ = 0;
  crashed_ = false;
  ++lives_;
}

void SimDisk::crash(Survival survival) {
  check(!polling_, "power is lost between polls; crash_at_operation() is for within");
  stop_process();
  for (const Transfer& transfer : interrupted_) {
    if (transfer.handle->writable) transfer.handle->inode->write(transfer.position, transfer.copy);
  }
  for (const auto& inode : names_.lose_power(survival, random_)) {
    inode->lose_power(survival, options_.tear_sectors, random_);
  }
  restart();
}

std::unique_ptr<SimDisk> SimDisk::after_power_loss(Survival survival, Options options) const {
  auto left = std::make_unique<SimDisk>(options);
  std::map<const SimInode*, std::shared_ptr<SimInode>> copies;
  left->names_ = names_.copy(copies);
  for (const auto& [number, transfer] : transfers_) {
    const auto inode = copies.find(transfer.handle->inode.get());  // not there: a file without a name
    if (transfer.kind != SimOperation::kWrite || !transfer.handle->writable || inode == copies.end()) continue;
    inode->second->write(transfer.position, transfer.bytes);
  }
  left->crash(survival);
  return left;
}

void SimDisk::kill() {
  check(!polling_, "a process is killed between polls");
  stop_process();
  for (const Transfer& transfer : interrupted_) {
    if (transfer.handle->writable && random_.one_in(2)) {
      transfer.handle->inode->write(transfer.position, transfer.copy);
    }
  }
  restart();
}

}  // namespace minod
