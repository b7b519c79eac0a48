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
  each("lbd_retry_budget_exhausted_total", "Retries that the budget did not allow",
       MetricType::Counter, [](const ClusterTotals& c) { return c.counters.retries_denied; });
  each("lbd_queued_requests_total", "Requests that waited for a place", MetricType::Counter,
       [](const ClusterTotals& c) { return c.counters.queued; });
  each("lbd_queue_length", "Requests that wait for a place now", MetricType::Gauge,
       [](const ClusterTotals& c) { return c.queue_length; });
  each("lbd_circuit_breakers_opened_total", "Times a circuit breaker opened", MetricType::Counter,
       [](const ClusterTotals& c) { return c.counters.breakers_opened; });
  each("lbd_sessions_moved_total", "Sessions whose backend could not take them any more",
       MetricType::Counter, [](const ClusterTotals& c) { return c.counters.sessions_moved; });
  each("lbd_cluster_panic", "1 while so few are well that health is ignored", MetricType::Gauge,
       [](const ClusterTotals& c) { return c.panicking_workers > 0 ? 1U : 0U; });
  MetricFamily& probes =
      families.add("lbd_load_probes_total", "Questions to backends how loaded they are, by result",
                   MetricType::Counter);
  for (const ClusterTotals& cluster : clusters) {
    const net::LoadProbeCounters& counts = cluster.load_probes;
    const auto put = [&](const char* result, std::uint64_t count) {
      Families::put(probes, {{"cluster", cluster.name}, {"result", result}}, number(count));
    };
    put("told", counts.told);
    put("failed", counts.failed);
    put("dropped", counts.dropped);
  }
  MetricFamily& fairness = families.add(
      "lbd_cluster_fairness_index",
      "Jain's index of attempts by weight: 1 is even, 1/n is all on one", MetricType::Gauge);
  for (const ClusterTotals& cluster : clusters) {
    Families::put(fairness, {{"cluster", cluster.name}}, cluster.fairness());
  }
  each("lbd_upstream_connections_opened_total", "Connections opened to backends",
       MetricType::Counter, [](const ClusterTotals& c) { return c.counters.connections_opened; });
  each("lbd_upstream_connections_reused_total", "Attempts over a connection that was open already",
       MetricType::Counter, [](const ClusterTotals& c) { return c.counters.connections_reused; });
}

double failure_ratio(const ClusterTotals::Backend& backend) {
  return backend.errors.attempts == 0
             ? 0.0
             : static_cast<double>(backend.errors.failures) / backend.errors.attempts;
}

