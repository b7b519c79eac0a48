// Goal: what workers counted is added up once each, and shown under the names the documentation
// promises.
// Method: two made-up workers; the whole Prometheus text and the whole JSON, written out.
#include "lbd/metrics.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace lb::daemon {
namespace {

using namespace std::chrono_literals;

BackendStatus status_of(std::uint32_t id, HealthState health, bool eligible) {
  BackendStatus status;
  status.id = BackendId{id};
  status.health = health;
  status.eligible = eligible;
  status.in_flight = 1;
  status.idle_connections = 2;
  status.picked = 10;
  status.failures = 3;
  return status;
}

net::WorkerSnapshot first_worker() {
  net::WorkerSnapshot worker;
  net::ClusterSnapshot& shop = worker.clusters.emplace_back();
  shop.name = "shop";
  shop.in_progress = 2;
  shop.counters.requests = 12;
  shop.counters.attempts = 20;
  shop.counters.retries = 5;
  shop.counters.connections_opened = 4;
  shop.counters.connections_reused = 16;
  shop.counters.outcomes[Outcome::success] = 9;
  shop.counters.outcomes[Outcome::timeout] = 1;
  shop.backends = {{status_of(1, HealthState::healthy, true), "b1", "10.0.0.1:80"},
                   {status_of(2, HealthState::unhealthy, false), "b2", "10.0.0.2:80"}};
  net::ListenerCounters& web = worker.listeners["web"];
  web.connections = 7;
  web.connections_active = 3;
  web.answers = {1, 0, 9, 0, 2, 1};
  web.rejected = 2;
  web.bytes_in = 100;
  web.bytes_out = 2000;
  web.tls = {.full = 5, .resumed = 3, .failed = 2, .handshakes_active = 1};
  web.refused_per_client = 5;
  web.proxy_headers = {.untrusted = 4, .malformed = 3, .timeout = 2};
  web.pauses_full = 6;
  web.pauses_descriptors = 1;
  web.durations.add(3'906'250ns);  // 1/256 s: sums of these are exact.
  web.durations.add(7'812'500ns);
  web.durations.add(8s);
  return worker;
}

net::WorkerSnapshot second_worker() {
  net::WorkerSnapshot worker = first_worker();
  worker.clusters[0].backends.pop_back();  // It has dropped what the other still drains.
  worker.clusters[0].backends[0].status.eligible = false;
  worker.listeners["web"].durations = {};
  return worker;
}

std::vector<net::WorkerSnapshot> workers() { return {first_worker(), second_worker()}; }

constexpr const char* kVersion = "1.2.3";

ControlFacts facts() {
  return {.version = kVersion,
          .config_hash = "00ff",
          .reloads_succeeded = 2,
          .reloads_failed = 1,
          .last_reload_success_unix_seconds = 1'700'000'000,
          .access_log_dropped = 4,
          .connections_max = 500};
}

TEST(DurationHistogram, PutsADurationInTheFirstBucketThatHoldsIt) {
  net::DurationHistogram histogram;
  histogram.add(0ms);
  histogram.add(5ms);
  histogram.add(5ms + 1ns);
  histogram.add(7500ms);
  histogram.add(7501ms);
  EXPECT_EQ(histogram.counts,
            (std::array<std::uint64_t, 14>{2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1}));
  EXPECT_NEAR(histogram.sum, 15.011, 1e-6);
  net::DurationHistogram twice = histogram;
  twice.add(histogram);
  EXPECT_EQ(twice.counts[0], 4u);
  EXPECT_NEAR(twice.sum, 30.022, 1e-6);
}

TEST(Metrics, AddUpOverWorkers) {
  const std::vector<ClusterTotals> clusters = add_up(workers());
  ASSERT_EQ(clusters.size(), 1u);
  const ClusterTotals& shop = clusters[0];
  EXPECT_EQ(shop.name, "shop");
  EXPECT_EQ(shop.in_progress, 4u);
  EXPECT_EQ(shop.counters.requests, 24u);
  EXPECT_EQ(shop.counters.attempts, 40u);
  EXPECT_EQ(shop.counters.retries, 10u);
  EXPECT_EQ(shop.counters.connections_opened, 8u);
  EXPECT_EQ(shop.counters.connections_reused, 32u);
  EXPECT_EQ(shop.counters.outcomes[Outcome::success], 18u);
  EXPECT_EQ(shop.counters.outcomes.total(), 20u);
  ASSERT_EQ(shop.backends.size(), 2u);
  EXPECT_EQ(shop.backends[0].id, "b1");
  EXPECT_EQ(shop.backends[0].eligible_workers, 1u);
  EXPECT_EQ(shop.backends[0].in_flight, 2u);
  EXPECT_EQ(shop.backends[0].idle_connections, 4u);
  EXPECT_EQ(shop.backends[0].picked, 20u);
  EXPECT_EQ(shop.backends[0].failures, 6u);
  EXPECT_EQ(shop.backends[1].picked, 10u) << "one worker knows it";
  EXPECT_EQ(shop.backends[1].health, HealthState::unhealthy);
}

TEST(Metrics, NoWorkersNoClusters) { EXPECT_TRUE(add_up({}).empty()); }

TEST(Metrics, KeepClustersApart) {
  net::WorkerSnapshot worker = first_worker();
  worker.clusters.push_back(worker.clusters[0]);
  worker.clusters[1].name = "other";
  const auto clusters = add_up({worker, worker});
  ASSERT_EQ(clusters.size(), 2u);
  EXPECT_EQ(clusters[0].counters.requests, 24u);
  EXPECT_EQ(clusters[1].counters.requests, 24u);
}

constexpr const char* kPrometheus =
    R"GOLDEN(# HELP lbd_requests_total Requests that ended, by outcome
# TYPE lbd_requests_total counter
lbd_requests_total{cluster="shop",outcome="success"} 18
lbd_requests_total{cluster="shop",outcome="backend_error"} 0
lbd_requests_total{cluster="shop",outcome="no_backend"} 0
lbd_requests_total{cluster="shop",outcome="over_limit"} 0
lbd_requests_total{cluster="shop",outcome="queue_timeout"} 0
lbd_requests_total{cluster="shop",outcome="connect_failure"} 0
lbd_requests_total{cluster="shop",outcome="reset"} 0
lbd_requests_total{cluster="shop",outcome="timeout"} 2
lbd_requests_total{cluster="shop",outcome="invalid_answer"} 0
lbd_requests_total{cluster="shop",outcome="cut"} 0
lbd_requests_total{cluster="shop",outcome="client_gone"} 0
# HELP lbd_requests_in_progress Requests being served
# TYPE lbd_requests_in_progress gauge
lbd_requests_in_progress{cluster="shop"} 4
# HELP lbd_attempts_total Attempts on backends
# TYPE lbd_attempts_total counter
lbd_attempts_total{cluster="shop"} 40
# HELP lbd_retries_total Attempts after the first
# TYPE lbd_retries_total counter
lbd_retries_total{cluster="shop"} 10
# HELP lbd_retry_budget_exhausted_total Retries that the budget did not allow
# TYPE lbd_retry_budget_exhausted_total counter
lbd_retry_budget_exhausted_total{cluster="shop"} 0
# HELP lbd_queued_requests_total Requests that waited for a place
# TYPE lbd_queued_requests_total counter
lbd_queued_requests_total{cluster="shop"} 0
# HELP lbd_queue_length Requests that wait for a place now
# TYPE lbd_queue_length gauge
lbd_queue_length{cluster="shop"} 0
# HELP lbd_circuit_breakers_opened_total Times a circuit breaker opened
# TYPE lbd_circuit_breakers_opened_total counter
lbd_circuit_breakers_opened_total{cluster="shop"} 0
# HELP lbd_sessions_moved_total Sessions whose backend could not take them any more
# TYPE lbd_sessions_moved_total counter
lbd_sessions_moved_total{cluster="shop"} 0
# HELP lbd_cluster_panic 1 while so few are well that health is ignored
# TYPE lbd_cluster_panic gauge
lbd_cluster_panic{cluster="shop"} 0
# HELP lbd_load_probes_total Questions to backends how loaded they are, by result
# TYPE lbd_load_probes_total counter
lbd_load_probes_total{cluster="shop",result="told"} 0
lbd_load_probes_total{cluster="shop",result="failed"} 0
lbd_load_probes_total{cluster="shop",result="dropped"} 0
# HELP lbd_cluster_fairness_index Jain's index of attempts by weight: 1 is even, 1/n is all on one
# TYPE lbd_cluster_fairness_index gauge
lbd_cluster_fairness_index{cluster="shop"} 0.9
# HELP lbd_upstream_connections_opened_total Connections opened to backends
# TYPE lbd_upstream_connections_opened_total counter
lbd_upstream_connections_opened_total{cluster="shop"} 8
# HELP lbd_upstream_connections_reused_total Attempts over a connection that was open already
# TYPE lbd_upstream_connections_reused_total counter
lbd_upstream_connections_reused_total{cluster="shop"} 32
# HELP lbd_backend_up 1 unless probes say that it is unhealthy
# TYPE lbd_backend_up gauge
lbd_backend_up{cluster="shop",backend="b1"} 1
lbd_backend_up{cluster="shop",backend="b2"} 0
# HELP lbd_backend_eligible 1 when it may be picked now
# TYPE lbd_backend_eligible gauge
lbd_backend_eligible{cluster="shop",backend="b1"} 1
lbd_backend_eligible{cluster="shop",backend="b2"} 0
# HELP lbd_backend_active_requests Requests assigned and not finished
# TYPE lbd_backend_active_requests gauge
lbd_backend_active_requests{cluster="shop",backend="b1"} 2
lbd_backend_active_requests{cluster="shop",backend="b2"} 1
# HELP lbd_backend_idle_connections Connections in the pool
# TYPE lbd_backend_idle_connections gauge
lbd_backend_idle_connections{cluster="shop",backend="b1"} 4
lbd_backend_idle_connections{cluster="shop",backend="b2"} 2
# HELP lbd_backend_attempts_total Attempts sent to it
# TYPE lbd_backend_attempts_total counter
lbd_backend_attempts_total{cluster="shop",backend="b1"} 20
lbd_backend_attempts_total{cluster="shop",backend="b2"} 10
# HELP lbd_backend_failures_total Attempts on it that failed
# TYPE lbd_backend_failures_total counter
lbd_backend_failures_total{cluster="shop",backend="b1"} 6
lbd_backend_failures_total{cluster="shop",backend="b2"} 3
# HELP lbd_backend_ejected 1 while it is ejected for what its traffic showed
# TYPE lbd_backend_ejected gauge
lbd_backend_ejected{cluster="shop",backend="b1"} 0
lbd_backend_ejected{cluster="shop",backend="b2"} 0
# HELP lbd_backend_failure_ratio Share of its attempts of the last minute that failed
# TYPE lbd_backend_failure_ratio gauge
lbd_backend_failure_ratio{cluster="shop",backend="b1"} 0
lbd_backend_failure_ratio{cluster="shop",backend="b2"} 0
# HELP lbd_backend_open_breakers Workers whose circuit breaker keeps it closed off
# TYPE lbd_backend_open_breakers gauge
lbd_backend_open_breakers{cluster="shop",backend="b1"} 0
lbd_backend_open_breakers{cluster="shop",backend="b2"} 0
# HELP lbd_backend_slow_start_ratio Part of its weight that counts already
# TYPE lbd_backend_slow_start_ratio gauge
lbd_backend_slow_start_ratio{cluster="shop",backend="b1"} 1
lbd_backend_slow_start_ratio{cluster="shop",backend="b2"} 1
# HELP lbd_downstream_connections_total Connections accepted
# TYPE lbd_downstream_connections_total counter
lbd_downstream_connections_total{listener="web"} 14
# HELP lbd_downstream_connections_active Connections open now
# TYPE lbd_downstream_connections_active gauge
lbd_downstream_connections_active{listener="web"} 6
# HELP lbd_rejected_requests_total Requests refused before they reached a cluster
# TYPE lbd_rejected_requests_total counter
lbd_rejected_requests_total{listener="web"} 4
# HELP lbd_rate_limited_total Requests, and connections for TCP, refused by the rate limit
# TYPE lbd_rate_limited_total counter
lbd_rate_limited_total{listener="web"} 0
# HELP lbd_not_routed_requests_total Requests that no route fits, answered with 404
# TYPE lbd_not_routed_requests_total counter
lbd_not_routed_requests_total{listener="web"} 0
# HELP lbd_redirected_requests_total Requests that a route answered with a redirect
# TYPE lbd_redirected_requests_total counter
lbd_redirected_requests_total{listener="web"} 0
# HELP lbd_responded_requests_total Requests that a route answered itself
# TYPE lbd_responded_requests_total counter
lbd_responded_requests_total{listener="web"} 0
# HELP lbd_received_bytes_total Bytes of bodies from clients
# TYPE lbd_received_bytes_total counter
lbd_received_bytes_total{listener="web"} 200
# HELP lbd_sent_bytes_total Bytes of bodies to clients
# TYPE lbd_sent_bytes_total counter
lbd_sent_bytes_total{listener="web"} 4000
# HELP lbd_tls_handshakes_active TLS handshakes with clients under way
# TYPE lbd_tls_handshakes_active gauge
lbd_tls_handshakes_active{listener="web"} 2
# HELP lbd_tls_handshakes_total TLS handshakes with clients, by how they ended
# TYPE lbd_tls_handshakes_total counter
lbd_tls_handshakes_total{listener="web",result="full"} 10
lbd_tls_handshakes_total{listener="web",result="resumed"} 6
lbd_tls_handshakes_total{listener="web",result="failed"} 4
# HELP lbd_refused_connections_total Connections of clients that had too many
# TYPE lbd_refused_connections_total counter
lbd_refused_connections_total{listener="web"} 10
# HELP lbd_refused_proxy_headers_total Connections that did not begin with a PROXY header of a trusted proxy, by what was wrong
# TYPE lbd_refused_proxy_headers_total counter
lbd_refused_proxy_headers_total{listener="web",reason="untrusted"} 8
lbd_refused_proxy_headers_total{listener="web",reason="malformed"} 6
lbd_refused_proxy_headers_total{listener="web",reason="timeout"} 4
# HELP lbd_accept_pauses_total Times a worker left connections waiting, by what was short
# TYPE lbd_accept_pauses_total counter
lbd_accept_pauses_total{listener="web",reason="max_connections"} 12
lbd_accept_pauses_total{listener="web",reason="descriptors"} 2
# HELP lbd_answers_total Answers to clients by class of status; none for TCP and clients gone
# TYPE lbd_answers_total counter
lbd_answers_total{listener="web",code_class="none"} 2
lbd_answers_total{listener="web",code_class="1xx"} 0
lbd_answers_total{listener="web",code_class="2xx"} 18
lbd_answers_total{listener="web",code_class="3xx"} 0
lbd_answers_total{listener="web",code_class="4xx"} 4
lbd_answers_total{listener="web",code_class="5xx"} 2
# HELP lbd_request_duration_seconds From a request's first byte to its answer's last
# TYPE lbd_request_duration_seconds histogram
lbd_request_duration_seconds_count{listener="web"} 3
lbd_request_duration_seconds_sum{listener="web"} 8.01171875
lbd_request_duration_seconds_bucket{listener="web",le="0.005"} 1
lbd_request_duration_seconds_bucket{listener="web",le="0.01"} 2
lbd_request_duration_seconds_bucket{listener="web",le="0.025"} 2
lbd_request_duration_seconds_bucket{listener="web",le="0.05"} 2
lbd_request_duration_seconds_bucket{listener="web",le="0.075"} 2
lbd_request_duration_seconds_bucket{listener="web",le="0.1"} 2
lbd_request_duration_seconds_bucket{listener="web",le="0.25"} 2
lbd_request_duration_seconds_bucket{listener="web",le="0.5"} 2
lbd_request_duration_seconds_bucket{listener="web",le="0.75"} 2
lbd_request_duration_seconds_bucket{listener="web",le="1"} 2
lbd_request_duration_seconds_bucket{listener="web",le="2.5"} 2
lbd_request_duration_seconds_bucket{listener="web",le="5"} 2
lbd_request_duration_seconds_bucket{listener="web",le="7.5"} 2
lbd_request_duration_seconds_bucket{listener="web",le="+Inf"} 3
# HELP lbd_worker_connections_total Connections accepted by each worker
# TYPE lbd_worker_connections_total counter
lbd_worker_connections_total{worker="0"} 7
lbd_worker_connections_total{worker="1"} 7
# HELP lbd_ejections_total Backends that a rule found, and whether they were ejected
# TYPE lbd_ejections_total counter
# HELP lbd_config_reloads_total Configurations offered while running
# TYPE lbd_config_reloads_total counter
lbd_config_reloads_total{result="success"} 2
lbd_config_reloads_total{result="failure"} 1
# HELP lbd_config_last_reload_success_timestamp_seconds When the configuration in use was taken
# TYPE lbd_config_last_reload_success_timestamp_seconds gauge
lbd_config_last_reload_success_timestamp_seconds 1700000000
# HELP lbd_access_log_dropped_lines_total Lines the disk was too slow for
# TYPE lbd_access_log_dropped_lines_total counter
lbd_access_log_dropped_lines_total 4
# HELP lbd_max_connections Clients' connections at a time, beyond which they wait
# TYPE lbd_max_connections gauge
lbd_max_connections 500
# HELP lbd_build_info Always 1
# TYPE lbd_build_info gauge
lbd_build_info{version="1.2.3"} 1
)GOLDEN";

