// Goal: whom a listener believes is read as it is written, and believing everybody is warned of.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "lbcore/config/daemon_config.h"

namespace lb::config {
namespace {

LoadedConfig load(const std::string& listener_keys) {
  return load_config("listeners: [{name: web, bind: '127.0.0.1:80', cluster: web, " +
                         listener_keys +
                         "}]\n"
                         "clusters: [{name: web, proxy_protocol: v2, "
                         "backends: [{id: b1, address: '10.0.0.1:80'}]}]\n",
                     "f");
}

TEST(ClientIdentityConfig, IsReadAndWrittenAsItWas) {
  const LoadedConfig loaded = load(
      "proxy_protocol: any, trusted_proxies: [10.0.0.0/8, unix, '2001:DB8::1', ::/0], "
      "forwarded: both, request_id: true, traceparent: true");
  EXPECT_EQ(format_problems("f", loaded.problems), "");
  const ClientIdentityConfig& identity = loaded.config.listeners[0].identity;
  EXPECT_EQ(identity.proxy_protocol, AcceptedProxyHeader::any);
  EXPECT_EQ(identity.forwarded, ForwardedFields::both);
  EXPECT_TRUE(identity.request_id && identity.traceparent);
  EXPECT_EQ(identity.trusted_proxies, (std::vector<TrustedProxy>{{IpPrefix::parse("10.0.0.0/8")},
                                                                 {std::nullopt},
                                                                 {IpPrefix::parse("2001:db8::1")},
                                                                 {IpPrefix::parse("::/0")}}));
  EXPECT_EQ(loaded.config.clusters[0].proxy_protocol, SentProxyHeader::v2);
  const LoadedConfig again = load_config(to_json(loaded.config).dump(), "f.json");
  EXPECT_EQ(again.config, loaded.config);
}

TEST(ClientIdentityConfig, WarnsOfBelievingEverybody) {
  EXPECT_EQ(format_problems("f", load("trusted_proxies: [10.0.0.0/8, 0.0.0.0/0]").warnings),
            "f:1:91: listeners[0].trusted_proxies[1]: believes everybody: any client may say that "
            "it is another; expected the addresses of the proxies in front\n");
  EXPECT_EQ(format_problems("f", load("trusted_proxies: [0.0.0.0/1, unix]").warnings), "");
}

}  // namespace
}  // namespace lb::config
