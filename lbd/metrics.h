// What the workers counted, added up: as Prometheus text and as JSON.
#pragma once

#include <string>
#include <vector>

#include "lbcore/config/json.h"
#include "lbcore/outlier.h"
#include "lbnet/metrics.h"

namespace lb::daemon {

using config::Json;

// What the control side adds to the workers' counts.
struct ControlFacts {
  struct Ejections {
    std::string cluster;
    EjectionCounters counters;
  };
  struct Certificate {  // That a listener shows its clients.
    std::string listener;
    std::string file;
    std::int64_t not_after_unix_seconds = 0;
  };
  std::string version;
  std::string config_hash;
  std::uint64_t reloads_succeeded = 0;
  std::uint64_t reloads_failed = 0;
  std::int64_t last_reload_success_unix_seconds = 0;
  std::uint64_t access_log_dropped = 0;
  std::uint32_t connections_max = 0;  // Of clients, at a time.
  std::vector<Ejections> ejections;   // Of the clusters that have them.
  std::vector<Certificate> certificates;
};

// One cluster over all workers.
struct ClusterTotals {
  std::string name;
  BalancerCounters counters;
  net::LoadProbeCounters load_probes;
  std::uint64_t in_progress = 0;
  std::uint64_t queue_length = 0;
  std::uint32_t panicking_workers = 0;
  std::uint32_t max_in_flight_per_backend = 0;  // 0 for no limit.
  struct Backend {
    std::string id;
    std::string address;
    std::uint32_t weight = 1;
    HealthState health{};
    bool removed = false;
    bool ejected = false;
    std::uint32_t eligible_workers = 0;     // Workers that would pick it now.
    Exclusion exclusion = Exclusion::none;  // Why the others would not: the last one's reason.
    std::uint32_t open_breakers = 0;        // Workers whose breaker is open or half open.
    std::uint32_t ramp_percent = 100;       // The least of all workers.
    ErrorTrend::Reading errors;  // Of all workers; the change is that of the one that saw most.
    std::uint64_t in_flight = 0;
    std::uint64_t idle_connections = 0;
    std::uint64_t picked = 0;
    std::uint64_t failures = 0;
  };
  std::vector<Backend> backends;

  // Of all attempts, those on this backend.
  [[nodiscard]] double share(const Backend& backend) const;
  // Jain's index over attempts for each unit of weight.
  [[nodiscard]] double fairness() const;
};

[[nodiscard]] std::vector<ClusterTotals> add_up(const std::vector<net::WorkerSnapshot>& workers);

// What is measured of one backend, under the names /metrics and /backends share.
[[nodiscard]] Json observables(const ClusterTotals& cluster, const ClusterTotals::Backend& backend);

// With the names the configuration has for the backends.
[[nodiscard]] Json to_json(const Explanation& explanation, const ClusterPlan& plan);

[[nodiscard]] std::string to_prometheus(const std::vector<net::WorkerSnapshot>& workers,
                                        const ControlFacts& facts);
[[nodiscard]] Json to_json(const std::vector<net::WorkerSnapshot>& workers,
                           const ControlFacts& facts);

}  // namespace lb::daemon
