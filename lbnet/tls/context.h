// What a listener's and a cluster's TLS have in common: OpenSSL's context, set up by our rules
// (RFC 9325), and PEM files taken apart.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lbcore/tls_config.h"

struct ssl_ctx_st;
struct x509_st;
struct x509_store_st;
struct evp_pkey_st;

namespace lb::net::tls {

// Something that is wrong: under which key of the `tls` object, and what was expected.
struct Complaint {
  std::string key;  // "certificates[0].key"
  std::string message;
};
using Complaints = std::vector<Complaint>;

// A file that whoever may read files has read.
struct File {
  std::string name;
  std::string text;
};

struct ContextFree {
  void operator()(ssl_ctx_st* context) const;
};
struct CertificateFree {
  void operator()(x509_st* certificate) const;
};
struct KeyFree {
  void operator()(evp_pkey_st* key) const;
};
struct StoreFree {
  void operator()(x509_store_st* store) const;
};
using Context = std::unique_ptr<ssl_ctx_st, ContextFree>;
using Certificate = std::unique_ptr<x509_st, CertificateFree>;
using Key = std::unique_ptr<evp_pkey_st, KeyFree>;
using Store = std::unique_ptr<x509_store_st, StoreFree>;

// A certificate with those that vouch for it, and its key.
struct Identity {
  std::vector<Certificate> chain;  // The own one first.
  Key key;
};

enum class Role : unsigned char { server, client };
[[nodiscard]] Context make_context(Role role, TlsVersion min, TlsVersion max);
// Of each version, those that are named; all when none is.
void allow_ciphers(ssl_ctx_st* context, std::span<const CipherSuite> suites);

// When the first of the chain ends that does, in Unix time: from then on it vouches for nothing.
[[nodiscard]] std::int64_t ends_at(const Identity& identity);

// Nothing, with a complaint at `at` + ".certificate" or ".key", unless the certificate is valid
// now and the key is its.
[[nodiscard]] std::unique_ptr<Identity> load_identity(const File& certificate, const File& key,
                                                      const std::string& at, Complaints& out);
// False with a complaint when OpenSSL does not take it: a key too short, for example.
[[nodiscard]] bool use_identity(ssl_ctx_st* context, const Identity& identity,
                                const std::string& at, Complaints& out);

// Those who are trusted; null with a complaint at `key` when there is no certificate in the file.
[[nodiscard]] Store load_authorities(const File& file, const std::string& key, Complaints& out);

// 32 bytes that are the same for the same texts and no others.
[[nodiscard]] std::string digest(std::span<const std::string_view> texts);

}  // namespace lb::net::tls
