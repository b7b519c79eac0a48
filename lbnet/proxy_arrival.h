// The arrival of a connection whose first bytes are a PROXY header: who it is from is known only
// after them, and so nothing is counted, shaken hands on or served before.
#pragma once

#include <memory>

#include "lbnet/listener.h"

namespace lb::net {

// It has the listener's time for a head. Ends with admit(), or with the connection, which is reset
// and counted as refused: the header of somebody whom the listener does not trust is not even read.
// Of the socket the header's bytes are taken and not one more: what follows may be TLS, or be moved
// by splice(2). REQUIRES: the listener asks for a header.
void start_proxy_arrival(Worker& worker, std::shared_ptr<const CurrentSetup> current, Stream down,
                         Place place, const Endpoint& peer);

}  // namespace lb::net
