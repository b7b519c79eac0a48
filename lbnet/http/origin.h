// Origin: who sent a request that a trusted proxy passed on.
//
// Each proxy appends whom it got the request from, so the list is read from right to left: the
// peer, who is trusted, has written the last entry; when that one is trusted too, it has written
// the one before. The first who is not trusted is the client, and whatever stands left of it is the
// client's own invention.
#pragma once

#include <optional>
#include <vector>

#include "lbcore/client_identity.h"
#include "lbnet/http/head.h"

namespace lb::net::http {

struct Origin {
  std::optional<IpAddress> address;  // Nothing: the peer's, who does not tell another.
  std::optional<bool> secure;        // Of the client's own connection; nothing: as the peer's is.
};

// By X-Forwarded-For and X-Forwarded-Proto, or by Forwarded (RFC 7239) where that is what `fields`
// asks for alone: a proxy that writes one of them may pass on the other as a client made it up. An
// entry that is no address ends the walk, as one that is not trusted does; the last one understood
// is the origin. REQUIRES: the peer is trusted.
[[nodiscard]] Origin find_origin(const std::vector<Field>& request, ForwardedFields fields,
                                 const TrustedProxies& trusted);

// Whether a value of Forwarded is well-formed, and has an element.
[[nodiscard]] bool is_forwarded(std::string_view value);

// The value of the one X-Forwarded-Proto there is, when it is "http", "https", "ws" or "wss";
// likewise of X-Forwarded-Host, whatever it is. Empty otherwise.
[[nodiscard]] std::string_view forwarded_proto(const std::vector<Field>& request);
[[nodiscard]] std::string_view forwarded_host(const std::vector<Field>& request);

}  // namespace lb::net::http
