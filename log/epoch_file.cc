#include "log/epoch_file.h"

#include <sstream>

namespace minod {

namespace {

constexpr const char* kName = "leader-epoch-checkpoint";
constexpr std::size_t kSizeMax = std::size_t{16} << 20;

}  // namespace

Result<std::vector<EpochStart>> read_epochs(Disk& disk, const std::string& directory) {
  const auto text = read_file(disk, directory + "/" + kName, kSizeMax);
  if (!text) {
    if (text.error().code == Errc::kNotFound) return std::vector<EpochStart>();
    return text.error();
  }
  std::istringstream lines(*text);
  int version = -1;
  std::size_t count = 0;
  if (!(lines >> version >> count)) version = -1;  // a failed read leaves zeros, which would be a valid empty file
  std::vector<EpochStart> epochs;
  for (std::int32_t epoch = 0; epochs.size() < count;) {
    std::int64_t start = 0;
    if (!(lines >> epoch >> start)) break;
    epochs.push_back(EpochStart{Epoch{epoch}, Offset(start)});
  }
  if (version != 0 || epochs.size() != count) {
    return Error{Errc::kCorrupt, 0, directory + "/" + kName + " is damaged; without it the log's own epochs are used"};
  }
  return epochs;
}

Result<void> write_epochs(Disk& disk, const std::string& directory, const std::vector<EpochStart>& epochs) {
  std::ostringstream text;
  text << "0\n" << epochs.size() << "\n";
  for (const EpochStart& epoch : epochs) text << epoch.epoch.value << " " << epoch.start.value() << "\n";
  return replace_file(disk, directory, kName, as_bytes(text.str()));
}

}  // namespace minod
