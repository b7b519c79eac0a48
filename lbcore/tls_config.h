// What can be set for TLS on a listener and towards the backends of a cluster. The brain makes
// nothing of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lb {

enum class TlsVersion : std::uint8_t { tls_1_2, tls_1_3 };

// All there are that RFC 9325 recommends: those of 1.2 with an ephemeral key, all of them AEAD.
enum class CipherSuite : std::uint8_t {
  tls_aes_128_gcm_sha256,
  tls_aes_256_gcm_sha384,
  tls_chacha20_poly1305_sha256,
  ecdhe_ecdsa_aes128_gcm_sha256,
  ecdhe_rsa_aes128_gcm_sha256,
  ecdhe_ecdsa_aes256_gcm_sha384,
  ecdhe_rsa_aes256_gcm_sha384,
  ecdhe_ecdsa_chacha20_poly1305,
  ecdhe_rsa_chacha20_poly1305,
};

struct TlsCertificateConfig {
  std::string certificate;  // A PEM file with the chain, the server's own first.
  std::string key;          // Its private key; empty: in the same file.
  bool operator==(const TlsCertificateConfig&) const = default;
};

enum class ClientCertificateMode : std::uint8_t {
  required,
  optional,  // A client may come without; one that it sends has to be good all the same.
};

struct ClientCertificatesConfig {
  ClientCertificateMode mode = ClientCertificateMode::required;
  std::string ca;  // A PEM file with those who may have signed a client's certificate.
  bool operator==(const ClientCertificatesConfig&) const = default;
};

struct ListenerTlsConfig {
  // The name a client asks for chooses; the first serves those that ask for none, or another.
  std::vector<TlsCertificateConfig> certificates;
  bool strict_sni = false;  // They are refused instead.
  TlsVersion min_version = TlsVersion::tls_1_2;
  TlsVersion max_version = TlsVersion::tls_1_3;
  std::vector<CipherSuite> ciphers;  // Of a version that none is named of: all.
  std::optional<ClientCertificatesConfig> client_certificates;
  bool operator==(const ListenerTlsConfig&) const = default;
};

struct UpstreamTlsConfig {
  std::string server_name;  // Asked for and verified; empty: the host in each backend's address.
  std::string ca;           // A PEM file; empty: whom the system trusts.
  bool verify = true;
  std::string certificate;  // Our own, for backends that ask for one.
  std::string key;
  TlsVersion min_version = TlsVersion::tls_1_2;
  bool operator==(const UpstreamTlsConfig&) const = default;
};

}  // namespace lb
