// What is said in PROXY headers to backends: whose connection it is, sent before anything else.
#pragma once

#include <optional>

#include "lbnet/proxy_header.h"
#include "lbnet/stream.h"

namespace lb::net {

// Whose the client's connection is: as its own PROXY header had it, otherwise as the socket has it;
// no way for a client of a unix socket. False when the client is gone and so nobody knows: whoever
// asks a backend then would do so in the name of the balancer, which may be trusted with more.
// COST: two system calls, and none for a connection with a header.
[[nodiscard]] bool find_way(const Stream& client, std::optional<ProxiedWay>& way);

// As it is, also where TLS is to follow: 0 or an errno. REQUIRES: it is open, and nothing was sent
// yet, so that there is room for it.
[[nodiscard]] IoError send_header(const Stream& backend, const ProxyHeaderText& header);

}  // namespace lb::net
