#include "base/diag.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <memory>

namespace minod::diag {

namespace {

constexpr std::array<std::string_view, 4> kNames{"debug", "verbose", "notice", "warning"};

// spdlog has no "verbose" and "notice"; the four levels are its first four above trace, in the same order.
constexpr spdlog::level::level_enum to_spdlog(Level level) {
  constexpr std::array kLevels{spdlog::level::trace, spdlog::level::debug, spdlog::level::info, spdlog::level::warn};
  return kLevels[static_cast<std::size_t>(level)];
}

std::string json_escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      escaped += '\\';
      escaped += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      escaped += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      escaped += c;
    }
  }
  return escaped;
}

struct Output {
  std::shared_ptr<spdlog::logger> logger =
      std::make_shared<spdlog::logger>("minod", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  Format format = Format::kText;

  Output() { apply(Level::kNotice, Format::kText); }

  void apply(Level level, Format wanted) {
    format = wanted;
    logger->set_level(to_spdlog(level));
    logger->flush_on(spdlog::level::trace);
    // The words around the message; %v is the message itself, already escaped where it must be.
    logger->set_pattern(
        format == Format::kJson ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","pid":%P,%v})" : "%P %Y-%m-%dT%H:%M:%S.%eZ %v",
        spdlog::pattern_time_type::utc);
  }
};

Output& output() {
  static Output instance;
  return instance;
}

void say(Level level, std::string_view message) {
  Output& out = output();
  if (!out.logger->should_log(to_spdlog(level))) return;
  const std::string_view name = kNames[static_cast<std::size_t>(level)];
  if (out.format == Format::kJson) {
    out.logger->log(to_spdlog(level), R"("level":"{}","message":"{}")", name, json_escaped(message));
  } else {
    out.logger->log(to_spdlog(level), "{} {}", name, message);
  }
}

}  // namespace

bool parse_level(std::string_view name, Level& level) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (name != kNames[i]) continue;
    level = static_cast<Level>(i);
    return true;
  }
  return false;
}

void configure(Level level, Format format) { output().apply(level, format); }
void set_level(Level level) { output().logger->set_level(to_spdlog(level)); }
bool enabled(Level level) { return output().logger->should_log(to_spdlog(level)); }

void debug(std::string_view message) { say(Level::kDebug, message); }
void verbose(std::string_view message) { say(Level::kVerbose, message); }
void notice(std::string_view message) { say(Level::kNotice, message); }
void warning(std::string_view message) { say(Level::kWarning, message); }

}  // namespace minod::diag
