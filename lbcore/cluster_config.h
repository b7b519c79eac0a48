// What can be set for a cluster: plain structs, each default with its reason. The configuration
// loader (lbcore/config) fills them in and has checked the stated bounds before anyone sees them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lbcore/client_identity.h"
#include "lbcore/health.h"
#include "lbcore/strategy/registry.h"
#include "lbcore/time.h"
#include "lbcore/tls_config.h"

namespace lb {

// What an operator ordered for one backend; what probes see is HealthState, kept apart.
enum class AdminState : std::uint8_t {
  enabled,
  draining,  // Takes no new requests but those of its sessions, finishes what is in flight.
  disabled,  // Takes no new requests and is not probed.
};

struct BackendConfig {
  std::string id;       // Unique in its cluster; counts and health belong to it across reloads.
  std::string address;  // host:port or [v6]:port. The brain never reads it.
  std::uint32_t weight = 1;
  AdminState state = AdminState::enabled;
  // 0 is served first; a higher number only takes what those before it cannot. 1 is a backup.
  std::uint32_t priority = 0;
  bool operator==(const BackendConfig&) const = default;
};

// -- Who is well

enum class ProbeType : std::uint8_t { http, tcp };
enum class ProbeMethod : std::uint8_t { get, head };

// What a backend counts as before its first probe.
enum class InitialState : std::uint8_t {
  unknown,  // Gets nothing: a new one may well be starting up.
  healthy,  // Serves at once; for backends that are never added before they are ready.
};

struct HealthCheckConfig {
  ProbeType type = ProbeType::http;
  std::string path = "/";
  ProbeMethod method = ProbeMethod::get;
  Duration interval = std::chrono::seconds{5};
  // While unhealthy; `interval` when it is not set.
  std::optional<Duration> unhealthy_interval;
  Duration timeout = std::chrono::seconds{1};
  // Each wait is shortened by a random part of itself up to this many percent, so that probes that
  // began together do not stay together. Never longer: detection is as fast as configured.
  std::uint32_t jitter_percent = 10;
  HealthThresholds thresholds;
  InitialState initial_state = InitialState::unknown;
  std::optional<FlapDampingConfig> flap_damping;
  bool operator==(const HealthCheckConfig&) const = default;
};

// Taking a backend out for what its live traffic shows. Rules follow Envoy's outlier detection.
struct OutlierEjectionConfig {
  // Failed attempts and answers of 500 and above in a row; 0 turns the rule off.
  std::uint32_t consecutive_failures = 5;
  // The same, of 502, 503, 504 and attempts without an answer only.
  std::uint32_t consecutive_gateway_failures = 0;
  // Every `interval` the backends with `min_requests` in it are compared: one whose success rate
  // is more than `success_rate_stdev` standard deviations below the mean is an outlier. 0: off.
  Duration interval = std::chrono::seconds{10};
  double success_rate_stdev = 0;
  // One that failed more than this share of its requests is one, too; 0 turns the rule off.
  std::uint32_t failure_percent = 0;
  std::uint32_t min_requests = 100;
  std::uint32_t min_backends = 5;  // Fewer to compare say nothing of a mean.
  // The n-th ejection lasts n times as long; n falls by one with every interval spent in service.
  Duration base_ejection_time = std::chrono::seconds{30};
  Duration max_ejection_time = std::chrono::seconds{300};
  // Of the cluster's backends, out at the same time. One may be ejected whatever the share, unless
  // it is the last.
  std::uint32_t max_ejected_percent = 50;
  bool detect_only = false;  // Count and tell, eject nobody.
  bool operator==(const OutlierEjectionConfig&) const = default;
};

// Weight grows from `min_percent` to all of it in the first `duration` of a backend that joins or
// comes back: its caches are cold. The share at a part t of the time is t^(1/aggression).
struct SlowStartConfig {
  Duration duration = std::chrono::seconds{30};
  double aggression = 1;  // 1 is a straight line; more gives more early.
  std::uint32_t min_percent = 10;
  bool operator==(const SlowStartConfig&) const = default;
};

// One breaker for each backend, in each worker.
struct CircuitBreakerConfig {
  std::uint32_t consecutive_failures = 5;  // Open the breaker.
  Duration open_time = std::chrono::seconds{10};
  // Trial requests at the same time once it is half open, and how many must succeed in a row to
  // close it. One failure opens it again.
  std::uint32_t trials = 1;
  std::uint32_t successes = 2;
  bool operator==(const CircuitBreakerConfig&) const = default;
};

// -- How much of it

enum class QueueOrder : std::uint8_t {
  fifo,
  // First come first served while the queue is short-lived; newest first once the oldest has
  // waited half its time: those at the front would time out anyway, so serving them helps nobody.
  adaptive_lifo,
};

struct LimitsConfig {
  std::uint32_t max_in_flight_per_backend = 0;  // 0 for no limit, here and below.
  std::uint32_t max_in_flight = 0;              // Of the cluster.
  // Requests that wait for a place, in each worker; 0 answers them with 503 at once.
  std::uint32_t queue = 0;
  Duration queue_timeout = std::chrono::seconds{1};
  QueueOrder queue_order = QueueOrder::fifo;
  bool operator==(const LimitsConfig&) const = default;
};

struct ConnectionPoolConfig {
  // Idle connections kept for each backend by each worker; beyond it the oldest is closed.
  std::uint32_t max_idle_per_backend = 64;
  // Shorter than what common servers keep, so that we close first and no request meets a closing
  // connection; many servers close at 60 s or 75 s.
  Duration idle_timeout = std::chrono::seconds{55};
  // A connection is not used again after this long, or this many requests; 0 for no limit. Backends
  // behind a name or another balancer are found anew this way.
  Duration max_age{};
  std::uint64_t max_requests = 0;
  // Connections each worker opens to a backend that becomes eligible, before anyone asks.
  std::uint32_t warm_up = 0;
  bool operator==(const ConnectionPoolConfig&) const = default;
};

// -- When it fails

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
  // Retries under way of what had been sent, at most, as a share of the requests under way: without
  // a budget an overloaded cluster gets `attempts` times its load. What a crash breaks is not
  // charged. What a backend that falls silent has in flight is, and comes back at once; a share of
  // the requests under way would leave most of it there, so the floor is as high as that may be.
  std::uint32_t budget_percent = 20;
  std::uint32_t budget_floor = 100;
  bool operator==(const RetryConfig&) const = default;
};