TEST(Metrics, AsPrometheusText) { EXPECT_EQ(to_prometheus(workers(), facts()), kPrometheus); }

// Each name is announced once, and what is counted says so in its name.
TEST(Metrics, FollowTheNamingOfPrometheus) {
  std::istringstream lines{to_prometheus(workers(), facts())};
  std::map<std::string, std::string> types;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("# TYPE ")) continue;
    std::istringstream words{line.substr(7)};
    std::string name, type;
    words >> name >> type;
    EXPECT_TRUE(types.emplace(name, type).second) << name;
    EXPECT_TRUE(name.starts_with("lbd_")) << name;
    EXPECT_EQ(name.ends_with("_total"), type == "counter") << name;
  }
  EXPECT_GT(types.size(), 15u);
}

bool has_line(const std::string& text, const std::string& line) {
  return ('\n' + text).find('\n' + line + '\n') != std::string::npos;
}

TEST(Metrics, SayWhoIsEjectedAndByWhichRule) {
  net::WorkerSnapshot worker = first_worker();
  worker.clusters[0].backends[1].status.ejected = true;
  ControlFacts with_ejections = facts();
  with_ejections.ejections = {{"shop", {.detected = {5, 0, 1, 0}, .enforced = {2, 0, 1, 0}}}};
  const std::string text = to_prometheus({worker, first_worker()}, with_ejections);
  for (const char* line :
       {R"(lbd_backend_ejected{cluster="shop",backend="b1"} 0)",
        R"(lbd_backend_ejected{cluster="shop",backend="b2"} 1)",
        R"(lbd_ejections_total{cluster="shop",rule="consecutive_failures",enforced="true"} 2)",
        R"(lbd_ejections_total{cluster="shop",rule="consecutive_failures",enforced="false"} 3)",
        R"(lbd_ejections_total{cluster="shop",rule="success_rate",enforced="true"} 1)",
        R"(lbd_ejections_total{cluster="shop",rule="success_rate",enforced="false"} 0)"}) {
    EXPECT_TRUE(has_line(text, line)) << line;
  }
  const Json json = to_json({worker}, with_ejections);
  EXPECT_EQ(json["ejections"][0].dump(),
            R"({"cluster":"shop","rule":"consecutive_failures","detected":5,"enforced":2})");
}

