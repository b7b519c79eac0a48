// What the workers counted, added up: as Prometheus text and as JSON.
#pragma once

#include <string>
#include <vector>

#include "lbcore/config/json.h"
#include "lbnet/metrics.h"

namespace lb::daemon {

using config::Json;

// What the control side adds to the workers' counts.
struct ControlFacts {
  std::string version;
  std::string config_hash;
  std::uint64_t reloads_succeeded = 0;
  std::uint64_t reloads_failed = 0;
  std::int64_t last_reload_success_unix_seconds = 0;
  std::uint64_t access_log_dropped = 0;
};

// One cluster over all workers.
struct ClusterTotals {
  std::string name;
  BalancerCounters counters;
  std::uint64_t in_progress = 0;
  struct Backend {
    std::string id;
    std::string address;
    HealthState health{};
    bool removed = false;
    std::uint32_t eligible_workers = 0;  // Workers that would pick it now.
    std::uint64_t in_flight = 0;
    std::uint64_t idle_connections = 0;
    std::uint64_t picked = 0;
    std::uint64_t failures = 0;
  };
  std::vector<Backend> backends;
};

[[nodiscard]] std::vector<ClusterTotals> add_up(const std::vector<net::WorkerSnapshot>& workers);

[[nodiscard]] std::string to_prometheus(const std::vector<net::WorkerSnapshot>& workers,
                                        const ControlFacts& facts);
[[nodiscard]] Json to_json(const std::vector<net::WorkerSnapshot>& workers,
                           const ControlFacts& facts);

}  // namespace lb::daemon
