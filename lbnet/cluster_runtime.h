// ClusterRuntime: one worker's brain for one cluster, with the sockets it decides about.
//
// After every call to the brain, after_brain() carries out what it wants done and arms the
// worker's timer for its next deadline.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lbcore/balancer.h"
#include "lbnet/endpoint.h"
#include "lbnet/upstream.h"

namespace lb::net {

class Worker;

// A cluster as the control side hands it to workers: the plan and where its backends are, in the
// same order.
struct ClusterSetup {
  ClusterPlan plan;
  std::vector<Endpoint> endpoints;
};

// Whoever works on a request the brain may have something to say about.
class RequestOwner {
 public:
  virtual void abort_attempt(AttemptFailure failure) = 0;
  virtual void retry_due() = 0;

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

  // -- Requests
  void set_owner(RequestId request, RequestOwner* owner);

  // -- Connections
  // A connection to the backend has begun to open; 0 or errno.
  [[nodiscard]] IoError open_upstream(ConnectionId id, BackendId backend);
  // REQUIRES: it is open.
  [[nodiscard]] Upstream& upstream(ConnectionId id);
  void close_upstream(ConnectionId id);
  // What is awaited on it fails soon with ECANCELED. Nothing happens when it is closed already.
  void cancel_upstream(ConnectionId id);
  // Back to the pool: from now on whatever comes in on it is the end of it.
  void watch_idle(Upstream& upstream);

  // Empty when the backend has left meanwhile.
  [[nodiscard]] std::string_view backend_name(BackendId id) const;
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Worker& worker() { return worker_; }

 private:
  struct Peer {
    BackendId id;
    std::string name;
    Endpoint endpoint;
  };
  struct Watch {  // What a stream's watcher is told.
    ClusterRuntime* cluster = nullptr;
    ConnectionId id;
  };

  [[nodiscard]] const Peer* find_peer(BackendId id) const;
  void act(const Action& action);
  static void idle_upstream_woke(void* watch);

  Worker& worker_;
  std::string name_;
  Balancer brain_;
  std::vector<Peer> peers_;  // By id. Those that left stay while the brain may mention them.
  std::vector<std::unique_ptr<Upstream>> upstreams_;  // By connection slot.
  std::vector<std::unique_ptr<Watch>> watches_;       // Likewise; at stable addresses.
  std::vector<RequestOwner*> owners_;                 // By request slot.
};

}  // namespace lb::net
