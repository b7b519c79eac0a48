// AdminServer: metrics, health of the daemon itself, and changes while it runs, over HTTP on a
// loopback address.
//
//   GET    /livez /readyz                 200, or 503 while not (or no longer) serving
//   GET    /metrics                       Prometheus text, or JSON by Accept: application/json
//   GET    /backends                      every backend with its state and counts
//   POST   /backends                      {"cluster", "id", "address", "weight", "state"}
//   DELETE /backends/{id}[?cluster=NAME]
//   GET    /config                        the configuration in use
//   PUT    /config                        a whole configuration, JSON
//
// There is no login, so it defends itself against being driven by a web page: loopback only, no
// request with an Origin, none whose Host is not a loopback name, and writes have to be JSON.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "lbnet/endpoint.h"

namespace lb::daemon {

class Daemon;

class AdminServer {
 public:
  // Listens at once; throws boost::system::system_error when it cannot.
  AdminServer(Daemon& daemon, boost::asio::io_context& io, const net::Endpoint& endpoint);

 private:
  void accept();
  // With no descriptor left the kernel would say so again at once.
  void accept_later();

  Daemon& daemon_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
};

}  // namespace lb::daemon
