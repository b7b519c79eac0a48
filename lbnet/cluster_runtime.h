// ClusterRuntime: one worker's brain for one cluster, with the sockets it decides about.
//
// After every call to the brain, after_brain() carries out what it wants done and arms the
// worker's timer for its next deadline.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lbcore/balancer.h"
#include "lbnet/affinity_cookie.h"
#include "lbnet/endpoint.h"
#include "lbnet/load_prober.h"
#include "lbnet/metrics.h"
#include "lbnet/task.h"
#include "lbnet/upstream.h"

namespace lb::net {

class Worker;
namespace tls {
class ClientContext;
class SessionSlot;
}  // namespace tls

// A cluster as the control side hands it to workers: the plan and where its backends are, in the
// same order.
struct ClusterSetup {
  ClusterPlan plan;
  std::vector<Endpoint> endpoints;
  std::shared_ptr<const tls::ClientContext> tls;  // Null: plain.
};

// Whoever works on a request the brain may have something to say about.
class RequestOwner {
 public:
  virtual void abort_attempt(AttemptFailure failure) = 0;
  virtual void attempt_due() = 0;

 protected:
  ~RequestOwner() = default;
};

class ClusterRuntime {
 public:
  ClusterRuntime(Worker& worker, const ClusterSetup& setup, std::uint64_t seed);
  ~ClusterRuntime();

  void apply(const ClusterSetup& setup);

  [[nodiscard]] Balancer& brain() { return brain_; }
  void after_brain();
  // Something may be due, of the brain's or of our own.
  void handle_timeout(Instant at);

  // -- Requests
  void set_owner(RequestId request, RequestOwner* owner);

  // -- Connections
  // The PROXY header that a connection has to begin with.
  [[nodiscard]] SentProxyHeader sent_header() const { return brain_.config().proxy_protocol; }
  // A connection to the backend has begun to open; 0 or errno. `header`: see Upstream.
  [[nodiscard]] IoError open_upstream(ConnectionId id, BackendId backend,
                                      std::unique_ptr<const ProxyHeaderText> header = {});
  // Waits until it is open, its header sent and its TLS handshake done if there are any; 0 or why
  // it is not.
  [[nodiscard]] static Task<IoError> finish_opening(Upstream& upstream);
  // REQUIRES: it is open.
  [[nodiscard]] Upstream& upstream(ConnectionId id);
  // Null when it is closed, or plain.
  [[nodiscard]] const TlsConnection* tls_of(ConnectionId id) const;
  void close_upstream(ConnectionId id);
  // What is awaited on it fails soon with ECANCELED. Nothing happens when it is closed already.
  void cancel_upstream(ConnectionId id);
  // Back to the pool: from now on whatever comes in on it is the end of it.
  void watch_idle(Upstream& upstream);
  // It was opened by the rules for TLS that hold now, and no client's own, then or now.
  [[nodiscard]] bool up_to_date(const Upstream& upstream) const {
    const bool anybodys = !upstream.header && sent_header() == SentProxyHeader::none;
    return upstream.tls == tls_.get() && anybodys;
  }

  // What the key of a request is made from, for strategies that hash.
  [[nodiscard]] const KeyExpression& key_expression() const { return key_expression_; }
  // Null without affinity.
  [[nodiscard]] const AffinityCookies* affinity() const {
    return affinity_ ? &*affinity_ : nullptr;
  }

  // Nothing is under way that would come back to this object.
  [[nodiscard]] bool at_rest() const {
    return brain_.in_progress() == 0 && spares_opening_ == 0 && load_prober_.at_rest();
  }
  // What is under way that no request waits for comes to nothing, soon.
  void abandon_own_work();

  // Empty when the backend has left meanwhile.
  [[nodiscard]] std::string_view backend_name(BackendId id) const;
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] ClusterSnapshot snapshot() const;
  [[nodiscard]] Worker& worker() { return worker_; }

 private:
  struct Peer {
    BackendId id;
    std::string name;
    Endpoint endpoint;
    std::string address;                        // As configured.
    std::shared_ptr<tls::SessionSlot> session;  // To resume; null without TLS.
  };
  struct Watch {  // What a stream's watcher is told.
    ClusterRuntime* cluster = nullptr;
    ConnectionId id;
  };

  void take_tls(const ClusterSetup& setup);
  void take_peers(const ClusterSetup& setup);
  [[nodiscard]] const Peer* find_peer(BackendId id) const;
  void act(const Action& action);
  void ask_load(BackendId backend);
  [[nodiscard]] Task<void> open_spare(ConnectionId id, BackendId backend);
  static void idle_upstream_woke(void* watch);
  void drop_idle(ConnectionId id);

  Worker& worker_;
  std::string name_;
  Balancer brain_;
  LoadProber load_prober_;
  std::shared_ptr<const tls::ClientContext> tls_;
  std::vector<Peer> peers_;  // By id. Those that left stay while the brain may mention them.
  std::vector<std::unique_ptr<Upstream>> upstreams_;  // By connection slot.
  std::vector<std::unique_ptr<Watch>> watches_;       // Likewise; at stable addresses.
  std::vector<RequestOwner*> owners_;                 // By request slot.
  std::size_t spares_opening_ = 0;
  KeyExpression key_expression_;
  std::optional<AffinityCookies> affinity_;
};

}  // namespace lb::net
