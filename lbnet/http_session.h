// HttpSession: one downstream HTTP/1.1 connection, request after request.
#pragma once

#include <memory>

#include "lbnet/endpoint.h"
#include "lbnet/listener.h"

namespace lb::net {

class Worker;

// Takes over an accepted socket; frees itself when the connection has ended.
void start_http_session(Worker& worker, std::shared_ptr<const CurrentSetup> current, int fd,
                        const Endpoint& peer);

}  // namespace lb::net
