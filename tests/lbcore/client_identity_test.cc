// Goal: a peer is trusted by its address or by its kind, and by nothing that looks like either.
#include "lbcore/client_identity.h"

#include <gtest/gtest.h>

namespace lb {
namespace {

TEST(TrustedProxies, AreAskedForAPeerByItsName) {
  const TrustedProxies proxies(std::vector<TrustedProxy>{{IpPrefix::parse("10.0.0.0/8")}});
  EXPECT_TRUE(proxies.trusts_peer("10.1.2.3"));
  EXPECT_TRUE(proxies.trusts_peer("::ffff:10.1.2.3"));
  EXPECT_FALSE(proxies.trusts_peer("11.1.2.3"));
  EXPECT_FALSE(proxies.trusts_peer("unix:"));
  EXPECT_FALSE(proxies.trusts_peer("fe80::1%eth0"));
  EXPECT_TRUE(TrustedProxies(std::vector<TrustedProxy>{{std::nullopt}}).trusts_peer("unix:"));
}

}  // namespace
}  // namespace lb
