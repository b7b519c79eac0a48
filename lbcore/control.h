// Control: the control brain, one for each daemon. It owns what all workers must agree on: which
// clusters and backends there are, their ids, and their health as active probes see it.
//
// It does no I/O. The world carries out probes and hands their results in; changes of health come
// out of poll_action() for the world to pass on to every worker's Balancer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lbcore/cluster_config.h"
#include "lbcore/deadline_table.h"
#include "lbcore/health.h"
#include "lbcore/ids.h"
#include "lbcore/ring_queue.h"

namespace lb {

// One probe of one backend. The number tells a late result from the present one.
struct ProbeId {
  ClusterId cluster;
  BackendId backend;
  std::uint32_t number = 0;
  auto operator<=>(const ProbeId&) const = default;
};

struct ControlAction {
  enum class Kind : std::uint8_t {
    start_probe,     // Carry `probe` out and call handle_probe_result.
    abandon_probe,   // Drop it: it took too long and has been counted as failed, or a new
                     // configuration does not ask any more. Its backend may not exist any more.
    health_changed,  // Tell every worker: the backend went from `from` to `to`.
  };
  Kind kind = Kind::start_probe;
  ProbeId probe;
  HealthState from{};
  HealthState to{};
};

class Control {
 public:
  // A whole, checked configuration. Backends are the same as before when cluster name, id and
  // address are; they keep their id and health. Health never rises by a new configuration.
  // Backends seen for the first time are probed at once. O(n log n).
  void handle_config(Instant now, const std::vector<ClusterConfig>& clusters);

  // A result that is late or about something removed is ignored.
  void handle_probe_result(Instant now, const ProbeId& probe, ProbeResult result);

  [[nodiscard]] std::optional<Instant> poll_timeout() const { return deadlines_.earliest(); }
  void handle_timeout(Instant now);
  // Call after every handle_* until it returns nothing.
  [[nodiscard]] std::optional<ControlAction> poll_action() { return actions_.pop(); }

  // The clusters as the data brains take them, in the order of the configuration.
  [[nodiscard]] std::vector<ClusterPlan> plans() const;

  // Of the backends that are probed, none waits for its first result: the daemon may open.
  [[nodiscard]] bool knows_all() const;

  // What probes say of one backend; `unknown` for one that does not exist.
  [[nodiscard]] Health health(ClusterId cluster, BackendId backend) const;

  // The configuration of a backend under probe. REQUIRES: it exists.
  [[nodiscard]] const BackendConfig& backend_config(const ProbeId& probe) const;
  [[nodiscard]] const HealthCheckConfig& health_check(const ProbeId& probe) const;
  [[nodiscard]] bool exists(const ProbeId& probe) const;

 private:
  struct Target {  // A backend, as the control brain sees it.
    BackendId id;
    BackendConfig config;
    Health health;
    bool probing = false;  // A probe is under way; the deadline is its timeout.
    std::uint32_t probe_number = 0;
    DeadlineId deadline;
  };
  struct Cluster {
    ClusterId id;
    ClusterConfig config;
    std::vector<Target> targets;  // In the order of the configuration.
  };

  void start_probe(Instant now, Cluster& cluster, Target& target);
  void stop_probing(const Cluster& cluster, Target& target);
  void conclude_probe(Instant now, Cluster& cluster, Target& target, ProbeResult result);
  void adopt_targets(Instant now, Cluster& next, Cluster* last);
  [[nodiscard]] std::pair<Cluster*, Target*> find(ClusterId cluster, BackendId backend);
  [[nodiscard]] std::pair<const Cluster*, const Target*> find(ClusterId cluster,
                                                              BackendId backend) const;

  std::vector<Cluster> clusters_;
  std::map<std::string, ClusterId> cluster_ids_;  // By name, for as long as the daemon lives.
  std::uint32_t backend_id_next_ = 0;
  DeadlineTable deadlines_;
  RingQueue<ControlAction> actions_;
};

}  // namespace lb
