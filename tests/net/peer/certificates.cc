#include "tests/net/peer/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "base/check.h"

namespace minod::test {

namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Key make_key() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  check(extension != nullptr, "a test's certificate has good extensions");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Signed by `issuer`, or by itself.
Certificate make(EVP_PKEY* key, const std::string& name, const std::string& alternative, X509* issuer,
                 EVP_PKEY* issuer_key) {
  static long serial = 1;
  Certificate made(X509_new(), X509_free);
  X509* const certificate = made.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 24 * 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer != nullptr ? issuer : certificate));
  if (issuer == nullptr) {
    extend(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  } else {
    extend(certificate, issuer, NID_subject_alt_name, alternative);
    extend(certificate, issuer, NID_ext_key_usage, "serverAuth,clientAuth");
  }
  check(X509_sign(certificate, issuer_key, EVP_sha256()) != 0, "a test's certificate is signed");
  return made;
}

template <class Write>
void to_file(const std::string& path, Write&& write) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "we"), std::fclose);
  check(file != nullptr && write(file.get()) == 1, "a test can write its certificates");
}

}  // namespace

Certificates::Certificates(std::initializer_list<std::pair<std::string, std::string>> wanted) {
  std::string pattern = (std::filesystem::temp_directory_path() / "minod-certificates-XXXXXX").string();
  check(mkdtemp(pattern.data()) != nullptr, "a test has a directory for its certificates");
  directory_ = pattern;
  const Key authority_key = make_key();
  const Certificate authority = make(authority_key.get(), "minod test nodes", "", nullptr, authority_key.get());
  to_file(file("ca.pem"), [&](std::FILE* to) { return PEM_write_X509(to, authority.get()); });
  for (const auto& [name, alternative] : wanted) {
    const Key key = make_key();
    const Certificate certificate = make(key.get(), name, alternative, authority.get(), authority_key.get());
    to_file(file(name + ".pem"), [&](std::FILE* to) { return PEM_write_X509(to, certificate.get()); });
    to_file(file(name + ".key"),
            [&](std::FILE* to) { return PEM_write_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  }
}

Certificates::~Certificates() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace minod::test
