// What minod tells its operator: one line an event, as text or as JSON. Called diag because "log" is the log.
// Any thread may call it; spdlog stands behind it, in one translation unit.
#pragma once

#include <string>
#include <string_view>

namespace minod::diag {

enum class Level { kDebug, kVerbose, kNotice, kWarning };
enum class Format { kText, kJson };

// Redis's names: debug, verbose, notice, warning. False when `name` is none of them.
bool parse_level(std::string_view name, Level& level);

// Until this is called, notices and warnings go to stderr as text.
void configure(Level level, Format format);
void set_level(Level level);
bool enabled(Level level);

void debug(std::string_view message);
void verbose(std::string_view message);
void notice(std::string_view message);
void warning(std::string_view message);

}  // namespace minod::diag