struct TimeoutsConfig {
  Duration connect = std::chrono::seconds{1};    // Until the backend accepted the connection.
  Duration response = std::chrono::seconds{30};  // From the request's last byte to the answer.
  Duration idle = std::chrono::seconds{60};      // Without a byte moving, inside a request.
  Duration drain = std::chrono::seconds{30};     // For what a removed backend has in flight.
  // From the arrival of a request to the head of its answer, queue, retries and waits included;
  // 0 for none: how long a whole request may take is the application's to know.
  Duration request{};
  bool operator==(const TimeoutsConfig&) const = default;
};

// A client stays with the backend that served it first, named by a signed cookie.
struct AffinityCookieConfig {
  std::string name = "lbd_backend";
  Duration ttl{};  // How long the cookie holds; 0 for as long as the browser runs.
  // Signs the cookie, so that no client can choose its backend. All daemons that share clients
  // need the same. Empty: made up at start, and sessions do not survive a restart.
  std::string secret;
  bool operator==(const AffinityCookieConfig&) const = default;
};
struct AffinityConfig {
  AffinityCookieConfig cookie;
  bool operator==(const AffinityConfig&) const = default;
};

struct ClusterConfig {
  std::string name;
  StrategyConfig strategy = LeastRequestConfig{};
  std::vector<BackendConfig> backends;
  // Without a health check every backend counts as usable until a request proves otherwise.
  std::optional<HealthCheckConfig> health_check;
  std::optional<OutlierEjectionConfig> outlier_ejection;
  // When less than this percentage of a priority's backends are well, health and ejection are
  // ignored there: more would fall under the load of all. 0 never panics: what probes say is down
  // usually is.
  std::uint32_t panic_threshold = 0;
  std::optional<SlowStartConfig> slow_start;
  std::optional<CircuitBreakerConfig> circuit_breaker;
  LimitsConfig limits;
  ConnectionPoolConfig connection_pool;
  RetryConfig retries;
  TimeoutsConfig timeouts;
  std::optional<AffinityConfig> affinity;
  // What each connection begins with: whose it is. It serves that client alone then, so that none
  // is kept for another.
  SentProxyHeader proxy_protocol = SentProxyHeader::none;
  std::optional<UpstreamTlsConfig> tls;  // Plain without it. The brain makes nothing of it.
  bool operator==(const ClusterConfig&) const = default;
};

// A cluster as the control brain hands it to the data brains: the configuration, and of each
// backend (same order as config.backends) its id, its health and whether it is ejected.
struct ClusterPlan {
  ClusterId id;
  ClusterConfig config;
  std::vector<BackendId> backend_ids;
  std::vector<HealthState> health;
  std::vector<bool> ejected;  // May be empty: nobody is.
};

[[nodiscard]] std::string_view to_string(AdminState state);

}  // namespace lb
