// The keys of TLS: of a listener's and of a cluster's.
#pragma once

#include <array>
#include <string>

#include "lbcore/config/reader.h"
#include "lbcore/config/route_fields.h"
#include "lbcore/tls_config.h"

namespace lb::config {

template <>
struct EnumWords<TlsVersion> {
  static constexpr std::array<std::pair<TlsVersion, const char*>, 2> words{
      {{TlsVersion::tls_1_2, "1.2"}, {TlsVersion::tls_1_3, "1.3"}}};
};
template <>
struct EnumWords<ClientCertificateMode> {
  static constexpr std::array<std::pair<ClientCertificateMode, const char*>, 2> words{
      {{ClientCertificateMode::required, "required"},
       {ClientCertificateMode::optional, "optional"}}};
};
template <>
struct EnumWords<CipherSuite> {
  static constexpr std::array<std::pair<CipherSuite, const char*>, 9> words{
      {{CipherSuite::tls_aes_128_gcm_sha256, "TLS_AES_128_GCM_SHA256"},
       {CipherSuite::tls_aes_256_gcm_sha384, "TLS_AES_256_GCM_SHA384"},
       {CipherSuite::tls_chacha20_poly1305_sha256, "TLS_CHACHA20_POLY1305_SHA256"},
       {CipherSuite::ecdhe_ecdsa_aes128_gcm_sha256, "ECDHE-ECDSA-AES128-GCM-SHA256"},
       {CipherSuite::ecdhe_rsa_aes128_gcm_sha256, "ECDHE-RSA-AES128-GCM-SHA256"},
       {CipherSuite::ecdhe_ecdsa_aes256_gcm_sha384, "ECDHE-ECDSA-AES256-GCM-SHA384"},
       {CipherSuite::ecdhe_rsa_aes256_gcm_sha384, "ECDHE-RSA-AES256-GCM-SHA384"},
       {CipherSuite::ecdhe_ecdsa_chacha20_poly1305, "ECDHE-ECDSA-CHACHA20-POLY1305"},
       {CipherSuite::ecdhe_rsa_chacha20_poly1305, "ECDHE-RSA-CHACHA20-POLY1305"}}};
};

template <class Fields>
void describe(Fields& fields, TlsCertificateConfig& certificate) {
  fields.required("certificate", certificate.certificate, kAboveZero,
                  "PEM file of the chain, the listener's own certificate first");
  optional_text(fields, "key", certificate.key,
                "PEM file of its private key; the same file without it");
}

template <class Fields>
void describe(Fields& fields, ClientCertificatesConfig& clients) {
  fields.optional("mode", clients.mode, "whether a client may come without one");
  fields.required("ca", clients.ca, kAboveZero,
                  "PEM file of those who may have signed a client's certificate");
}

template <class Fields>
void describe(Fields& fields, ListenerTlsConfig& tls) {
  fields.required("certificates", tls.certificates,
                  "the list of them; the name a client asks for chooses, else it is the first");
  fields.optional("strict_sni", tls.strict_sni,
                  "refuse clients that ask for no name, or for one that no certificate has");
  fields.optional("min_version", tls.min_version, "oldest version of TLS that is spoken");
  fields.optional("max_version", tls.max_version, "newest version of TLS that is spoken");
  fields.optional("ciphers", tls.ciphers,
                  "suites that are spoken; all of a version of which none is named");
  fields.optional("client_certificates", tls.client_certificates,
                  "clients show who they are; they are not asked without this key");
}

// What describe() cannot say.
void check(const ObjectReader& reader, const ListenerTlsConfig& tls);

template <class Fields>
void describe(Fields& fields, UpstreamTlsConfig& tls) {
  optional_text(fields, "server_name", tls.server_name,
                "name or IP address that is asked for and verified; without it the host in each "
                "backend's address");
  optional_text(fields, "ca", tls.ca,
                "PEM file of those who may have signed a backend's certificate; without it, whom "
                "the system trusts");
  fields.optional("verify", tls.verify, "whether a backend has to show who it is");
  optional_text(fields, "certificate", tls.certificate,
                "PEM file of our own certificate, for backends that ask for one");
  optional_text(fields, "key", tls.key, "PEM file of its private key; the same file without it");
  fields.optional("min_version", tls.min_version, "oldest version of TLS that is spoken");
}

void check(const ObjectReader& reader, const UpstreamTlsConfig& tls);

}  // namespace lb::config
