#include "tools/replay_plan.h"

namespace minod::replay {

namespace {

std::string number(Offset offset) { return std::to_string(offset.value()); }

void note_gaps(const PlannedPartition& partition, const Options& options, std::vector<std::string>& notes) {
  const LogSurvey& survey = partition.survey;
  const std::string& name = partition.directory.name;
  if (!survey.torn.empty()) notes.push_back(survey.torn);
  if (survey.log_begin > options.range.from) {
    notes.push_back(name + ": the log begins at offset " + number(survey.log_begin) + ", what was before is gone");
  }
  const LogRange whole;
  if (options.range.until != whole.until && survey.log_end < options.range.until &&
      options.until_time == kNeverExpires) {
    notes.push_back(name + ": the log ends at offset " + number(survey.log_end) + ", before --until-offset");
  }
}

}  // namespace

Result<Plan> make_plan(Disk& disk, const Options& options) {
  const auto partitions = list_partitions(disk, options.directory);
  if (!partitions) return partitions.error();
  Plan plan;
  for (const PartitionDirectory& directory : *partitions) {
    if (options.db && directory.db != *options.db) continue;
    PlannedPartition partition{directory, options.directory + "/" + directory.name, {}};
    auto survey = survey_log(disk, partition.path, options.range, options.until_time);
    if (!survey) return survey.error();
    partition.survey = std::move(*survey);
    note_gaps(partition, options, plan.notes);
    plan.partitions.push_back(std::move(partition));
  }
  if (plan.partitions.empty()) {
    return Error{Errc::kInvalid, 0,
                 options.directory + (options.db ? " has no database " + std::to_string(*options.db)
                                                 : std::string(" is no data directory: it has no dbN-P"))};
  }
  return plan;
}

}  // namespace minod::replay
