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

}  // namespace lb
