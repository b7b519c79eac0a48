// A report as JSON. Names are for programs: they stay, and docs/scenario-format.md has them all.
#include <cmath>
#include <nlohmann/json.hpp>

#include "lbsim/scenario/json_members.h"
#include "lbsim/scenario/report.h"
#include "lbsim/scenario/show.h"

namespace lb::scenario {
namespace {

using config::Json;

Json ci95(const Interval& interval, double scale = 1) {
  return interval.confidence == Confidence::told ? Json(interval.half_width * scale) : Json{};
}

// A figure, and beside it how sure it is.
void add(Json& json, const std::string& name, const std::optional<Estimate>& estimate) {
  json[name] = estimate ? Json(estimate->value) : Json{};
  json[name + "_ci95"] = estimate ? ci95(estimate->interval) : Json{};
}

Json latency_json(const Histogram& latency, const SeriesIntervals& intervals) {
  constexpr std::array<const char*, kQuantiles.size()> kNames{"p50_ms", "p90_ms", "p99_ms",
                                                              "p999_ms"};
  constexpr double kMilliseconds = 1000;
  Json json = {{"count", latency.count()},
               {"mean_ms", to_milliseconds(latency.mean())},
               {"mean_ms_ci95", ci95(intervals.mean_latency, kMilliseconds)}};
  for (std::size_t i = 0; i < kQuantiles.size(); ++i) {
    json[kNames[i]] = to_milliseconds(latency.quantile(kQuantiles[i]));
    json[std::string{kNames[i]} + "_ci95"] = ci95(intervals.quantiles[i], kMilliseconds);
  }
  json["max_ms"] = to_milliseconds(latency.max());
  return json;
}

Json series_json(const Series& series, const SeriesIntervals& intervals) {
  Json json = {{"requests", series.count()}};
  for (std::size_t i = 0; i < kClientResultCount; ++i) {
    json[std::string{to_string(static_cast<ClientResult>(i))}] = series.results[i];
  }
  add(json, "error_ratio", Estimate{series.error_ratio(), intervals.error_ratio});
  for (std::size_t i = 0; i < kClientResultCount; ++i) {
    const auto result = static_cast<ClientResult>(i);
    add(json, std::string{to_string(result)} + "_ratio",
        Estimate{series.ratio(result), intervals.ratios[i]});
  }
  json["latency"] = latency_json(series.latency, intervals);
  return json;
}

// Of the requests of a part of the run, or of a load.
Json slice_json(const Series& series, const Summary& summary) {
  Json json = series_json(series, summary.clients);
  json["confidence"] = {{"latency_mean", to_string(summary.clients.mean_latency.confidence)},
                        {"error_ratio", to_string(summary.clients.error_ratio.confidence)}};
  add(json, "throughput", summary.throughput);
  add(json, "in_system_mean", summary.in_system_mean);
  return json;
}

// Of all requests of a part of the run, and of the world in it.
Json part_json(const Series& series, const Summary& summary) {
  Json json = slice_json(series, summary);
  const auto of_effort = [&](const char* name, auto member) {
    add(json, name, summary.effort ? std::optional{(*summary.effort).*member} : std::nullopt);
  };
  of_effort("retry_ratio", &Effort::retry_ratio);
  of_effort("refused_ratio", &Effort::refused_ratio);
  of_effort("amplification", &Effort::amplification);
  const std::optional<Levels>& levels = summary.levels;
  add(json, "in_flight_mean", levels ? std::optional{levels->in_flight_mean} : std::nullopt);
  add(json, "queue_mean", levels ? std::optional{levels->queue.mean} : std::nullopt);
  json["queue_max"] = levels ? Json(levels->queue.max) : Json{};
  add(json, "utilisation", levels ? levels->utilisation : std::nullopt);
  return json;
}

void add_level(Json& json, const std::optional<Levels>& levels, const std::string& id) {
  std::optional<Levels::OfBackend> level;
  if (levels) {
    const auto found = levels->backends.find(id);
    if (found != levels->backends.end()) level = found->second;
  }
  add(json, "in_flight_mean", level ? std::optional{level->in_flight_mean} : std::nullopt);
  json["in_flight_max"] = level ? Json(level->in_flight_max) : Json{};
  add(json, "queue_mean", level ? std::optional{level->queue.mean} : std::nullopt);
  json["queue_max"] = level ? Json(level->queue.max) : Json{};
  add(json, "utilisation", level ? level->utilisation : std::nullopt);
  add(json, "out_mean", level ? std::optional{level->out_mean} : std::nullopt);
}

void add_standing(Json& json, const Report& report, const std::string& id) {
  if (!report.standing) return;
  const Report::Out& out = report.standing->at(id);
  json["ejections"] = out.exits;
  json["out_s"] = to_seconds(out.length);
  Json& changes = json["changes"] = Json::array();
  for (const StandingChange& change : out.changes) {
    changes.push_back({to_seconds(change.at), change.state});
  }
}

// Of the backends of a part; `whole` when that is all after the warm-up.
Json backends_json(const std::map<std::string, Series>& backends, const Summary& summary,
                   const Report* whole = nullptr) {
  static const Summary::OfBackend kUnknown;
  Json json = Json::object();
  for (const auto& [id, series] : backends) {
    const auto found = summary.backends.find(id);
    const Summary::OfBackend& of = found == summary.backends.end() ? kUnknown : found->second;
    Json entry = series_json(series, of.clients);
    add(entry, "share", of.share);
    add_level(entry, summary.levels, id);
    if (whole != nullptr) add_standing(entry, *whole, id);
    append_member(json, id, std::move(entry));
  }
  return json;
}

Json fairness_json(const Summary& summary) {
  Json json = Json::object();
  for (const auto& [cluster, fairness] : summary.fairness) {
    add(json[cluster], "fairness", fairness);
  }
  return json;
}

// Loads may share a name, for which the second one of it is name_2.
Json loads_json(const Report& report) {
  Json json = Json::object();
  for (const Slice& load : report.loads) {
    std::string name = load.name;
    for (int n = 2; json.contains(name); ++n) name = load.name + '_' + std::to_string(n);
    json[name] = slice_json(load.total, load.summary);
  }
  return json;
}

Json windows_json(const Report& report) {
  Json json = Json::object();
  for (const Slice& window : report.windows) {
    Json& entry = json[window.name] = part_json(window.total, window.summary);
    entry["from_s"] = to_seconds(window.summary.from);
    entry["to_s"] = to_seconds(window.summary.to);
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
  json["backends"] = backends_json(report.backends, report.summary, &report);
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
