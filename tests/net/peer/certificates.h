// An authority and certificates of it, made by OpenSSL for one test, in a directory of its own.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace minod::test {

class Certificates {
 public:
  // Each: the name of its files (NAME.pem, NAME.key) and its subjectAltName ("IP:127.0.0.1,DNS:a.example"). ca.pem is
  // the authority's.
  Certificates(std::initializer_list<std::pair<std::string, std::string>> wanted);
  ~Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  std::string file(const std::string& name) const { return directory_ + "/" + name; }

 private:
  std::string directory_;
};

}  // namespace minod::test
