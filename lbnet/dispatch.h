// Dispatch: what becomes of a request, as its listener and the routes there have it, and what the
// brain is told of it.
#pragma once

#include <cstdint>
#include <string_view>

#include "lbcore/balancer.h"
#include "lbcore/ids.h"
#include "lbcore/routing/route_table.h"
#include "lbcore/time.h"
#include "lbnet/http/head.h"
#include "lbnet/http/head_writer.h"
#include "lbnet/listener.h"
#include "lbnet/request_texts.h"

namespace lb::net {

class Worker;

// Whose request it is.
struct ClientIdentity {
  std::string_view address;  // Numeric; of whom trusted proxies say it comes from.
  HashKey key;               // Of the address.
  bool secure = false;       // It speaks TLS, as they say.
  // -- Of the connection it came on
  bool peer_secure = false;
  bool peer_trusted = false;
  std::string_view certificate_fields;  // See http::RequestChanges.
};

class Dispatch {
 public:
  // `texts` are the request's, and have to stay.
  explicit Dispatch(BorrowedTexts& texts) : texts_(texts) {}

  enum class Way : std::uint8_t {
    forward,
    nowhere,    // No route fits.
    last_hop,   // Max-Forwards has it end here (RFC 9110, section 7.6.2).
    preflight,  // A browser asks whether it may: see Cors.
    redirect,
    respond
  };

  // Looks at a request. False when its path is not one to look at: see Routed::Result::bad_path.
  // The head, and what worker.target_scratch() holds, have to stay as long as changes() are used.
  [[nodiscard]] bool decide(Worker& worker, const ListenerSetup& setup,
                            const http::RequestHead& head, const ClientIdentity& client);

  [[nodiscard]] Way way() const { return way_; }
  // Null where there are no routes, or none fits. It is in the setup.
  [[nodiscard]] const Route* route() const { return route_; }
  [[nodiscard]] ClusterId cluster() const { return cluster_; }
  // On the way to the backend.
  [[nodiscard]] const http::RequestChanges& changes() const { return changes_; }
  // What the route makes of answers on the way to the client.
  [[nodiscard]] http::AnswerChanges answer_changes() const {
    if (route_ == nullptr) return {};
    return {&route_->response_headers, route_->cors ? &texts_->cors : nullptr};
  }
  // The answer of a route that does not forward, but for what the connection makes of it.
  [[nodiscard]] http::RouteAnswer answer() const;
  [[nodiscard]] std::string_view answer_body() const;

  // What the brain is told. REQUIRES: way() is forward.
  [[nodiscard]] RequestInput input(Worker& worker, const http::RequestHead& head,
                                   const ClientIdentity& client) const;

 private:
  void apply_cors(const RequestAttributes& request);
  void follow(const Routed& routed, const RequestAttributes& request, Worker& worker);
  void name(const http::RequestHead& head, const ListenerSetup& setup, Worker& worker);

  BorrowedTexts& texts_;
  Way way_ = Way::forward;
  const Route* route_ = nullptr;
  ClusterId cluster_;
  http::RequestChanges changes_;
  bool secure_ = false;  // The client's connection.
  int own_status_ = 0;   // Of last_hop and preflight.
};

// How long whoever sent this has to wait by the listener's rate limit; 0 when it may go on.
[[nodiscard]] Duration over_rate(Worker& worker, const http::RequestHead& head,
                                 const ClientIdentity& client);

}  // namespace lb::net
