// The keys of lbcore's own config structs: what describe() says is read, written and documented.
#pragma once

#include <array>
#include <string>

#include "lbcore/cluster_config.h"
#include "lbcore/config/json.h"
#include "lbcore/config/reader.h"

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

// A strategy is its name, or an object with its name and options.
void read(const Place& place, StrategyConfig& value, Range range = {});
struct Writing;
[[nodiscard]] Json write(Writing, const StrategyConfig& value);
[[nodiscard]] std::string type_words(const StrategyConfig& value, Range range);

// A list of words and status codes: [connect_failure, reset, timeout, "503"].
void read(const Place& place, RetryConditions& value, Range range = {});
[[nodiscard]] Json write(Writing, const RetryConditions& value);
[[nodiscard]] std::string type_words(const RetryConditions& value, Range range);

template <class Fields>
void describe(Fields& fields, BackendConfig& backend) {
  fields.required("id", backend.id, kAboveZero, "a name, unique in its cluster");
  fields.required("address", backend.address, kAboveZero, "host:port or [v6]:port");
  fields.optional("weight", backend.weight, {.min = 1, .max = 65535},
                  "share of the traffic next to the others' weights");
  fields.optional("state", backend.state, "what the operator orders");
}

template <class Fields>
void describe(Fields& fields, HealthCheckConfig& check) {
  fields.optional("type", check.type, "http asks for a 2xx or 3xx answer, tcp for a connection");
  fields.optional("path", check.path, kAboveZero, "what an http probe asks for");
  fields.optional("method", check.method, "how an http probe asks");
  fields.optional("interval", check.interval, kAboveZero, "from one probe's end to the next");
  fields.optional("timeout", check.timeout, kAboveZero, "after which a probe has failed");
  fields.optional("healthy_threshold", check.thresholds.healthy, {.min = 1, .max = 1000},
                  "passes in a row that bring an unhealthy backend back");
  fields.optional("unhealthy_threshold", check.thresholds.unhealthy, {.min = 1, .max = 1000},
                  "failures in a row that take a healthy backend out");
}

template <class Fields>
void describe(Fields& fields, ConnectionPoolConfig& pool) {
  fields.optional("max_idle_per_backend", pool.max_idle_per_backend, {.min = 0, .max = 100'000},
                  "idle connections kept for each backend by each worker");
  fields.optional("idle_timeout", pool.idle_timeout, kAboveZero,
                  "after which an unused connection is closed");
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
}

template <class Fields>
void describe(Fields& fields, TimeoutsConfig& timeouts) {
  fields.optional("connect", timeouts.connect, kAboveZero, "until a backend has accepted");
  fields.optional("response", timeouts.response, kAboveZero,
                  "from the last byte of the request to the first of the answer");
  fields.optional("idle", timeouts.idle, kAboveZero, "without a byte moving inside a request");
  fields.optional("drain", timeouts.drain, kAboveZero,
                  "for what a removed backend still has in flight");
}

template <class Fields>
void describe(Fields& fields, ClusterConfig& cluster) {
  fields.required("name", cluster.name, kAboveZero, "a name, unique among the clusters");
  fields.optional("strategy", cluster.strategy, "who gets the next request");
  fields.required("backends", cluster.backends, "the list of its backends");
  fields.optional("health_check", cluster.health_check, "active probes; none without this key");
  fields.optional("connection_pool", cluster.connection_pool, "reuse of upstream connections");
  fields.optional("retries", cluster.retries, "another try on another backend");
  fields.optional("timeouts", cluster.timeouts, "when to give up");
}

}  // namespace lb::config
