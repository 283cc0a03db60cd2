// Mutual TLS between members, by OpenSSL: each end shows a certificate of the nodes' own authority, or there is no
// connection. TLS 1.2 at least.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

extern "C" {
struct ssl_st;
struct ssl_ctx_st;
}

namespace minod {

struct SslDeleter {
  void operator()(ssl_st* ssl) const;
  void operator()(ssl_ctx_st* context) const;
};
using Ssl = std::unique_ptr<ssl_st, SslDeleter>;

struct PeerTlsOptions {
  std::string certificate_file;  // PEM, this node's and those up to the authority's
  std::string key_file;
  std::string authority_file;  // PEM, whose certificates are accepted
  bool check_name = true;      // what is called must have the called host in its certificate
};

// Shared by all shards; any thread.
class PeerTls {
 public:
  // Reads the files. The error names the one that is wrong.
  static Result<std::unique_ptr<PeerTls>> load(const PeerTlsOptions& options);

  // For the two ends of a connected socket, which stays the caller's.
  Ssl accepted(int socket) const;
  Ssl called(int socket, const std::string& host) const;

 private:
  PeerTls() = default;
  Ssl make(int socket) const;

  std::unique_ptr<ssl_ctx_st, SslDeleter> context_;
  bool check_name_ = true;
};

}  // namespace minod
