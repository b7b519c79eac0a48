// How a listener finds out who its clients are, whom it believes about them, and what it tells
// backends (docs/client-identity.md).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "lbcore/ip_set.h"

namespace lb {

// HAProxy's PROXY protocol: a header before the first byte of a connection says whose it is. What
// a listener takes, and what a cluster is sent.
enum class AcceptedProxyHeader : std::uint8_t { none, v1, v2, any };
enum class SentProxyHeader : std::uint8_t { none, v1, v2 };

// Which fields tell a backend whom a request came from, by way of whom.
enum class ForwardedFields : std::uint8_t {
  none,
  x_forwarded,  // X-Forwarded-For, -Proto and -Host: what most applications read.
  rfc7239,      // Forwarded.
  both,
};

// Somebody whose word on who came before is believed.
struct TrustedProxy {
  std::optional<IpPrefix> prefix;  // Nothing: the clients of a unix socket.
  bool operator==(const TrustedProxy&) const = default;
};

struct ClientIdentityConfig {
  AcceptedProxyHeader proxy_protocol = AcceptedProxyHeader::none;
  // Nobody by default: anybody can say anything.
  std::vector<TrustedProxy> trusted_proxies;
  ForwardedFields forwarded = ForwardedFields::x_forwarded;
  // Both off, as with HAProxy and nginx: a field more in every request to backends that may not
  // look at it. A request that has one gets it through either way.
  bool request_id = false;
  bool traceparent = false;
  bool operator==(const ClientIdentityConfig&) const = default;
};

class TrustedProxies {
 public:
  TrustedProxies() = default;
  explicit TrustedProxies(std::span<const TrustedProxy> proxies);

  [[nodiscard]] bool empty() const { return addresses_.empty() && !unix_clients_; }
  [[nodiscard]] bool trusts(const IpAddress& address) const { return addresses_.contains(address); }
  [[nodiscard]] bool trusts_unix_clients() const { return unix_clients_; }
  // By what logs call it: its address, or "unix:".
  [[nodiscard]] bool trusts_peer(std::string_view peer) const;

 private:
  IpSet addresses_;
  bool unix_clients_ = false;
};

}  // namespace lb
