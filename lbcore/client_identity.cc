#include "lbcore/client_identity.h"

namespace lb {

TrustedProxies::TrustedProxies(std::span<const TrustedProxy> proxies) {
  std::vector<IpPrefix> prefixes;
  for (const TrustedProxy& proxy : proxies) {
    if (proxy.prefix) {
      prefixes.push_back(*proxy.prefix);
    } else {
      unix_clients_ = true;
    }
  }
  addresses_ = IpSet(prefixes);
}

bool TrustedProxies::trusts_peer(std::string_view peer) const {
  if (peer == "unix:") return unix_clients_;
  const auto address = IpAddress::parse(peer);
  return address && trusts(*address);
}

}  // namespace lb
