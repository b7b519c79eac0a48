// Control: the control brain, one for each daemon. It owns what all workers must agree on: which
// clusters and backends there are, their ids, their health as active probes see it, and who is
// ejected for what live traffic shows.
//
// It does no I/O. The world carries out probes and hands in their results and the workers' tallies;
// changes of health and ejections come out of poll_action() for the world to pass on to every
// worker's Balancer. Which of several reasons a backend is out for: see exclusion.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lbcore/cluster_config.h"
#include "lbcore/deadline_table.h"
#include "lbcore/exclusion.h"
#include "lbcore/health.h"
#include "lbcore/ids.h"
#include "lbcore/outlier.h"
#include "lbcore/prng.h"
#include "lbcore/ring_queue.h"
#include "lbcore/tally.h"

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
    start_probe,       // Carry `probe` out and call handle_probe_result.
    abandon_probe,     // Drop it: it took too long and has been counted as failed, or a new
                       // configuration does not ask any more. Its backend may not exist any more.
    health_changed,    // Tell every worker: the backend went from `from` to `to`.
    ejection_changed,  // Tell every worker: the backend was ejected or came back, see `ejection`.
  };
  Kind kind = Kind::start_probe;
  ProbeId probe;  // Of a change: the cluster and backend it is about.
  HealthState from{};
  HealthState to{};
  bool silent = false;  // Its last probe had no answer in time, not a bad one.
  EjectionChange ejection;
};

// What the control brain knows of one backend, for the admin API and metrics.
struct BackendStanding {
  HealthState health = HealthState::unknown;
  std::optional<EjectionChange> ejection;  // The one it is in.
  Exclusion exclusion = Exclusion::none;   // Why it takes no requests, before a worker is asked.
};

class Control {
 public:
  // `seed` starts the generator behind the jitter of probes.
  explicit Control(std::uint64_t seed) : prng_(seed) {}

  // A whole, checked configuration. Backends are the same as before when cluster name, id and
  // address are; they keep their id, their health and the memory of how they flapped, and whether
  // they are ejected. Health never rises and no ejection ends by a new configuration, but for one
  // that does without health checks or ejections altogether. Backends seen for the first time are
  // probed at once. O(n log n).
  void handle_config(Instant now, const std::vector<ClusterConfig>& clusters);

  // A result that is late or about something removed is ignored. None at all is one that could not
  // be asked for, which says nothing of the backend: it is asked again an interval later.
  void handle_probe_result(Instant now, const ProbeId& probe, std::optional<ProbeResult> result);

  // What worker number `worker` saw since its last report. Of whom it comes makes no difference
  // (see outlier.h, "In a row"), only in which order. Late ones, about what is gone, are ignored.
  void handle_tallies(Instant now, ClusterId cluster, std::uint32_t worker,
                      std::span<const Tally> tallies);

  [[nodiscard]] std::optional<Instant> poll_timeout() const { return deadlines_.earliest(); }
  void handle_timeout(Instant now);
  // Call after every handle_* until it returns nothing.
  [[nodiscard]] std::optional<ControlAction> poll_action() { return actions_.pop(); }

  // The clusters as the data brains take them, in the order of the configuration.
  [[nodiscard]] std::vector<ClusterPlan> plans() const;

  // Of the backends that are probed, none waits for its first result, unless it counts as healthy
  // until then: the daemon may open.
  [[nodiscard]] bool knows_all() const;

  // What probes say of one backend; `unknown` for one that does not exist.
  [[nodiscard]] Health health(ClusterId cluster, BackendId backend) const;

  // The defaults for one that does not exist.
  [[nodiscard]] BackendStanding standing(ClusterId cluster, BackendId backend) const;

  // Null for a cluster without outlier_ejection.
  [[nodiscard]] const EjectionCounters* ejection_counters(ClusterId cluster) const;

  // The configuration of a backend under probe. REQUIRES: it exists.
  [[nodiscard]] const BackendConfig& backend_config(const ProbeId& probe) const;
  [[nodiscard]] const HealthCheckConfig& health_check(const ProbeId& probe) const;
  [[nodiscard]] bool exists(const ProbeId& probe) const;

 private:
  struct Target {  // A backend, as the control brain sees it.
    BackendId id;
    BackendConfig config;
    Health health;
    FlapHistory flaps;
    bool probing = false;  // A probe is under way; the deadline is its timeout.
    std::uint32_t probe_number = 0;
    DeadlineId deadline;
  };
  struct Cluster {
    ClusterId id;
    ClusterConfig config;
    std::vector<Target> targets;  // In the order of the configuration.
    std::optional<OutlierDetector> outlier;
    DeadlineId outlier_deadline;
    Instant outlier_at;  // When it is.
  };

  void start_probe(Instant now, Cluster& cluster, Target& target);
  void stop_probing(const Cluster& cluster, Target& target);
  void conclude_probe(Instant now, Cluster& cluster, Target& target,
                      std::optional<ProbeResult> result, bool silent);
  [[nodiscard]] Duration wait_between_probes(const HealthCheckConfig& check, HealthState state);
  void adopt_targets(Instant now, Cluster& next, Cluster* last);
  void adopt_outlier(Instant now, Cluster& next, Cluster* last);
  void after_outlier(Cluster& cluster);
  void push_ejection(const Cluster& cluster, const EjectionChange& change);
  void probe_deadline_passed(Instant now, Cluster& cluster, Target& target);
  [[nodiscard]] static BackendFacts facts_of(const Cluster& cluster, const Target& target);
  [[nodiscard]] static bool in_service(const Cluster& cluster, const Target& target);
  [[nodiscard]] Cluster* find(ClusterId cluster);
  [[nodiscard]] const Cluster* find(ClusterId cluster) const;
  [[nodiscard]] std::pair<Cluster*, Target*> find(ClusterId cluster, BackendId backend);
  [[nodiscard]] std::pair<const Cluster*, const Target*> find(ClusterId cluster,
                                                              BackendId backend) const;

  std::vector<Cluster> clusters_;
  std::map<std::string, ClusterId> cluster_ids_;  // By name, for as long as the daemon lives.
  std::uint32_t backend_id_next_ = 0;
  Prng prng_;
  DeadlineTable deadlines_;
  RingQueue<ControlAction> actions_;
};

}  // namespace lb
