// What can be set for a cluster: plain structs, each default with its reason. The configuration
// loader (lbcore/config) fills them in and has checked the stated bounds before anyone sees them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lbcore/health.h"
#include "lbcore/strategy/registry.h"
#include "lbcore/time.h"

namespace lb {

// What an operator ordered for one backend; what probes see is HealthState, kept apart.
enum class AdminState : std::uint8_t {
  enabled,
  draining,  // Takes no new requests, finishes those in flight.
  disabled,  // Takes no new requests and is not probed.
};

struct BackendConfig {
  std::string id;       // Unique in its cluster; counts and health belong to it across reloads.
  std::string address;  // host:port or [v6]:port. The brain never reads it.
  std::uint32_t weight = 1;
  AdminState state = AdminState::enabled;
  bool operator==(const BackendConfig&) const = default;
};

enum class ProbeType : std::uint8_t { http, tcp };
enum class ProbeMethod : std::uint8_t { get, head };

struct HealthCheckConfig {
  ProbeType type = ProbeType::http;
  std::string path = "/";
  ProbeMethod method = ProbeMethod::get;
  Duration interval = std::chrono::seconds{5};
  Duration timeout = std::chrono::seconds{1};
  HealthThresholds thresholds;
  bool operator==(const HealthCheckConfig&) const = default;
};

struct ConnectionPoolConfig {
  // Idle connections kept for each backend by each worker; beyond it the oldest is closed.
  std::uint32_t max_idle_per_backend = 64;
  // Shorter than what common servers keep, so that we close first and no request meets a closing
  // connection; many servers close at 60 s or 75 s.
  Duration idle_timeout = std::chrono::seconds{55};
  bool operator==(const ConnectionPoolConfig&) const = default;
};

// Which failures are worth another try. Whether a request may be repeated at all is not a matter
// of configuration: see retry.h.
struct RetryConditions {
  bool connect_failure = true;  // Refused or timed out while connecting: nothing was sent.
  bool reset = true;            // The connection broke before any byte of an answer.
  bool timeout = false;         // No answer in time: a repeat doubles the work of a slow backend.
  std::vector<std::uint16_t> statuses;  // Answers with these codes; ascending.
  bool operator==(const RetryConditions&) const = default;
};

struct BackoffConfig {
  // A retry goes to another backend, so it need not wait long for this one; the wait only keeps
  // many clients from retrying in step.
  Duration base = std::chrono::milliseconds{5};
  Duration max = std::chrono::milliseconds{250};
  bool operator==(const BackoffConfig&) const = default;
};

struct RetryConfig {
  static constexpr std::uint32_t kAttemptsMax = 10;
  std::uint32_t attempts = 3;  // In all, the first one included.
  RetryConditions on;
  BackoffConfig backoff;
  bool operator==(const RetryConfig&) const = default;
};

struct TimeoutsConfig {
  Duration connect = std::chrono::seconds{1};    // Until the backend accepted the connection.
  Duration response = std::chrono::seconds{30};  // From the request's last byte to the answer.
  Duration idle = std::chrono::seconds{60};      // Without a byte moving, inside a request.
  Duration drain = std::chrono::seconds{30};     // For what a removed backend has in flight.
  bool operator==(const TimeoutsConfig&) const = default;
};

struct ClusterConfig {
  std::string name;
  StrategyConfig strategy = LeastRequestConfig{};
  std::vector<BackendConfig> backends;
  // Without a health check every backend counts as usable until a request proves otherwise.
  std::optional<HealthCheckConfig> health_check;
  ConnectionPoolConfig connection_pool;
  RetryConfig retries;
  TimeoutsConfig timeouts;
  bool operator==(const ClusterConfig&) const = default;
};

// A cluster as the control brain hands it to the data brains: the configuration, the id of each
// backend (same order as config.backends) and its health at this moment.
struct ClusterPlan {
  ClusterId id;
  ClusterConfig config;
  std::vector<BackendId> backend_ids;
  std::vector<HealthState> health;
};

[[nodiscard]] std::string_view to_string(AdminState state);

}  // namespace lb
