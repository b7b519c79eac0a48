// The TLS handshake of one accepted connection, after which its session begins.
#pragma once

#include <memory>

#include "lbnet/listener.h"

namespace lb::net {

// It has the listener's time for a head. Ends with start_session(), or with the connection.
// REQUIRES: the listener has TLS.
void start_handshake(Worker& worker, std::shared_ptr<const CurrentSetup> current, Stream down,
                     const Endpoint& peer);

}  // namespace lb::net