TEST(Metrics, SayWhenCertificatesEnd) {
  ControlFacts with_tls = facts();
  with_tls.certificates = {{"web", "a.pem", 1'800'000'000}, {"web", "b.pem", 1'900'000'000}};
  const std::string text = to_prometheus({first_worker()}, with_tls);
  for (const char* line : {R"({listener="web",certificate="a.pem"} 1800000000)",
                           R"({listener="web",certificate="b.pem"} 1900000000)"}) {
    const std::string name = "lbd_tls_certificate_not_after_timestamp_seconds";
    EXPECT_TRUE(has_line(text, name + line)) << line;
  }
  EXPECT_EQ(to_json({first_worker()}, with_tls)["certificates"][0].dump(),
            R"({"listener":"web","certificate":"a.pem","not_after_unix_seconds":1800000000})");
}

TEST(Metrics, CountWhatTheRateLimitRefused) {
  net::WorkerSnapshot worker = first_worker();
  worker.listeners["web"].rate_limited = 3;
  EXPECT_TRUE(has_line(to_prometheus({worker, worker}, facts()),
                       R"(lbd_rate_limited_total{listener="web"} 6)"));
  EXPECT_EQ(to_json({worker}, facts())["listeners"][0]["rate_limited"], 3);
}

TEST(Metrics, CountWhatRoutesAnswered) {
  net::WorkerSnapshot worker = first_worker();
  net::ListenerCounters& web = worker.listeners["web"];
  web.not_routed = 3;
  web.redirected = 4;
  web.responded = 5;
  const std::string text = to_prometheus({worker, worker}, facts());
  EXPECT_TRUE(has_line(text, R"(lbd_not_routed_requests_total{listener="web"} 6)"));
  EXPECT_TRUE(has_line(text, R"(lbd_redirected_requests_total{listener="web"} 8)"));
  EXPECT_TRUE(has_line(text, R"(lbd_responded_requests_total{listener="web"} 10)"));
  const Json listener = to_json({worker}, facts())["listeners"][0];
  EXPECT_EQ(listener["not_routed"], 3);
  EXPECT_EQ(listener["redirected"], 4);
  EXPECT_EQ(listener["responded"], 5);
}

