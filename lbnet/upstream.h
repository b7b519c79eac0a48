// Upstream: one connection to a backend, with what came in on it.
#pragma once

#include <memory>

#include "lbcore/ids.h"
#include "lbnet/buffer.h"
#include "lbnet/proxy_header.h"
#include "lbnet/stream.h"

namespace lb::net {
namespace tls {
class ClientContext;
}

struct Upstream {
  Upstream(boost::asio::io_context& io, int fd, BufferPool& buffers, ConnectionId connection)
      : stream(io, fd), in(buffers), id(connection) {}

  Stream stream;
  Buffer in;
  ConnectionId id;
  const tls::ClientContext* tls = nullptr;  // By whose rules it was opened; null: plain.
  // It began with this, and is this client's alone; null: it is anybody's.
  std::unique_ptr<const ProxyHeaderText> header;
  bool idle = false;           // In the pool.
  bool opening_spare = false;  // For the pool; nobody has a request for it yet.
};

}  // namespace lb::net
