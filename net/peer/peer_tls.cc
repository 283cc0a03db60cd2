#include "net/peer/peer_tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>

#include "base/check.h"

namespace minod {

namespace {

Error tls_error(const std::string& what) {
  char text[256] = "no reason is known";
  if (const unsigned long code = ERR_get_error()) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return Error{Errc::kInvalid, 0, what + ": " + text};
}

}  // namespace

void SslDeleter::operator()(ssl_st* ssl) const { SSL_free(ssl); }
void SslDeleter::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

Result<std::unique_ptr<PeerTls>> PeerTls::load(const PeerTlsOptions& options) {
  ERR_clear_error();
  std::unique_ptr<PeerTls> tls(new PeerTls());
  tls->check_name_ = options.check_name;
  tls->context_.reset(SSL_CTX_new(TLS_method()));
  SSL_CTX* const context = tls->context_.get();
  check(context != nullptr, "OpenSSL has memory at the start");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) != 1) {
    return tls_error("peer-tls-cert-file " + options.certificate_file + " can't be used");
  }
  if (SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return tls_error("peer-tls-key-file " + options.key_file + " can't be used");
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    return tls_error("peer-tls-key-file " + options.key_file + " is not the key of " + options.certificate_file);
  }
  if (SSL_CTX_load_verify_locations(context, options.authority_file.c_str(), nullptr) != 1) {
    return tls_error("peer-tls-ca-cert-file " + options.authority_file + " can't be used");
  }
  return tls;
}

Ssl PeerTls::make(int socket) const {
  Ssl ssl(SSL_new(context_.get()));
  check(ssl != nullptr && SSL_set_fd(ssl.get(), socket) == 1, "OpenSSL has memory for a connection");
  return ssl;
}

Ssl PeerTls::accepted(int socket) const {
  Ssl ssl = make(socket);
  SSL_set_accept_state(ssl.get());
  return ssl;
}

Ssl PeerTls::called(int socket, const std::string& host) const {
  Ssl ssl = make(socket);
  SSL_set_connect_state(ssl.get());
  if (!check_name_) return ssl;
  X509_VERIFY_PARAM* const wanted = SSL_get0_param(ssl.get());
  if (X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) != 1) {
    ERR_clear_error();
    SSL_set_tlsext_host_name(ssl.get(), host.c_str());
    check(SSL_set1_host(ssl.get(), host.c_str()) == 1, "OpenSSL has memory for a name");
  }
  return ssl;
}

}  // namespace minod
