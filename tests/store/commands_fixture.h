// The fixture of the command tests, and the replies that they expect. Every test runs twice: with values in RAM, and
// with values only on disk before each command, so that reads park and the command runs again. Expected replies are
// those of Redis 7.0.15, byte for byte.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "tests/store/store_fixture.h"

namespace minod {

inline const std::string kOk = "+OK\r\n";
inline const std::string kNull = "$-1\r\n";
inline const std::string kSyntax = "-ERR syntax error\r\n";
inline const std::string kNotInteger = "-ERR value is not an integer or out of range\r\n";
inline const std::string kNotReal = "-ERR value is not a valid float\r\n";
inline const std::string kTooLong = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n";
inline const std::string kSameObject = "-ERR source and destination objects are the same\r\n";

inline std::string bulk(std::string_view bytes) {
  return "$" + std::to_string(bytes.size()) + "\r\n" + std::string(bytes) + "\r\n";
}
inline std::string integer(std::int64_t value) { return ":" + std::to_string(value) + "\r\n"; }
inline std::string array(std::initializer_list<std::string> items) {
  std::string text = "*" + std::to_string(items.size()) + "\r\n";
  for (const std::string& item : items) text += item;
  return text;
}
inline std::string bad_time(std::string_view command) {
  return "-ERR invalid expire time in '" + std::string(command) + "' command\r\n";
}

class CommandsTest : public StoreFixture, public ::testing::WithParamInterface<bool> {
 protected:
  std::string run(std::initializer_list<std::string_view> args) {
    if (GetParam()) evict_all();
    return StoreFixture::run(args);
  }
};

}  // namespace minod
