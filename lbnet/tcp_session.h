// TcpSession: one downstream TCP connection, joined to one upstream connection, bytes both ways.
#pragma once

#include <memory>

#include "lbnet/endpoint.h"
#include "lbnet/listener.h"
#include "lbnet/stream.h"

namespace lb::net {

class Worker;

// Takes over a connection, its TLS handshake done if it has any; frees itself when the connection
// has ended.
void start_tcp_session(Worker& worker, std::shared_ptr<const ListenerSetup> setup, Stream down,
                       const Endpoint& peer);

}  // namespace lb::net