void add_backends(Families& families, const std::vector<ClusterTotals>& clusters) {
  const auto each = [&](const char* name, const char* help, MetricType type, auto&& value) {
    MetricFamily& family = families.add(name, help, type);
    for (const ClusterTotals& cluster : clusters) {
      for (const ClusterTotals::Backend& backend : cluster.backends) {
        Families::put(family, {{"cluster", cluster.name}, {"backend", backend.id}},
                      static_cast<double>(value(backend)));
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
  each("lbd_backend_ejected", "1 while it is ejected for what its traffic showed",
       MetricType::Gauge, [](const Backend& b) { return b.ejected ? 1U : 0U; });
  each("lbd_backend_failure_ratio", "Share of its attempts of the last minute that failed",
       MetricType::Gauge, failure_ratio);
  each("lbd_backend_open_breakers", "Workers whose circuit breaker keeps it closed off",
       MetricType::Gauge, [](const Backend& b) { return b.open_breakers; });
  each("lbd_backend_slow_start_ratio", "Part of its weight that counts already", MetricType::Gauge,
       [](const Backend& b) { return b.ramp_percent / 100.0; });
}

std::uint64_t connections_of(const net::WorkerSnapshot& worker) {
  std::uint64_t connections = 0;
  for (const auto& [_, counters] : worker.listeners) connections += counters.connections;
  return connections;
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
  each("lbd_rate_limited_total", "Requests, and connections for TCP, refused by the rate limit",
       MetricType::Counter, [](const Counters& c) { return c.rate_limited; });
  each("lbd_not_routed_requests_total", "Requests that no route fits, answered with 404",
       MetricType::Counter, [](const Counters& c) { return c.not_routed; });
  each("lbd_redirected_requests_total", "Requests that a route answered with a redirect",
       MetricType::Counter, [](const Counters& c) { return c.redirected; });
  each("lbd_responded_requests_total", "Requests that a route answered itself", MetricType::Counter,
       [](const Counters& c) { return c.responded; });
  each("lbd_received_bytes_total", "Bytes of bodies from clients", MetricType::Counter,
       [](const Counters& c) { return c.bytes_in; });
  each("lbd_sent_bytes_total", "Bytes of bodies to clients", MetricType::Counter,
       [](const Counters& c) { return c.bytes_out; });
  each("lbd_tls_handshakes_active", "TLS handshakes with clients under way", MetricType::Gauge,
       [](const Counters& c) { return c.tls.handshakes_active; });
  MetricFamily& handshakes =
      families.add("lbd_tls_handshakes_total", "TLS handshakes with clients, by how they ended",
                   MetricType::Counter);
  for (const auto& [listener, counters] : listeners) {
    const auto put = [&](const char* result, std::uint64_t count) {
      Families::put(handshakes, {{"listener", listener}, {"result", result}}, number(count));
    };
    put("full", counters.tls.full);
    put("resumed", counters.tls.resumed);
    put("failed", counters.tls.failed);
  }
  each("lbd_refused_connections_total", "Connections of clients that had too many",
       MetricType::Counter, [](const Counters& c) { return c.refused_per_client; });
  MetricFamily& headers = families.add(
      "lbd_refused_proxy_headers_total",
      "Connections that did not begin with a PROXY header of a trusted proxy, by what was wrong",
      MetricType::Counter);
  for (const auto& [listener, counters] : listeners) {
    const auto put = [&](const char* reason, std::uint64_t count) {
      Families::put(headers, {{"listener", listener}, {"reason", reason}}, number(count));
    };
    put("untrusted", counters.proxy_headers.untrusted);
    put("malformed", counters.proxy_headers.malformed);
    put("timeout", counters.proxy_headers.timeout);
  }
  MetricFamily& pauses = families.add("lbd_accept_pauses_total",
                                      "Times a worker left connections waiting, by what was short",
                                      MetricType::Counter);
  for (const auto& [listener, counters] : listeners) {
    Families::put(pauses, {{"listener", listener}, {"reason", "max_connections"}},
                  number(counters.pauses_full));
    Families::put(pauses, {{"listener", listener}, {"reason", "descriptors"}},
                  number(counters.pauses_descriptors));
  }
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

// How evenly the kernel deals connections out to workers.
void add_workers(Families& families, const std::vector<net::WorkerSnapshot>& workers) {
  MetricFamily& family = families.add("lbd_worker_connections_total",
                                      "Connections accepted by each worker", MetricType::Counter);
  for (std::size_t i = 0; i < workers.size(); ++i) {
    Families::put(family, {{"worker", std::to_string(i)}}, number(connections_of(workers[i])));
  }
}

// Both values of `enforced` together are what a rule found.
void add_ejections(Families& families, const ControlFacts& facts) {
  MetricFamily& family = families.add("lbd_ejections_total",
                                      "Backends that a rule found, and whether they were ejected",
                                      MetricType::Counter);
  for (const auto& [cluster, counters] : facts.ejections) {
    for (std::size_t i = 0; i < kOutlierRuleCount; ++i) {
      const std::string rule{to_string(static_cast<OutlierRule>(i))};
      const std::uint64_t enforced = counters.enforced[i];
      Families::put(family, {{"cluster", cluster}, {"rule", rule}, {"enforced", "true"}},
                    number(enforced));
      Families::put(family, {{"cluster", cluster}, {"rule", rule}, {"enforced", "false"}},
                    number(counters.detected[i] - enforced));
    }
  }
}

void add_certificates(Families& families, const ControlFacts& facts) {
  if (facts.certificates.empty()) return;
  MetricFamily& family = families.add(
      "lbd_tls_certificate_not_after_timestamp_seconds",
      "When a listener's certificate ends, or one of its chain before it", MetricType::Gauge);
  for (const auto& [listener, file, end] : facts.certificates) {
    Families::put(family, {{"listener", listener}, {"certificate", file}},
                  static_cast<double>(end));
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
  families.add("lbd_max_connections", "Clients' connections at a time, beyond which they wait",
               MetricType::Gauge, number(facts.connections_max));
  families.add("lbd_build_info", "Always 1", MetricType::Gauge, 1, {{"version", facts.version}});
}

void add_to(ClusterTotals::Backend& total, const net::ClusterSnapshot::Backend& part) {
  total.address = part.address;
  total.weight = part.status.weight;
  total.health = part.status.health;
  total.removed = part.status.removed;
  total.ejected = total.ejected || part.status.ejected;
  total.eligible_workers += part.status.eligible ? 1 : 0;
  if (!part.status.eligible) total.exclusion = part.status.exclusion;
  total.open_breakers += part.status.breaker == BreakerState::closed ? 0 : 1;
  total.ramp_percent = std::min(total.ramp_percent, part.status.ramp_percent);
  total.in_flight += part.status.in_flight;
  total.idle_connections += part.status.idle_connections;
  total.picked += part.status.picked;
  total.failures += part.status.failures;
  if (part.errors.attempts > total.errors.attempts) total.errors.change = part.errors.change;
  total.errors.attempts += part.errors.attempts;
  total.errors.failures += part.errors.failures;
}

void add_to(ClusterTotals& total, const net::ClusterSnapshot& part) {
  total.in_progress += part.in_progress;
  total.queue_length += part.queue_length;
  total.panicking_workers += part.panicking ? 1 : 0;
  total.max_in_flight_per_backend = part.max_in_flight_per_backend;
  total.counters.add(part.counters);
  total.load_probes.add(part.load_probes);
  // Before anything points into it.
  total.backends.reserve(total.backends.size() + part.backends.size());
  std::map<std::string_view, std::size_t> known;
  for (std::size_t i = 0; i < total.backends.size(); ++i) known[total.backends[i].id] = i;
  for (const net::ClusterSnapshot::Backend& backend : part.backends) {
    const auto [place, is_new] = known.try_emplace(backend.id, total.backends.size());
    if (is_new) total.backends.emplace_back().id = backend.id;
    add_to(total.backends[place->second], backend);
  }
}

}  // namespace

std::vector<ClusterTotals> add_up(const std::vector<net::WorkerSnapshot>& workers) {
  std::vector<ClusterTotals> clusters;
  for (const net::WorkerSnapshot& worker : workers) {
    for (const net::ClusterSnapshot& snapshot : worker.clusters) {
      auto place = std::find_if(clusters.begin(), clusters.end(), [&](const ClusterTotals& total) {
        return total.name == snapshot.name;
      });
      if (place == clusters.end()) {
        place = clusters.insert(clusters.end(), ClusterTotals{});
        place->name = snapshot.name;
      }
      add_to(*place, snapshot);
    }
  }
  return clusters;
}

double ClusterTotals::share(const Backend& backend) const {
  return counters.attempts == 0
             ? 0.0
             : static_cast<double>(backend.picked) / static_cast<double>(counters.attempts);
}

double ClusterTotals::fairness() const {
  std::vector<double> loads;
  for (const Backend& backend : backends) {
    if (!backend.removed) loads.push_back(number(backend.picked) / backend.weight);
  }
  return jain_index(loads);
}

Json observables(const ClusterTotals& cluster, const ClusterTotals::Backend& backend) {
  Json json = {
      {"eligible", backend.eligible_workers > 0},
      {"ejected", backend.ejected},
      {"reason", to_string(backend.eligible_workers > 0 ? Exclusion::none : backend.exclusion)},
      {"in_flight", backend.in_flight},
      {"attempts", backend.picked},
      {"failures", backend.failures},
      {"share", cluster.share(backend)},
      {"failure_ratio", failure_ratio(backend)},
      {"slow_start_percent", backend.ramp_percent},
      {"open_breakers", backend.open_breakers}};
  if (backend.errors.change) json["failure_ratio_change"] = *backend.errors.change;
  if (cluster.max_in_flight_per_backend > 0) {
    json["utilisation"] = number(backend.in_flight) / cluster.max_in_flight_per_backend;
  }
  return json;
}

Json to_json(const Explanation& explanation, const ClusterPlan& plan) {
  constexpr std::array kAnswers{"assigned", "queued", "refused"};
  std::map<BackendId, std::string> names;
  for (std::size_t i = 0; i < plan.backend_ids.size(); ++i) {
    names[plan.backend_ids[i]] = plan.config.backends[i].id;
  }
  Json json = {{"cluster", plan.config.name},
               {"strategy", strategy_name(plan.config.strategy)},
               {"answer", kAnswers.at(static_cast<std::size_t>(explanation.kind))},
               {"panic", explanation.panicking}};
  if (explanation.picked) {
    json["backend"] = names[*explanation.picked];
    json["reason"] = to_string(explanation.reason);
    json["draws"] = explanation.draws;
  }
  Json& candidates = json["candidates"] = Json::array();
  for (const Explanation::Candidate& candidate : explanation.candidates) {
    Json entry = {{"id", names[candidate.backend]},
                  {"excluded_by", to_string(candidate.exclusion)},
                  {"priority", candidate.priority},
                  {"weight", candidate.weight},
                  {"effective_weight", candidate.effective_weight},
                  {"in_flight", candidate.in_flight}};
    if (candidate.score) entry["score"] = *candidate.score;
    candidates.push_back(std::move(entry));
  }
  return json;
}

std::string to_prometheus(const std::vector<net::WorkerSnapshot>& workers,
                          const ControlFacts& facts) {
  Families families;
  const std::vector<ClusterTotals> clusters = add_up(workers);
  add_clusters(families, clusters);
  add_backends(families, clusters);
  add_listeners(families, workers);
  add_workers(families, workers);
  add_ejections(families, facts);
  add_certificates(families, facts);
  add_process(families, facts);
  return families.serialize();
}

Json to_json(const std::vector<net::WorkerSnapshot>& workers, const ControlFacts& facts) {
  Json json = {
      {"version", facts.version},
      {"config_hash", facts.config_hash},
      {"reloads", {{"success", facts.reloads_succeeded}, {"failure", facts.reloads_failed}}},
      {"access_log_dropped", facts.access_log_dropped},
      {"max_connections", facts.connections_max}};
  Json& clusters = json["clusters"] = Json::array();
  for (const ClusterTotals& cluster : add_up(workers)) {
    Json outcomes = Json::object();
    for (std::size_t i = 0; i < kOutcomeCount; ++i) {
      outcomes[std::string{to_string(static_cast<Outcome>(i))}] =
          cluster.counters.outcomes.counts[i];
    }
    Json backends = Json::array();
    for (const ClusterTotals::Backend& backend : cluster.backends) {
      Json entry = {{"id", backend.id},           {"address", backend.address},
                    {"weight", backend.weight},   {"health", to_string(backend.health)},
                    {"removed", backend.removed}, {"idle_connections", backend.idle_connections}};
      entry.update(observables(cluster, backend));
      backends.push_back(std::move(entry));
    }
    clusters.push_back({{"name", cluster.name},
                        {"requests", cluster.counters.requests},
                        {"in_progress", cluster.in_progress},
                        {"queued", cluster.counters.queued},
                        {"queue_length", cluster.queue_length},
                        {"retries_denied", cluster.counters.retries_denied},
                        {"breakers_opened", cluster.counters.breakers_opened},
                        {"sessions_moved", cluster.counters.sessions_moved},
                        {"load_probes",
                         {{"told", cluster.load_probes.told},
                          {"failed", cluster.load_probes.failed},
                          {"dropped", cluster.load_probes.dropped}}},
                        {"panic", cluster.panicking_workers > 0},
                        {"fairness", cluster.fairness()},
                        {"attempts", cluster.counters.attempts},
                        {"retries", cluster.counters.retries},
                        {"connections_opened", cluster.counters.connections_opened},
                        {"connections_reused", cluster.counters.connections_reused},
                        {"outcomes", std::move(outcomes)},
                        {"backends", std::move(backends)}});
  }
  Json& ejections = json["ejections"] = Json::array();
  for (const auto& [cluster, counters] : facts.ejections) {
    for (std::size_t i = 0; i < kOutlierRuleCount; ++i) {
      ejections.push_back({{"cluster", cluster},
                           {"rule", to_string(static_cast<OutlierRule>(i))},
                           {"detected", counters.detected[i]},
                           {"enforced", counters.enforced[i]}});
    }
  }
  Json& certificates = json["certificates"] = Json::array();
  for (const auto& [listener, file, end] : facts.certificates) {
    certificates.push_back(
        {{"listener", listener}, {"certificate", file}, {"not_after_unix_seconds", end}});
  }
  Json& listeners = json["listeners"] = Json::array();
  for (const auto& [name, counters] : add_up_listeners(workers)) {
    listeners.push_back({{"name", name},
                         {"connections", counters.connections},
                         {"connections_active", counters.connections_active},
                         {"refused_per_client", counters.refused_per_client},
                         {"refused_proxy_headers",
                          {{"untrusted", counters.proxy_headers.untrusted},
                           {"malformed", counters.proxy_headers.malformed},
                           {"timeout", counters.proxy_headers.timeout}}},
                         {"accept_pauses",
                          {{"max_connections", counters.pauses_full},
                           {"descriptors", counters.pauses_descriptors}}},
                         {"rejected", counters.rejected},
                         {"rate_limited", counters.rate_limited},
                         {"not_routed", counters.not_routed},
                         {"redirected", counters.redirected},
                         {"responded", counters.responded},
                         {"answers_2xx", counters.answers[2]},
                         {"answers_4xx", counters.answers[4]},
                         {"answers_5xx", counters.answers[5]},
                         {"bytes_in", counters.bytes_in},
                         {"bytes_out", counters.bytes_out},
                         {"tls_handshakes",
                          {{"full", counters.tls.full},
                           {"resumed", counters.tls.resumed},
                           {"failed", counters.tls.failed},
                           {"active", counters.tls.handshakes_active}}}});
  }
  Json& each_worker = json["workers"] = Json::array();
  for (const net::WorkerSnapshot& worker : workers) {
    each_worker.push_back({{"connections", connections_of(worker)}, {"sessions", worker.sessions}});
  }
  return json;
}

}  // namespace lb::daemon
