#include "lbd/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <sstream>

namespace lb::daemon {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

class Families {
 public:
  MetricFamily& add(const char* name, const char* help, MetricType type) {
    families_.push_back({name, help, type, {}});
    return families_.back();
  }
  // For a family of one.
  void add(const char* name, const char* help, MetricType type, double value, Labels labels = {}) {
    put(add(name, help, type), std::move(labels), value);
  }
  static void put(MetricFamily& family, Labels labels, double value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    if (family.type == MetricType::Counter) metric.counter.value = value;
    if (family.type == MetricType::Gauge) metric.gauge.value = value;
    family.metric.push_back(std::move(metric));
  }
  static void put(MetricFamily& family, Labels labels, const net::DurationHistogram& histogram) {
    ClientMetric metric;
    metric.label = std::move(labels);
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
      cumulative += histogram.counts[i];
      const double bound = i < net::kDurationBounds.size()
                               ? net::kDurationBounds[i]
                               : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back({cumulative, bound});
    }
    metric.histogram.sample_count = cumulative;
    metric.histogram.sample_sum = histogram.sum;
    family.metric.push_back(std::move(metric));
  }
  [[nodiscard]] std::string serialize() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families_);
    return out.str();
  }

 private:
  std::vector<MetricFamily> families_;
};

double number(std::uint64_t value) { return static_cast<double>(value); }

void add_clusters(Families& families, const std::vector<ClusterTotals>& clusters) {
  const auto each = [&](const char* name, const char* help, MetricType type, auto&& value) {
    MetricFamily& family = families.add(name, help, type);
    for (const ClusterTotals& cluster : clusters) {
      Families::put(family, {{"cluster", cluster.name}}, number(value(cluster)));
    }
  };
  MetricFamily& requests =
      families.add("lbd_requests_total", "Requests that ended, by outcome", MetricType::Counter);
  for (const ClusterTotals& cluster : clusters) {
    for (std::size_t i = 0; i < kOutcomeCount; ++i) {
      const std::string outcome{to_string(static_cast<Outcome>(i))};
      Families::put(requests, {{"cluster", cluster.name}, {"outcome", outcome}},
                    number(cluster.counters.outcomes.counts[i]));
    }
  }
  each("lbd_requests_in_progress", "Requests being served", MetricType::Gauge,
       [](const ClusterTotals& c) { return c.in_progress; });
  each("lbd_attempts_total", "Attempts on backends", MetricType::Counter,
       [](const ClusterTotals& c) { return c.counters.attempts; });
  each("lbd_retries_total", "Attempts after the first", MetricType::Counter,
       [](const ClusterTotals& c) { return c.counters.retries; });
  each("lbd_upstream_connections_opened_total", "Connections opened to backends",
       MetricType::Counter, [](const ClusterTotals& c) { return c.counters.connections_opened; });
  each("lbd_upstream_connections_reused_total", "Attempts over a connection that was open already",
       MetricType::Counter, [](const ClusterTotals& c) { return c.counters.connections_reused; });
}

void add_backends(Families& families, const std::vector<ClusterTotals>& clusters) {
  const auto each = [&](const char* name, const char* help, MetricType type, auto&& value) {
    MetricFamily& family = families.add(name, help, type);
    for (const ClusterTotals& cluster : clusters) {
      for (const ClusterTotals::Backend& backend : cluster.backends) {
        Families::put(family, {{"cluster", cluster.name}, {"backend", backend.id}},
                      number(value(backend)));
      }
    }
  };
  using Backend = ClusterTotals::Backend;
  each("lbd_backend_up", "1 unless probes say that it is unhealthy", MetricType::Gauge,
       [](const Backend& b) { return b.health != HealthState::unhealthy ? 1U : 0U; });
  each("lbd_backend_eligible", "1 when it may be picked now", MetricType::Gauge,
       [](const Backend& b) { return b.eligible_workers > 0 ? 1U : 0U; });
  each("lbd_backend_active_requests", "Requests assigned and not finished", MetricType::Gauge,
       [](const Backend& b) { return b.in_flight; });
  each("lbd_backend_idle_connections", "Connections in the pool", MetricType::Gauge,
       [](const Backend& b) { return b.idle_connections; });
  each("lbd_backend_attempts_total", "Attempts sent to it", MetricType::Counter,
       [](const Backend& b) { return b.picked; });
  each("lbd_backend_failures_total", "Attempts on it that failed", MetricType::Counter,
       [](const Backend& b) { return b.failures; });
}

