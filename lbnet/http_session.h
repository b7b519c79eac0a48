// HttpSession: one downstream HTTP/1.1 connection, request after request.
#pragma once

#include <memory>

#include "lbnet/endpoint.h"
#include "lbnet/listener.h"
#include "lbnet/stream.h"

namespace lb::net {

class Worker;

// Takes over a connection, its TLS handshake done if it has any; frees itself when the connection
// has ended.
void start_http_session(Worker& worker, std::shared_ptr<const CurrentSetup> current, Stream down,
                        const Endpoint& peer);

}  // namespace lb::net
