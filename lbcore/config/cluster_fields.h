// The keys of lbcore's own config structs: what describe() says is read, written and documented.
#pragma once

#include <array>
#include <string>

#include "lbcore/cluster_config.h"
#include "lbcore/config/identity_fields.h"
#include "lbcore/config/json.h"
#include "lbcore/config/key_expression.h"
#include "lbcore/config/reader.h"
#include "lbcore/config/tls_fields.h"

namespace lb::config {

template <>
struct EnumWords<AdminState> {
  static constexpr std::array<std::pair<AdminState, const char*>, 3> words{
      {{AdminState::enabled, "enabled"},
       {AdminState::draining, "draining"},
       {AdminState::disabled, "disabled"}}};
};
template <>
struct EnumWords<ProbeType> {
  static constexpr std::array<std::pair<ProbeType, const char*>, 2> words{
      {{ProbeType::http, "http"}, {ProbeType::tcp, "tcp"}}};
};
template <>
struct EnumWords<ProbeMethod> {
  static constexpr std::array<std::pair<ProbeMethod, const char*>, 2> words{
      {{ProbeMethod::get, "GET"}, {ProbeMethod::head, "HEAD"}}};
};

template <>
struct EnumWords<InitialState> {
  static constexpr std::array<std::pair<InitialState, const char*>, 2> words{
      {{InitialState::unknown, "unknown"}, {InitialState::healthy, "healthy"}}};
};
template <>
struct EnumWords<QueueOrder> {
  static constexpr std::array<std::pair<QueueOrder, const char*>, 2> words{
      {{QueueOrder::fifo, "fifo"}, {QueueOrder::adaptive_lifo, "adaptive_lifo"}}};
};

// A strategy is its name, or an object with its name and options.
void read(const Place& place, StrategyConfig& value, Range range = {});
struct Writing;
class Definitions;
[[nodiscard]] Json write(Writing, const StrategyConfig& value);
[[nodiscard]] std::string type_words(const StrategyConfig& value, Range range);
[[nodiscard]] Json schema_of(Definitions& definitions, const StrategyConfig& value,
                             Range range = {});
struct Key;
// The options of all strategies.
void list_options(std::vector<Key>& keys, const std::string& prefix, const StrategyConfig& value);

// A list of words and status codes: [connect_failure, reset, timeout, "503"].
void read(const Place& place, RetryConditions& value, Range range = {});
[[nodiscard]] Json write(Writing, const RetryConditions& value);
[[nodiscard]] std::string type_words(const RetryConditions& value, Range range);
[[nodiscard]] Json schema_of(Definitions& definitions, const RetryConditions& value,
                             Range range = {});

template <class Fields>
void describe(Fields& fields, BackendConfig& backend) {
  fields.required("id", backend.id, kAboveZero, "a name, unique in its cluster");
  fields.required("address", backend.address, kAboveZero, "host:port, [v6]:port or unix:/path");
  fields.optional("weight", backend.weight, {.min = 1, .max = 65535},
                  "share of the traffic next to the others' weights");
  fields.optional("state", backend.state, "what the operator orders");
  fields.optional("priority", backend.priority, {.min = 0, .max = 15},
                  "0 is served first; 1 and above take what those before cannot");
}

template <class Fields>
void describe(Fields& fields, FlapDampingConfig& damping) {
  fields.optional("window", damping.window, kAboveZero,
                  "a fall this soon after the last one doubles the passes needed");
  fields.optional("max_factor", damping.max_factor, {.min = 2, .max = 1024},
                  "how many times healthy_threshold they can become");
}

template <class Fields>
void describe(Fields& fields, HealthCheckConfig& check) {
  fields.optional("type", check.type, "http asks for a 2xx or 3xx answer, tcp for a connection");
  fields.optional("path", check.path, kAboveZero, "what an http probe asks for");
  fields.optional("method", check.method, "how an http probe asks");
  fields.optional("interval", check.interval, kAboveZero, "from one probe's end to the next");
  fields.optional("unhealthy_interval", check.unhealthy_interval, kAboveZero,
                  "the same for an unhealthy backend; `interval` without it");
  fields.optional("timeout", check.timeout, kAboveZero, "after which a probe has failed");
  fields.optional("jitter_percent", check.jitter_percent, {.min = 0, .max = 100},
                  "part of each interval that chance may cut off, so that probes spread");
  fields.optional("healthy_threshold", check.thresholds.healthy, {.min = 1, .max = 1000},
                  "passes in a row that bring an unhealthy backend back");
  fields.optional("unhealthy_threshold", check.thresholds.unhealthy, {.min = 1, .max = 1000},
                  "failures in a row that take a healthy backend out");
  fields.optional("initial_state", check.initial_state,
                  "what a backend counts as before its first probe; unknown gets nothing");
  fields.optional("flap_damping", check.flap_damping, "believe a backend less that keeps falling");
}

template <class Fields>
void describe(Fields& fields, OutlierEjectionConfig& outlier) {
  fields.optional("consecutive_failures", outlier.consecutive_failures, {.min = 0, .max = 100'000},
                  "failures and answers of 500 and above in a row that eject; 0 for never");
  fields.optional("consecutive_gateway_failures", outlier.consecutive_gateway_failures,
                  {.min = 0, .max = 100'000},
                  "the same for 502, 503, 504 and no answer at all; 0 for never");
  fields.optional("interval", outlier.interval, kAboveZero, "how often rates are compared");
  fields.optional("success_rate_stdev", outlier.success_rate_stdev, {.min = 0, .max = 100},
                  "standard deviations below the mean success rate that eject; 0 for never");
  fields.optional("failure_percent", outlier.failure_percent, {.min = 0, .max = 100},
                  "share of failures in an interval above which to eject; 0 for never");
  fields.optional("min_requests", outlier.min_requests, {.min = 1, .max = 1'000'000'000},
                  "in an interval, for a backend's rate to count");
  fields.optional("min_backends", outlier.min_backends, {.min = 1, .max = 100'000},
                  "with a rate that counts, for any to be compared");
  fields.optional("base_ejection_time", outlier.base_ejection_time, kAboveZero,
                  "length of the first ejection; the n-th lasts n times as long");
  fields.optional("max_ejection_time", outlier.max_ejection_time, kAboveZero,
                  "length no ejection exceeds");
  fields.optional("max_ejected_percent", outlier.max_ejected_percent, {.min = 0, .max = 100},
                  "share of the backends that may be out at the same time");
  fields.optional("detect_only", outlier.detect_only, "count in the metrics, eject nobody");
}

template <class Fields>
void describe(Fields& fields, SlowStartConfig& slow_start) {
  fields.optional("duration", slow_start.duration, kAboveZero, "until all of the weight counts");
  fields.optional("aggression", slow_start.aggression, {.min = 1, .max = 10},
                  "1 grows in a straight line, more gives more early");
  fields.optional("min_percent", slow_start.min_percent, {.min = 1, .max = 100},
                  "share of the weight to begin with");
}

template <class Fields>
void describe(Fields& fields, CircuitBreakerConfig& breaker) {
  fields.optional("consecutive_failures", breaker.consecutive_failures, {.min = 1, .max = 100'000},
                  "failures in a row that open it");
  fields.optional("open_time", breaker.open_time, kAboveZero, "until it is half open");
  fields.optional("trials", breaker.trials, {.min = 1, .max = 1000},
                  "requests at the same time while it is half open");
  fields.optional("successes", breaker.successes, {.min = 1, .max = 1000},
                  "in a row, while it is half open, that close it");
}

template <class Fields>
void describe(Fields& fields, LimitsConfig& limits) {
  constexpr Range kLimit{.min = 0, .max = 10'000'000};
  fields.optional("max_in_flight_per_backend", limits.max_in_flight_per_backend, kLimit,
                  "requests one backend works on at the same time; 0 for any number");
  fields.optional("max_in_flight", limits.max_in_flight, kLimit,
                  "the same for the whole cluster; 0 for any number");
  fields.optional("queue", limits.queue, kLimit,
                  "requests that may wait for a place, in each worker; 0 refuses them");
  fields.optional("queue_timeout", limits.queue_timeout, kAboveZero, "longest wait for a place");
  fields.optional("queue_order", limits.queue_order,
                  "adaptive_lifo serves the newest first when waits grow long");
}

template <class Fields>
void describe(Fields& fields, ConnectionPoolConfig& pool) {
  fields.optional("max_idle_per_backend", pool.max_idle_per_backend, {.min = 0, .max = 100'000},
                  "idle connections kept for each backend by each worker");
  fields.optional("idle_timeout", pool.idle_timeout, kAboveZero,
                  "after which an unused connection is closed");
  fields.optional("max_age", pool.max_age, kFromZero,
                  "after which a connection is not used again; 0 for never");
  fields.optional("max_requests", pool.max_requests, kFromZero,
                  "after which a connection is not used again; 0 for any number");
  fields.optional("warm_up", pool.warm_up, {.min = 0, .max = 10'000},
                  "connections each worker opens to a backend that becomes eligible");
}

template <class Fields>
void describe(Fields& fields, BackoffConfig& backoff) {
  fields.optional("base", backoff.base, kFromZero, "longest wait before the first retry");
  fields.optional("max", backoff.max, kFromZero, "longest wait before any retry");
}

template <class Fields>
void describe(Fields& fields, RetryConfig& retries) {
  fields.optional("attempts", retries.attempts, {.min = 1, .max = RetryConfig::kAttemptsMax},
                  "tries in all, the first one included");
  fields.optional("on", retries.on, "which failures and statuses are worth another try");
  fields.optional("backoff", retries.backoff, "how long to wait before it");
  fields.optional("budget_percent", retries.budget_percent, {.min = 0, .max = 100},
                  "retries under way, at most, as a share of the requests under way");
  fields.optional("budget_floor", retries.budget_floor, {.min = 0, .max = 100'000},
                  "retries that are allowed however few requests there are");
}

template <class Fields>
void describe(Fields& fields, TimeoutsConfig& timeouts) {
  fields.optional("connect", timeouts.connect, kAboveZero, "until a backend has accepted");
  fields.optional("response", timeouts.response, kAboveZero,
                  "from the last byte of the request to the first of the answer");
  fields.optional("idle", timeouts.idle, kAboveZero, "without a byte moving inside a request");
  fields.optional("drain", timeouts.drain, kAboveZero,
                  "for what a removed backend still has in flight");
  fields.optional("request", timeouts.request, kFromZero,
                  "from a request's arrival to its answer, queue and retries included; 0 for none");
}

template <class Fields>
void describe(Fields& fields, AffinityCookieConfig& cookie) {
  fields.optional("name", cookie.name, kAboveZero, "name of the cookie");
  fields.optional("ttl", cookie.ttl, kFromZero,
                  "how long it holds; 0 for as long as the browser runs");
  fields.optional("secret", cookie.secret,
                  "signs the cookie; the same in all daemons, made up at start without it");
}

template <class Fields>
void describe(Fields& fields, AffinityConfig& affinity) {
  fields.required("cookie", affinity.cookie, "the cookie that names the backend");
}

template <class Fields>
void describe(Fields& fields, ClusterConfig& cluster) {
  fields.required("name", cluster.name, kAboveZero, "a name, unique among the clusters");
  fields.optional("strategy", cluster.strategy, "who gets the next request");
  fields.required("backends", cluster.backends, "the list of its backends");
  fields.optional("health_check", cluster.health_check, "active probes; none without this key");
  fields.optional("outlier_ejection", cluster.outlier_ejection,
                  "take out backends by what live traffic shows; not without this key");
  fields.optional("panic_threshold", cluster.panic_threshold, {.min = 0, .max = 100},
                  "percentage of well backends below which health is ignored; 0 for never");
  fields.optional("slow_start", cluster.slow_start,
                  "ramp of a backend that joins or comes back; none without this key");
  fields.optional("circuit_breaker", cluster.circuit_breaker,
                  "pause for a backend that keeps failing; none without this key");
  fields.optional("limits", cluster.limits, "how much at the same time");
  fields.optional("connection_pool", cluster.connection_pool, "reuse of upstream connections");
  fields.optional("retries", cluster.retries, "another try on another backend");
  fields.optional("timeouts", cluster.timeouts, "when to give up");
  fields.optional("affinity", cluster.affinity,
                  "sessions stay on their backend by a cookie; not without this key");
  fields.optional("proxy_protocol", cluster.proxy_protocol,
                  "the PROXY header that says to its backends whose each connection is");
  fields.optional("tls", cluster.tls, "TLS to its backends; plain without this key");
}

void check(const ObjectReader& reader, const ClusterConfig& cluster);

}  // namespace lb::config