std::map<std::string, net::ListenerCounters> add_up_listeners(
    const std::vector<net::WorkerSnapshot>& workers) {
  std::map<std::string, net::ListenerCounters> total;
  for (const net::WorkerSnapshot& worker : workers) {
    for (const auto& [name, counters] : worker.listeners) total[name].add(counters);
  }
  return total;
}

void add_listeners(Families& families, const std::vector<net::WorkerSnapshot>& workers) {
  const auto listeners = add_up_listeners(workers);
  const auto each = [&](const char* name, const char* help, MetricType type, auto&& value) {
    MetricFamily& family = families.add(name, help, type);
    for (const auto& [listener, counters] : listeners) {
      Families::put(family, {{"listener", listener}}, number(value(counters)));
    }
  };
  using Counters = net::ListenerCounters;
  each("lbd_downstream_connections_total", "Connections accepted", MetricType::Counter,
       [](const Counters& c) { return c.connections; });
  each("lbd_downstream_connections_active", "Connections open now", MetricType::Gauge,
       [](const Counters& c) { return c.connections_active; });
  each("lbd_rejected_requests_total", "Requests refused before they reached a cluster",
       MetricType::Counter, [](const Counters& c) { return c.rejected; });
  each("lbd_received_bytes_total", "Bytes of bodies from clients", MetricType::Counter,
       [](const Counters& c) { return c.bytes_in; });
  each("lbd_sent_bytes_total", "Bytes of bodies to clients", MetricType::Counter,
       [](const Counters& c) { return c.bytes_out; });
  MetricFamily& answers = families.add(
      "lbd_answers_total", "Answers to clients by class of status; none for TCP and clients gone",
      MetricType::Counter);
  constexpr std::array kClasses{"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
  for (const auto& [listener, counters] : listeners) {
    for (std::size_t i = 0; i < kClasses.size(); ++i) {
      Families::put(answers, {{"listener", listener}, {"code_class", kClasses[i]}},
                    number(counters.answers[i]));
    }
  }
  MetricFamily& durations =
      families.add("lbd_request_duration_seconds",
                   "From a request's first byte to its answer's last", MetricType::Histogram);
  for (const auto& [listener, counters] : listeners) {
    Families::put(durations, {{"listener", listener}}, counters.durations);
  }
}

void add_process(Families& families, const ControlFacts& facts) {
  MetricFamily& reloads = families.add("lbd_config_reloads_total",
                                       "Configurations offered while running", MetricType::Counter);
  Families::put(reloads, {{"result", "success"}}, number(facts.reloads_succeeded));
  Families::put(reloads, {{"result", "failure"}}, number(facts.reloads_failed));
  families.add("lbd_config_last_reload_success_timestamp_seconds",
               "When the configuration in use was taken", MetricType::Gauge,
               static_cast<double>(facts.last_reload_success_unix_seconds));
  families.add("lbd_access_log_dropped_lines_total", "Lines the disk was too slow for",
               MetricType::Counter, number(facts.access_log_dropped));
  families.add("lbd_build_info", "Always 1", MetricType::Gauge, 1, {{"version", facts.version}});
}

}  // namespace

