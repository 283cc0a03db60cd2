#include "tests/sim/sim_names.h"

#include <xxhash.h>

#include <algorithm>

namespace minod {

std::string SimNames::parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return "";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::shared_ptr<SimInode> SimNames::find(const std::string& path) const {
  const auto found = current_.files.find(path);
  return found == current_.files.end() ? nullptr : found->second;
}

bool SimNames::is_directory(const std::string& path) const {
  return path.empty() || path == "." || path == "/" || current_.directories.contains(path);
}

std::vector<DirectoryEntry> SimNames::list(const std::string& directory) const {
  std::vector<DirectoryEntry> entries;
  const auto name_of_entry = [](const std::string& path) { return path.substr(path.rfind('/') + 1); };
  for (const auto& [path, inode] : current_.files) {
    if (parent_of(path) == directory) entries.push_back({name_of_entry(path), false});
  }
  for (const std::string& path : current_.directories) {
    if (parent_of(path) == directory) entries.push_back({name_of_entry(path), true});
  }
  std::sort(entries.begin(), entries.end(),
            [](const DirectoryEntry& a, const DirectoryEntry& b) { return a.name < b.name; });
  return entries;
}

void SimNames::move_directory(Tree& tree, const std::string& from, const std::string& to) {
  const auto is_below = [&](const std::string& path) { return path.starts_with(from + "/"); };
  for (auto at = tree.files.begin(); at != tree.files.end();) {
    const auto file = at++;
    if (!is_below(file->first)) continue;
    tree.files[to + file->first.substr(from.size())] = file->second;
    tree.files.erase(file);
  }
  std::set<std::string> directories;
  for (const std::string& path : tree.directories) {
    directories.insert(path == from || is_below(path) ? to + path.substr(from.size()) : path);
  }
  tree.directories = std::move(directories);
}

void SimNames::apply(Tree& tree, const Operation& operation) {
  if (operation.moves_directory) {
    move_directory(tree, operation.removed, operation.added);
    return;
  }
  if (!operation.removed.empty()) {
    tree.files.erase(operation.removed);
    tree.directories.erase(operation.removed);
  }
  if (operation.added.empty()) return;
  if (operation.inode == nullptr) {
    tree.directories.insert(operation.added);
  } else {
    tree.files[operation.added] = operation.inode;
  }
}

void SimNames::perform(Operation operation) {
  apply(current_, operation);
  pending_.push_back(std::move(operation));
}

void SimNames::create(const std::string& path, std::shared_ptr<SimInode> inode) {
  perform({{parent_of(path)}, "", path, std::move(inode)});
}

void SimNames::make_directory(const std::string& path) { perform({{parent_of(path)}, "", path, nullptr}); }

void SimNames::rename(const std::string& from, const std::string& to) {
  perform({{parent_of(from), parent_of(to)}, from, to, find(from)});
}

void SimNames::link(const std::string& from, const std::string& to) { perform({{parent_of(to)}, "", to, find(from)}); }

void SimNames::remove(const std::string& path) { perform({{parent_of(path)}, path, "", nullptr}); }

void SimNames::rename_directory(const std::string& from, const std::string& to) {
  perform({{parent_of(from), parent_of(to)}, from, to, nullptr, true});
}

bool SimNames::is_synced_below(const std::string& directory) const {
  return std::none_of(pending_.begin(), pending_.end(), [&](const Operation& operation) {
    return std::any_of(operation.directories.begin(), operation.directories.end(), [&](const std::string& changed) {
      return changed == directory || changed.starts_with(directory + "/");
    });
  });
}

// Makes the first kept[d] pending operations durable as far as they concern directory d, with what they entail.
void SimNames::persist(std::map<std::string, std::size_t> kept) {
  std::vector<bool> durable(pending_.size());
  // From the last to the first: an operation that stays raises the limit of its other directory for earlier ones.
  for (std::size_t i = pending_.size(); i-- > 0;) {
    const auto& directories = pending_[i].directories;
    durable[i] = std::any_of(directories.begin(), directories.end(), [&](const auto& d) { return i < kept[d]; });
    if (!durable[i]) continue;
    for (const std::string& directory : directories) kept[directory] = std::max(kept[directory], i + 1);
  }
  std::vector<Operation> rest;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    if (durable[i]) {
      apply(durable_, pending_[i]);
    } else {
      rest.push_back(std::move(pending_[i]));
    }
  }
  pending_ = std::move(rest);
}

void SimNames::sync(const std::string& directory) { persist({{directory, pending_.size()}}); }

std::vector<std::shared_ptr<SimInode>> SimNames::lose_power(Survival survival, Random& random) {
  std::map<std::string, std::size_t> kept;
  for (const Operation& operation : pending_) {
    for (const std::string& directory : operation.directories) kept[directory] = 0;
  }
  for (auto& [directory, count] : kept) {
    if (survival == Survival::kAll) count = pending_.size();
    if (survival == Survival::kSome) count = static_cast<std::size_t>(random.below(pending_.size() + 1));
  }
  persist(std::move(kept));
  pending_.clear();
  current_ = durable_;
  drop_unreachable();
  durable_ = current_;
  return inodes();
}

// A directory whose own entry was lost takes everything below it along.
void SimNames::drop_unreachable() {
  bool dropped = true;
  while (dropped) {
    dropped =
        std::erase_if(current_.directories, [this](const auto& path) { return !is_directory(parent_of(path)); }) != 0;
  }
  std::erase_if(current_.files, [this](const auto& entry) { return !is_directory(parent_of(entry.first)); });
}

std::int64_t SimNames::links(const SimInode& inode) const {
  return std::ranges::count_if(current_.files, [&](const auto& entry) { return entry.second.get() == &inode; });
}

std::vector<std::shared_ptr<SimInode>> SimNames::inodes() const {
  std::vector<std::shared_ptr<SimInode>> all;
  std::set<const SimInode*> seen;
  for (const auto& [path, inode] : current_.files) {
    if (seen.insert(inode.get()).second) all.push_back(inode);
  }
  return all;
}

SimNames SimNames::copy(std::map<const SimInode*, std::shared_ptr<SimInode>>& copies) const {
  SimNames names = *this;
  const auto replace = [&copies](std::shared_ptr<SimInode>& inode) {
    if (inode == nullptr) return;
    std::shared_ptr<SimInode>& own = copies[inode.get()];
    if (own == nullptr) own = std::make_shared<SimInode>(*inode);
    inode = own;
  };
  for (Tree* const tree : {&names.current_, &names.durable_}) {
    for (auto& [path, inode] : tree->files) replace(inode);
  }
  for (Operation& operation : names.pending_) replace(operation.inode);
  return names;
}

std::uint64_t SimNames::hash(std::uint64_t seed) const {
  const auto add = [&seed](const std::string& text) { seed = XXH3_64bits_withSeed(text.data(), text.size(), seed); };
  for (const Tree* tree : {&current_, &durable_}) {
    for (const auto& [path, inode] : tree->files) {
      add(path);
      seed = inode->hash(seed);
    }
    for (const std::string& path : tree->directories) add(path);
  }
  for (const Operation& operation : pending_) {
    add(operation.removed);
    add(operation.added);
  }
  return seed;
}

}  // namespace minod
