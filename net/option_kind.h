// The kinds of options: each turns a field of Config into a row of the option table, with its get, set and errors.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "net/config.h"

namespace minod::option {

// An option's name as a template argument: its setter is a plain function, and errors carry the name.
template <std::size_t N>
struct Name {
  char text[N];
  consteval Name(const char (&literal)[N]) { std::copy_n(literal, N, text); }  // NOLINT(google-explicit-constructor)
  constexpr std::string_view view() const { return {text, N - 1}; }
};

// What Redis compares without regard to case: names of options and words among their values.
bool same_name(std::string_view a, std::string_view b);

// "NAME must be ACCEPTED, not 'VALUE'".
Error refused(std::string_view name, const std::string& accepted, std::string_view value);

Result<std::int64_t> parse_number(std::string_view name, std::string_view value, std::int64_t low, std::int64_t high);
Result<std::uint64_t> parse_size_between(std::string_view name, std::string_view value, std::uint64_t low,
                                         std::uint64_t high);

template <Name name, auto field, std::int64_t low, std::int64_t high>
constexpr Option number(std::string_view value_name, std::string_view help, bool at_run_time) {
  return {name.view(),
          value_name,
          help,
          at_run_time,
          [](const Config& config) { return std::to_string(config.*field); },
          [](Config& config, std::string_view value) -> Result<void> {
            const auto number = parse_number(name.view(), value, low, high);
            if (!number) return number.error();
            config.*field = static_cast<std::remove_reference_t<decltype(config.*field)>>(*number);
            return {};
          }};
}

template <Name name, auto field, std::uint64_t low, std::uint64_t high>
constexpr Option size(std::string_view help, bool at_run_time) {
  return {name.view(),
          "BYTES",
          help,
          at_run_time,
          [](const Config& config) { return std::to_string(config.*field); },
          [](Config& config, std::string_view value) -> Result<void> {
            const auto size = parse_size_between(name.view(), value, low, high);
            if (!size) return size.error();
            config.*field = static_cast<std::remove_reference_t<decltype(config.*field)>>(*size);
            return {};
          }};
}

template <class T, std::size_t N>
using Choices = std::array<std::pair<std::string_view, T>, N>;

// One of several words. `choices` is an array of {word, value}, in the order in which people are told them.
template <Name name, auto field, const auto& choices>
constexpr Option choice(std::string_view value_name, std::string_view help, bool at_run_time) {
  return {name.view(),
          value_name,
          help,
          at_run_time,
          [](const Config& config) {
            const auto* found =
                std::ranges::find_if(choices, [&](const auto& one) { return one.second == config.*field; });
            return std::string(found->first);
          },
          [](Config& config, std::string_view value) -> Result<void> {
            std::string accepted;
            for (const auto& [word, meaning] : choices) {
              if (same_name(word, value)) {
                config.*field = meaning;
                return {};
              }
              if (!accepted.empty()) accepted += word == choices.back().first ? " or " : ", ";
              accepted += word;
            }
            return refused(name.view(), accepted, value);
          }};
}

inline constexpr Choices<bool, 2> kYesNo{{{"yes", true}, {"no", false}}};

template <Name name, auto field>
constexpr Option flag(std::string_view help, bool at_run_time) {
  return choice<name, field, kYesNo>("yes|no", help, at_run_time);
}

// Text of `low` to `high` bytes. A zero byte would end a path or a password early.
template <Name name, auto field, std::size_t low, std::size_t high>
constexpr Option text(std::string_view value_name, std::string_view help, bool at_run_time) {
  return {name.view(),
          value_name,
          help,
          at_run_time,
          [](const Config& config) { return config.*field; },
          [](Config& config, std::string_view value) -> Result<void> {
            if (value.size() < low) return Error{Errc::kInvalid, 0, std::string(name.view()) + " must not be empty"};
            if (value.size() > high || value.find('\0') != std::string_view::npos) {
              const std::string limit = "at most " + std::to_string(high) + " bytes without zero bytes";
              return Error{Errc::kInvalid, 0, std::string(name.view()) + " must be " + limit};
            }
            config.*field = std::string(value);
            return {};
          }};
}

}  // namespace minod::option