TEST(Metrics, EscapeWhatANameMayHold) {
  net::WorkerSnapshot worker = first_worker();
  worker.clusters[0].name = "a\"b\\c\nd";
  const std::string text = to_prometheus({worker}, facts());
  EXPECT_NE(text.find(R"(cluster="a\"b\\c\nd")"), std::string::npos);
}

constexpr const char* kJson = R"GOLDEN({
  "version": "1.2.3",
  "config_hash": "00ff",
  "reloads": {
    "success": 2,
    "failure": 1
  },
  "access_log_dropped": 4,
  "max_connections": 500,
  "clusters": [
    {
      "name": "shop",
      "requests": 24,
      "in_progress": 4,
      "queued": 0,
      "queue_length": 0,
      "retries_denied": 0,
      "breakers_opened": 0,
      "sessions_moved": 0,
      "load_probes": {
        "told": 0,
        "failed": 0,
        "dropped": 0
      },
      "panic": false,
      "fairness": 0.9,
      "attempts": 40,
      "retries": 10,
      "connections_opened": 8,
      "connections_reused": 32,
      "outcomes": {
        "success": 18,
        "backend_error": 0,
        "no_backend": 0,
        "over_limit": 0,
        "queue_timeout": 0,
        "connect_failure": 0,
        "reset": 0,
        "timeout": 2,
        "invalid_answer": 0,
        "cut": 0,
        "client_gone": 0
      },
      "backends": [
        {
          "id": "b1",
          "address": "10.0.0.1:80",
          "weight": 1,
          "health": "healthy",
          "removed": false,
          "idle_connections": 4,
          "eligible": true,
          "ejected": false,
          "reason": "none",
          "in_flight": 2,
          "attempts": 20,
          "failures": 6,
          "share": 0.5,
          "failure_ratio": 0.0,
          "slow_start_percent": 100,
          "open_breakers": 0
        },
        {
          "id": "b2",
          "address": "10.0.0.2:80",
          "weight": 1,
          "health": "unhealthy",
          "removed": false,
          "idle_connections": 2,
          "eligible": false,
          "ejected": false,
          "reason": "none",
          "in_flight": 1,
          "attempts": 10,
          "failures": 3,
          "share": 0.25,
          "failure_ratio": 0.0,
          "slow_start_percent": 100,
          "open_breakers": 0
        }
      ]
    }
  ],
  "ejections": [],
  "certificates": [],
  "listeners": [
    {
      "name": "web",
      "connections": 14,
      "connections_active": 6,
      "refused_per_client": 10,
      "refused_proxy_headers": {
        "untrusted": 8,
        "malformed": 6,
        "timeout": 4
      },
      "accept_pauses": {
        "max_connections": 12,
        "descriptors": 2
      },
      "rejected": 4,
      "rate_limited": 0,
      "not_routed": 0,
      "redirected": 0,
      "responded": 0,
      "answers_2xx": 18,
      "answers_4xx": 4,
      "answers_5xx": 2,
      "bytes_in": 200,
      "bytes_out": 4000,
      "tls_handshakes": {
        "full": 10,
        "resumed": 6,
        "failed": 4,
        "active": 2
      }
    }
  ],
  "workers": [
    {
      "connections": 7,
      "sessions": 0
    },
    {
      "connections": 7,
      "sessions": 0
    }
  ]
})GOLDEN";

TEST(Metrics, AsJson) { EXPECT_EQ(to_json(workers(), facts()).dump(2), kJson); }

}  // namespace
}  // namespace lb::daemon
