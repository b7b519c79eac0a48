// A report as JSON. Names are for programs: they stay, and docs/scenario-format.md has them all.
#include <cmath>
#include <nlohmann/json.hpp>

#include "lbsim/scenario/report.h"
#include "lbsim/scenario/show.h"

namespace lb::scenario {
namespace {

using config::Json;

Json ci95(const Interval& interval, double scale) {
  return interval.confidence == Confidence::told ? Json(interval.half_width * scale) : Json{};
}

// How sure an average is stands beside it, where there is a summary that knows.
Json latency_json(const Histogram& latency, const Summary* summary) {
  Json json = {{"count", latency.count()}, {"mean_ms", to_milliseconds(latency.mean())}};
  if (summary != nullptr) json["mean_ms_ci95"] = ci95(summary->mean_latency, 1000);
  json["p50_ms"] = to_milliseconds(latency.quantile(0.5));
  json["p90_ms"] = to_milliseconds(latency.quantile(0.9));
  json["p99_ms"] = to_milliseconds(latency.quantile(0.99));
  json["p999_ms"] = to_milliseconds(latency.quantile(0.999));
  json["max_ms"] = to_milliseconds(latency.max());
  return json;
}

Json series_json(const Series& series, const Summary* summary = nullptr) {
  Json json = {{"requests", series.count()}};
  for (std::size_t i = 0; i < kClientResultCount; ++i) {
    json[std::string{to_string(static_cast<ClientResult>(i))}] = series.results[i];
  }
  const auto ratio = [&](std::string name, double value, const auto& interval) {
    json[name += "_ratio"] = value;
    if (summary != nullptr) json[name += "_ci95"] = ci95(interval(), 1);
  };
  ratio("error", series.error_ratio(), [&] { return summary->error_ratio; });
  for (std::size_t i = 0; i < kClientResultCount; ++i) {
    const auto result = static_cast<ClientResult>(i);
    ratio(std::string{to_string(result)}, series.ratio(result), [&] { return summary->ratios[i]; });
  }
  json["latency"] = latency_json(series.latency, summary);
  return json;
}

// Of the requests of a part of the run, or of a load.
Json part_json(const Series& series, const Summary& summary) {
  Json json = series_json(series, &summary);
  json["confidence"] = {{"latency_mean", to_string(summary.mean_latency.confidence)},
                        {"error_ratio", to_string(summary.error_ratio.confidence)}};
  json["throughput"] = summary.throughput;
  json["in_system_mean"] = summary.in_system_mean;
  return json;
}

void add_levels(Json& json, const std::optional<Levels>& levels) {
  json["in_flight_mean"] = levels ? Json(levels->in_flight_mean) : Json{};
  json["queue_mean"] = levels ? Json(levels->queue.mean) : Json{};
  json["queue_max"] = levels ? Json(levels->queue.max) : Json{};
  json["utilisation"] = levels ? Json(levels->utilisation) : Json{};
}

// Of the backends of a part; `out` where there is something to say of it.
Json backends_json(const std::map<std::string, Series>& backends, const Summary& summary) {
  std::uint64_t answered = 0;
  for (const auto& [_, series] : backends) answered += series.answers();
  Json json = Json::object();
  for (const auto& [id, series] : backends) {
    Json& backend = json[id] = series_json(series);
    backend["share"] =
        answered == 0 ? 0.0 : static_cast<double>(series.answers()) / static_cast<double>(answered);
    const Levels::OfBackend* level = nullptr;
    if (summary.levels) {
      const auto found = summary.levels->backends.find(id);
      if (found != summary.levels->backends.end()) level = &found->second;
    }
    const auto put = [&](const char* name, auto of) {
      backend[name] = level == nullptr ? Json{} : Json(of(*level));
    };
    put("in_flight_mean", [](const auto& of) { return of.in_flight_mean; });
    put("in_flight_max", [](const auto& of) { return of.in_flight_max; });
    put("queue_mean", [](const auto& of) { return of.queue.mean; });
    put("queue_max", [](const auto& of) { return of.queue.max; });
    put("utilisation", [](const auto& of) { return of.utilisation; });
  }
  return json;
}

void add_standing(Json& backends, const Report& report) {
  if (!report.standing) return;
  for (const auto& [id, out] : *report.standing) {
    Json& backend = backends[id];
    backend["ejections"] = out.exits;
    backend["out_s"] = to_seconds(out.length);
    Json& changes = backend["changes"] = Json::array();
    for (const StandingChange& change : out.changes) {
      changes.push_back({to_seconds(change.at), change.state});
    }
  }
}

Json fairness_json(const Summary& summary) {
  Json json = Json::object();
  for (const auto& [cluster, fairness] : summary.fairness) json[cluster]["fairness"] = fairness;
  return json;
}

// Loads may share a name, for which the second one of it is name_2.
Json loads_json(const Report& report) {
  Json json = Json::object();
  for (const Slice& load : report.loads) {
    std::string name = load.name;
    for (int n = 2; json.contains(name); ++n) name = load.name + '_' + std::to_string(n);
    json[name] = part_json(load.total, load.summary);
  }
  return json;
}

Json windows_json(const Report& report) {
  Json json = Json::object();
  for (const Slice& window : report.windows) {
    Json& entry = json[window.name] = part_json(window.total, window.summary);
    entry["from_s"] = to_seconds(window.summary.from);
    entry["to_s"] = to_seconds(window.summary.to);
    add_levels(entry, window.summary.levels);
    entry["backends"] = backends_json(window.backends, window.summary);
    entry["clusters"] = fairness_json(window.summary);
  }
  return json;
}

Json balancer_json(const BalancerTotals& balancer) {
  Json ratios = Json::object();
  for (const auto& [name, _] : balancer.outcomes) ratios[name] = balancer.outcome_ratio(name);
  return {{"requests", balancer.requests},
          {"attempts", balancer.attempts},
          {"retries", balancer.retries},
          {"retry_ratio", balancer.retry_ratio()},
          {"refused_ratio", balancer.refused_ratio()},
          {"connections_opened", balancer.connections_opened},
          {"connections_reused", balancer.connections_reused},
          {"outcomes", balancer.outcomes},
          {"outcome_ratios", std::move(ratios)}};
}

Json expectation_json(const ExpectationResult& result) {
  const Expectation& expectation = result.expectation;
  Json entry = {{"metric", metric_name(expectation.metric)}};
  const auto text = [&](const char* key, const std::string& value) {
    if (!value.empty()) entry[key] = value;
  };
  const auto time = [&](const char* key, const std::optional<Duration>& value) {
    if (value) entry[key] = config::format_duration(*value);
  };
  text("backend", expectation.backend);
  text("load", expectation.load);
  text("cluster", expectation.cluster);
  text("outcome", expectation.outcome);
  text("window", expectation.window);
  time("from", expectation.from);
  time("to", expectation.to);
  time("after", expectation.after);
  if (expectation.metric == Metric::recovery_time) {
    entry["of"] = metric_name(expectation.of);
    entry["below"] = *expectation.below;
    time("over", expectation.over);
  }
  if (expectation.min) entry["min"] = *expectation.min;
  if (expectation.max) entry["max"] = *expectation.max;
  entry["value"] = std::isfinite(result.value) ? Json(result.value) : Json{};
  entry["passed"] = result.measured ? Json(result.passed) : Json{};
  if (!result.measured) entry["not_measured"] = true;
  if (result.measured && !result.passed) entry["miss"] = miss_text(result);
  return entry;
}

}  // namespace

Json to_json(const Report& report) {
  Json json = {{"scenario", report.scenario},
               {"why", report.why},
               {"world", report.world},
               {"seed", report.seed},
               {"duration_s", to_seconds(report.duration)},
               {"warmup_s", to_seconds(report.warmup)},
               {"digest", report.digest ? Json(*report.digest) : Json{}},
               {"loopback_latency_ms",
                report.loopback_latency ? Json(to_milliseconds(*report.loopback_latency)) : Json{}},
               {"total", part_json(report.total, report.summary)}};
  add_levels(json["total"], report.summary.levels);
  json["backends"] = backends_json(report.backends, report.summary);
  add_standing(json["backends"], report);
  json["clusters"] = fairness_json(report.summary);
  json["loads"] = loads_json(report);
  json["windows"] = windows_json(report);
  json["client_retries"] = report.client_retries;
  json["amplification"] = report.amplification;
  json["balancer"] = balancer_json(report.balancer);
  for (const BalancerTotals& daemon : report.daemons) {
    json["daemons"].push_back(balancer_json(daemon));
  }
  Json expectations = Json::array();
  for (const ExpectationResult& result : report.expectations) {
    expectations.push_back(expectation_json(result));
  }
  json["expect"] = std::move(expectations);
  json["passed"] = report.passed();
  json["warnings"] = report.warnings;
  if (report.series) json["over_time"] = to_json(*report.series);
  return json;
}

}  // namespace lb::scenario
