// Which crash points a test looks at, and what a power loss leaves there.
//
//   MINOD_CRASH_POINTS   how many of each history, chosen by hash: a share by default, 0 all of them
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>

#include "tests/sim/sim_disk.h"

namespace minod {

enum class Loss : std::uint8_t { kNothingSurvives, kAllSurvives, kSomeSurvives, kTorn };
inline constexpr std::uint64_t kLosses = 4;
inline constexpr const char* kLossNames[kLosses] = {"nothing unsynced survives", "all of it survives",
                                                    "some of it survives", "some of it, torn within sectors"};

inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Whether a test that is to look at about `wanted` of `all` points looks at this one.
inline bool is_chosen(std::uint64_t number, std::uint64_t wanted, std::uint64_t all) {
  return wanted == 0 || Random(number).below(all) < wanted;
}

inline std::unique_ptr<SimDisk> after(const SimDisk& disk, Loss loss, std::uint64_t seed) {
  SimDiskOptions options;
  options.seed = seed;
  options.tear_sectors = loss == Loss::kTorn;
  Survival survival = Survival::kSome;
  if (loss == Loss::kNothingSurvives) survival = Survival::kNothing;
  if (loss == Loss::kAllSurvives) survival = Survival::kAll;
  return disk.after_power_loss(survival, options);
}

}  // namespace minod
