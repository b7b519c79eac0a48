// Upstream: one connection to a backend, with what came in on it.
#pragma once

#include "lbcore/ids.h"
#include "lbnet/buffer.h"
#include "lbnet/stream.h"

namespace lb::net {

struct Upstream {
  Upstream(boost::asio::io_context& io, int fd, BufferPool& buffers, ConnectionId connection)
      : stream(io, fd), in(buffers), id(connection) {}

  Stream stream;
  Buffer in;
  ConnectionId id;
  bool opening_spare = false;  // For the pool; nobody has a request for it yet.
};

}  // namespace lb::net