std::vector<ClusterTotals> add_up(const std::vector<net::WorkerSnapshot>& workers) {
  std::vector<ClusterTotals> clusters;
  const auto named = [](auto& list, auto member, const std::string& name) -> auto& {
    const auto place = std::find_if(list.begin(), list.end(),
                                    [&](const auto& entry) { return entry.*member == name; });
    if (place != list.end()) return *place;
    list.emplace_back().*member = name;
    return list.back();
  };
  for (const net::WorkerSnapshot& worker : workers) {
    for (const net::ClusterSnapshot& snapshot : worker.clusters) {
      ClusterTotals& cluster = named(clusters, &ClusterTotals::name, snapshot.name);
      cluster.in_progress += snapshot.in_progress;
      cluster.counters.requests += snapshot.counters.requests;
      cluster.counters.attempts += snapshot.counters.attempts;
      cluster.counters.retries += snapshot.counters.retries;
      cluster.counters.connections_opened += snapshot.counters.connections_opened;
      cluster.counters.connections_reused += snapshot.counters.connections_reused;
      for (std::size_t i = 0; i < kOutcomeCount; ++i) {
        cluster.counters.outcomes.counts[i] += snapshot.counters.outcomes.counts[i];
      }
      for (const net::ClusterSnapshot::Backend& part : snapshot.backends) {
        ClusterTotals::Backend& backend =
            named(cluster.backends, &ClusterTotals::Backend::id, part.id);
        backend.address = part.address;
        backend.health = part.status.health;
        backend.removed = part.status.removed;
        backend.eligible_workers += part.status.eligible ? 1 : 0;
        backend.in_flight += part.status.in_flight;
        backend.idle_connections += part.status.idle_connections;
        backend.picked += part.status.picked;
        backend.failures += part.status.failures;
      }
    }
  }
  return clusters;
}

std::string to_prometheus(const std::vector<net::WorkerSnapshot>& workers,
                          const ControlFacts& facts) {
  Families families;
  const std::vector<ClusterTotals> clusters = add_up(workers);
  add_clusters(families, clusters);
  add_backends(families, clusters);
  add_listeners(families, workers);
  add_process(families, facts);
  return families.serialize();
}

Json to_json(const std::vector<net::WorkerSnapshot>& workers, const ControlFacts& facts) {
  Json json = {
      {"version", facts.version},
      {"config_hash", facts.config_hash},
      {"reloads", {{"success", facts.reloads_succeeded}, {"failure", facts.reloads_failed}}},
      {"access_log_dropped", facts.access_log_dropped}};
  Json& clusters = json["clusters"] = Json::array();
  for (const ClusterTotals& cluster : add_up(workers)) {
    Json outcomes = Json::object();
    for (std::size_t i = 0; i < kOutcomeCount; ++i) {
      outcomes[std::string{to_string(static_cast<Outcome>(i))}] =
          cluster.counters.outcomes.counts[i];
    }
    Json backends = Json::array();
    for (const ClusterTotals::Backend& backend : cluster.backends) {
      backends.push_back({{"id", backend.id},
                          {"address", backend.address},
                          {"health", to_string(backend.health)},
                          {"removed", backend.removed},
                          {"eligible", backend.eligible_workers > 0},
                          {"in_flight", backend.in_flight},
                          {"idle_connections", backend.idle_connections},
                          {"attempts", backend.picked},
                          {"failures", backend.failures}});
    }
    clusters.push_back({{"name", cluster.name},
                        {"requests", cluster.counters.requests},
                        {"in_progress", cluster.in_progress},
                        {"attempts", cluster.counters.attempts},
                        {"retries", cluster.counters.retries},
                        {"connections_opened", cluster.counters.connections_opened},
                        {"connections_reused", cluster.counters.connections_reused},
                        {"outcomes", std::move(outcomes)},
                        {"backends", std::move(backends)}});
  }
  Json& listeners = json["listeners"] = Json::array();
  for (const auto& [name, counters] : add_up_listeners(workers)) {
    listeners.push_back({{"name", name},
                         {"connections", counters.connections},
                         {"connections_active", counters.connections_active},
                         {"rejected", counters.rejected},
                         {"answers_2xx", counters.answers[2]},
                         {"answers_4xx", counters.answers[4]},
                         {"answers_5xx", counters.answers[5]},
                         {"bytes_in", counters.bytes_in},
                         {"bytes_out", counters.bytes_out}});
  }
  return json;
}

}  // namespace lb::daemon
