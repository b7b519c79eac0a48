// Goal: the keys of TLS are read as documented, written back the same, and refused when they make
// no sense; what is wrong with a file they name has a place.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "lbcore/config/daemon_config.h"

namespace lb::config {
namespace {

std::string text(const std::string& listener, const std::string& cluster) {
  std::string yaml = "listeners:\n  - name: l\n    bind: h:1\n    cluster: web\n";
  if (!listener.empty()) yaml += "    tls: " + listener + '\n';
  yaml += "clusters:\n  - name: web\n    backends: []\n";
  if (!cluster.empty()) yaml += "    tls: " + cluster + '\n';
  return yaml;
}

LoadedConfig load(const std::string& listener, const std::string& cluster = "") {
  return load_config(text(listener, cluster), "lbd.yaml");
}

std::string problems(const std::string& listener, const std::string& cluster = "") {
  return format_problems("lbd.yaml", load(listener, cluster).problems);
}

TEST(TlsKeys, ReadsThoseOfAListener) {
  EXPECT_FALSE(load("").config.listeners[0].tls);
  EXPECT_EQ(load("{certificates: [{certificate: a.pem}]}").config.listeners[0].tls,
            (ListenerTlsConfig{.certificates = {{"a.pem", ""}}}));
  EXPECT_EQ(load("{certificates: [{certificate: a.pem, key: a.key}], strict_sni: true, "
                 "min_version: 1.3, ciphers: [TLS_AES_128_GCM_SHA256, ECDHE-RSA-AES128-GCM-SHA256],"
                 " client_certificates: {mode: optional, ca: ca.pem}}")
                .config.listeners[0]
                .tls,
            (ListenerTlsConfig{.certificates = {{"a.pem", "a.key"}},
                               .strict_sni = true,
                               .min_version = TlsVersion::tls_1_3,
                               .ciphers = {CipherSuite::tls_aes_128_gcm_sha256,
                                           CipherSuite::ecdhe_rsa_aes128_gcm_sha256},
                               .client_certificates = ClientCertificatesConfig{
                                   ClientCertificateMode::optional, "ca.pem"}}));
}

TEST(TlsKeys, ReadsThoseOfACluster) {
  EXPECT_FALSE(load("", "").config.clusters[0].tls);
  EXPECT_EQ(load("", "{}").config.clusters[0].tls, UpstreamTlsConfig{});
  EXPECT_EQ(load("",
                 "{server_name: b, ca: ca.pem, certificate: c.pem, key: c.key, "
                 "min_version: '1.3'}")
                .config.clusters[0]
                .tls,
            (UpstreamTlsConfig{.server_name = "b",
                               .ca = "ca.pem",
                               .certificate = "c.pem",
                               .key = "c.key",
                               .min_version = TlsVersion::tls_1_3}));
}

TEST(TlsKeys, ReadsBackWhatItWrote) {
  const DaemonConfig config =
      load(
          "{certificates: [{certificate: a}, {certificate: b, key: c}], max_version: 1.2, "
          "ciphers: [ECDHE-RSA-CHACHA20-POLY1305], client_certificates: {ca: d}}",
          "{verify: false}")
          .config;
  const LoadedConfig again = load_config(to_json(config).dump(), "lbd.json");
  EXPECT_EQ(format_problems("lbd.json", again.problems), "");
  EXPECT_EQ(again.config, config);
}

TEST(TlsKeys, SaysWhatIsWrong) {
  EXPECT_EQ(problems("{}"),
            "lbd.yaml:5:10: listeners[0].tls: \"certificates\" is missing: the list of them; the "
            "name a client asks for chooses, else it is the first\n");
  EXPECT_EQ(problems("{certificates: []}"),
            "lbd.yaml:5:25: listeners[0].tls.certificates: expected at least one certificate\n");
  EXPECT_EQ(problems("{certificates: [{certificate: a}], min_version: old}"),
            "lbd.yaml:5:58: listeners[0].tls.min_version: expected \"1.2\" or \"1.3\", found "
            "\"old\"\n");
  EXPECT_EQ(problems("{certificates: [{certificate: a}], min_version: 1.3, max_version: 1.2}"),
            "lbd.yaml:5:76: listeners[0].tls.max_version: min_version is newer than max_version: "
            "there is none left to speak\n");
  EXPECT_NE(problems("{certificates: [{certificate: a}], ciphers: [ECDHE-RSA-AES128-SHA256]}")
                .find("did you mean"),
            std::string::npos);
  EXPECT_EQ(problems("", "{verify: false, ca: a}"),
            "lbd.yaml:8:30: clusters[0].tls.ca: nobody's signature is looked at with \"verify: "
            "false\"; expected one of the two\n");
  EXPECT_EQ(problems("", "{key: a}"),
            "lbd.yaml:8:16: clusters[0].tls.key: expected \"certificate\" too: a key alone says "
            "nothing\n");
}

TEST(TlsKeys, AValueHasAPlaceByItsPath) {
  const std::string yaml = text("{certificates: [{certificate: a}, {certificate: b, key: c}]}", "");
  const auto at = [&](const char* path) { return position_of(yaml, "lbd.yaml", path); };
  EXPECT_EQ(at("listeners[0].tls.certificates[1].key"), (Position{5, 66}));
  EXPECT_EQ(at("listeners[0].tls.certificates[0].certificate"), (Position{5, 40}));
  // What is not there is where it would be.
  EXPECT_EQ(at("listeners[0].tls.certificates[0].key"), at("listeners[0].tls.certificates[0]"));
  EXPECT_EQ(at("listeners[7].tls"), at("listeners"));
  EXPECT_EQ(at(""), (Position{1, 1}));
}

}  // namespace
}  // namespace lb::config
