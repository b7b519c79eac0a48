// Listener: accepts connections on one socket of one worker and starts their sessions.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "lbcore/client_identity.h"
#include "lbcore/ids.h"
#include "lbcore/routing/route_table.h"
#include "lbcore/time.h"
#include "lbnet/admission.h"
#include "lbnet/endpoint.h"
#include "lbnet/stream.h"

namespace lb::net {

class Worker;
namespace tls {
class ServerContext;
}

enum class Protocol : std::uint8_t { http, tcp };

struct ListenerSetup {
  std::string name;
  Protocol protocol = Protocol::http;
  ClusterId cluster;                         // Of all its requests, unless there are routes.
  std::shared_ptr<const RouteTable> routes;  // Shared by all workers; null for none.
  std::uint64_t max_body = 0;                // 0 for no limit.
  std::uint64_t min_rate = 0;                // Bytes a second of a body, either way; 0 for none.
  std::string via;                           // Our name in Via; empty for no such field.
  AcceptedProxyHeader proxy_header = AcceptedProxyHeader::none;  // That a connection begins with.
  TrustedProxies trusted_proxies;
  ForwardedFields forwarded = ForwardedFields::x_forwarded;
  bool request_id = false;
  bool traceparent = false;
  Duration head_timeout{};
  Duration idle_timeout{};
  Duration body_timeout{};
  std::shared_ptr<const tls::ServerContext> tls;  // Null: plain.
};

// What a listener's sessions go by. An HTTP session looks with each request: clients keep their
// connections for hours, and none of them should go by routes that are gone.
struct CurrentSetup {
  std::shared_ptr<const ListenerSetup> setup;
};

// Goes on with a connection whose client is known: counts it as that client's, unless it has too
// many, and shakes hands or begins to serve it.
void admit(Worker& worker, std::shared_ptr<const CurrentSetup> current, Stream down, Place place,
           const Endpoint& client);

// Begins to serve a connection, as its protocol has it.
void start_session(Worker& worker, std::shared_ptr<const CurrentSetup> current, Stream down,
                   const Endpoint& peer);

class Listener {
 public:
  // Takes over a listening socket and starts to accept.
  Listener(Worker& worker, const ListenerSetup& setup, int fd);

  // For what comes from now on: requests of HTTP, connections of TCP.
  void update(const ListenerSetup& setup);

 private:
  void accept_all();
  void begin(int fd, const Endpoint& peer, Place place);
  void wait_for_place();
  void wait_for_descriptors();

  Worker& worker_;
  std::shared_ptr<CurrentSetup> current_;  // Outlives the listener as long as it has sessions.
  Stream socket_;
  boost::asio::steady_timer pause_;
  bool full_ = false;  // No place was left when one was wanted last; likewise of descriptors.
  bool short_of_descriptors_ = false;
  std::shared_ptr<void> alive_ = std::make_shared<char>();
};

}  // namespace lb::net
