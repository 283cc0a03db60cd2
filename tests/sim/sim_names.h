// The names of a SimDisk: files and directories, now and after a power loss. Operations on a directory that was not
// synced survive a power loss up to some point of its own, in their order; an operation on two directories survives in
// both or in neither, and then with everything before it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "log/disk.h"
#include "tests/sim/sim_inode.h"

namespace minod {

class SimNames {
 public:
  std::shared_ptr<SimInode> find(const std::string& path) const;
  bool is_directory(const std::string& path) const;
  std::vector<DirectoryEntry> list(const std::string& directory) const;
  bool is_empty(const std::string& directory) const { return list(directory).empty(); }
  static std::string parent_of(const std::string& path);

  // These have their effect at once and are durable later. Whether they make sense was asked before.
  void create(const std::string& path, std::shared_ptr<SimInode> inode);
  void make_directory(const std::string& path);
  void rename(const std::string& from, const std::string& to);
  void link(const std::string& from, const std::string& to);
  void remove(const std::string& path);
  // Everything below goes along. is_synced_below() must be true.
  void rename_directory(const std::string& from, const std::string& to);
  bool is_synced_below(const std::string& directory) const;

  void sync(const std::string& directory);

  // Names only; the inodes still named afterwards lose power one by one, in the order of this answer.
  std::vector<std::shared_ptr<SimInode>> lose_power(Survival survival, Random& random);

  std::int64_t links(const SimInode& inode) const;
  std::vector<std::shared_ptr<SimInode>> inodes() const;  // each once, in the order of the first name
  std::uint64_t hash(std::uint64_t seed) const;

  // With inodes of its own: `copies` says which stands for which.
  SimNames copy(std::map<const SimInode*, std::shared_ptr<SimInode>>& copies) const;

 private:
  struct Tree {
    std::map<std::string, std::shared_ptr<SimInode>> files;
    std::set<std::string> directories;
  };
  struct Operation {
    std::set<std::string> directories;  // whose entries it changes
    std::string removed;                // a path, or empty
    std::string added;                  // likewise
    std::shared_ptr<SimInode> inode;    // of `added`; a directory when null
    bool moves_directory = false;       // `removed` becomes `added`, with all that is below
  };

  static void apply(Tree& tree, const Operation& operation);
  static void move_directory(Tree& tree, const std::string& from, const std::string& to);
  void perform(Operation operation);
  void persist(std::map<std::string, std::size_t> kept);
  void drop_unreachable();

  Tree current_;
  Tree durable_;
  std::vector<Operation> pending_;  // oldest first
};

}  // namespace minod
