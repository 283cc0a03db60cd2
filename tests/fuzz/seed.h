// What a fuzzer starts from, when it is bytes that a test makes anyway: the test sees to it that the corpus has them as
// they are today. MINOD_REWRITE=1 writes them anew.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace minod {

// `file`: of tests/fuzz/corpus.
inline void expect_seed(const std::string& file, const std::string& contents) {
  const std::string path = std::string(MINOD_TEST_DATA) + "/../fuzz/corpus/" + file;
  if (std::getenv("MINOD_REWRITE") != nullptr) {
    std::ofstream(path, std::ios::binary) << contents;
    return;
  }
  std::ifstream in(path, std::ios::binary);
  const std::string found{std::istreambuf_iterator<char>(in), {}};
  EXPECT_TRUE(found == contents) << path << " is of another format; MINOD_REWRITE=1 makes it anew";
}

}  // namespace minod
