#include "lbnet/tls/context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <limits>

#include "lbcore/assert.h"
#include "lbnet/tls/names.h"

namespace lb::net::tls {
namespace {

constexpr std::array<const char*, 9> kSuites{
    "TLS_AES_128_GCM_SHA256",       "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",  "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",  "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
};
constexpr std::size_t kSuitesOf13 = 3;

// Read from the socket at once: two whole records, as much as a Buffer takes. A client that sends
// half of one holds this much of our memory.
constexpr std::size_t kReadAhead = 2 * (SSL3_RT_MAX_PLAIN_LENGTH + 256 + SSL3_RT_HEADER_LENGTH);

int number_of(TlsVersion version) {
  return version == TlsVersion::tls_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

// OpenSSL's list of those of one version; of all of them when none is named.
std::string names_of(std::span<const CipherSuite> suites, bool of_13) {
  std::string named;
  std::string all;
  for (std::size_t i = 0; i < kSuites.size(); ++i) {
    if ((i < kSuitesOf13) != of_13) continue;
    (all += all.empty() ? "" : ":") += kSuites[i];
    if (std::find(suites.begin(), suites.end(), static_cast<CipherSuite>(i)) == suites.end()) {
      continue;
    }
    (named += named.empty() ? "" : ":") += kSuites[i];
  }
  return named.empty() ? all : named;
}

using Bio = std::unique_ptr<BIO, int (*)(BIO*)>;
Bio reader_of(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free};
}

std::string text_of(const ASN1_TIME* time) {
  const Bio out{BIO_new(BIO_s_mem()), &BIO_free};
  ASN1_TIME_print(out.get(), time);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

// Nobody is there to ask for a passphrase.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

std::vector<Certificate> read_certificates(const File& file) {
  std::vector<Certificate> certificates;
  const Bio in = reader_of(file.text);
  bool asked = false;
  while (X509* one = PEM_read_bio_X509(in.get(), nullptr, &no_passphrase, &asked)) {
    certificates.emplace_back(one);
  }
  ERR_clear_error();  // The end of the file is one.
  return certificates;
}

bool check_dates(const X509* certificate, const File& file, const std::string& key,
                 Complaints& out) {
  const ASN1_TIME* begin = X509_get0_notBefore(certificate);
  const ASN1_TIME* end = X509_get0_notAfter(certificate);
  std::string message = file.name;
  if (X509_cmp_current_time(end) < 0) {
    message += " expired on ";
    message += text_of(end);
  } else if (X509_cmp_current_time(begin) > 0) {
    message += " is not valid before ";
    message += text_of(begin);
  } else {
    return true;
  }
  out.push_back({key, message + "; expected a certificate that is valid now"});
  return false;
}

}  // namespace

void ContextFree::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }
void CertificateFree::operator()(x509_st* certificate) const { X509_free(certificate); }
void KeyFree::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }
void StoreFree::operator()(x509_store_st* store) const { X509_STORE_free(store); }

Context make_context(Role role, TlsVersion min, TlsVersion max) {
  Context made(SSL_CTX_new(role == Role::server ? TLS_server_method() : TLS_client_method()));
  SSL_CTX* context = made.get();
  LB_ASSERT(context != nullptr);
  SSL_CTX_set_security_level(context, 2);  // 112 bits: no SHA-1, no RSA below 2048.
  SSL_CTX_set_min_proto_version(context, number_of(min));
  SSL_CTX_set_max_proto_version(context, number_of(max));
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, kReadAhead);
  const long groups = SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384");
  LB_ASSERT(groups == 1);
  allow_ciphers(context, {});
  return made;
}

void allow_ciphers(ssl_ctx_st* context, std::span<const CipherSuite> suites) {
  const int good = SSL_CTX_set_cipher_list(context, names_of(suites, false).c_str()) &
                   SSL_CTX_set_ciphersuites(context, names_of(suites, true).c_str());
  LB_ASSERT(good == 1);
}

std::int64_t ends_at(const Identity& identity) {
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  for (const Certificate& certificate : identity.chain) {
    tm time{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &time) != 1) continue;
    first = std::min(first, static_cast<std::int64_t>(timegm(&time)));
  }
  return first;
}

std::unique_ptr<Identity> load_identity(const File& certificate, const File& key,
                                        const std::string& at, Complaints& out) {
  auto identity = std::make_unique<Identity>();
  identity->chain = read_certificates(certificate);
  if (identity->chain.empty()) {
    out.push_back({at + "certificate",
                   "expected a certificate in PEM, \"-----BEGIN CERTIFICATE--"
                   "---\"; there is none in " +
                       certificate.name});
    return nullptr;
  }
  X509* own = identity->chain.front().get();
  if (!check_dates(own, certificate, at + "certificate", out)) return nullptr;
  const Bio in = reader_of(key.text);
  bool asked = false;
  identity->key.reset(PEM_read_bio_PrivateKey(in.get(), nullptr, &no_passphrase, &asked));
  ERR_clear_error();
  std::string message;
  if (asked) {
    message = key.name +
              " has a passphrase, and there is nobody to ask for it; expected a key "
              "without, such as `openssl pkey` writes";
  } else if (!identity->key) {
    message = "expected a private key in PEM, \"-----BEGIN PRIVATE KEY-----\"; there is none in " +
              key.name;
  } else if (X509_check_private_key(own, identity->key.get()) != 1) {
    message = key.name + " is not the key of the certificate in " + certificate.name;
  }
  ERR_clear_error();
  if (message.empty()) return identity;
  out.push_back({at + "key", std::move(message)});
  return nullptr;
}

bool use_identity(ssl_ctx_st* context, const Identity& identity, const std::string& at,
                  Complaints& out) {
  bool good = SSL_CTX_use_certificate(context, identity.chain.front().get()) == 1 &&
              SSL_CTX_use_PrivateKey(context, identity.key.get()) == 1;
  for (std::size_t i = 1; good && i < identity.chain.size(); ++i) {
    good = SSL_CTX_add1_chain_cert(context, identity.chain[i].get()) == 1;
  }
  if (!good) out.push_back({at + "certificate", "OpenSSL does not take it: " + last_error()});
  ERR_clear_error();
  return good;
}

Store load_authorities(const File& file, const std::string& key, Complaints& out) {
  Store store(X509_STORE_new());
  const std::vector<Certificate> certificates = read_certificates(file);
  for (const Certificate& certificate : certificates) {
    X509_STORE_add_cert(store.get(), certificate.get());
  }
  ERR_clear_error();
  if (!certificates.empty()) return store;
  out.push_back({key,
                 "expected certificates in PEM, \"-----BEGIN CERTIFICATE-----\"; there is "
                 "none in " +
                     file.name});
  return nullptr;
}

std::string digest(std::span<const std::string_view> texts) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> hash(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr);
  for (const std::string_view text : texts) {
    const std::uint64_t length = text.size();  // Or "ab" and "c" would be "a" and "bc".
    EVP_DigestUpdate(hash.get(), &length, sizeof(length));
    EVP_DigestUpdate(hash.get(), text.data(), text.size());
  }
  EVP_DigestFinal_ex(hash.get(), bytes.data(), &size);
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

}  // namespace lb::net::tls
