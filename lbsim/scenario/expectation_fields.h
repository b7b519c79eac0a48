// The keys of a window and of an expectation, and which of them go together. That the names in them
// exist is checked when the whole file is known (check_expectations.h).
#pragma once

#include <array>
#include <optional>
#include <utility>

#include "lbcore/config/reader.h"
#include "lbcore/config/schema.h"
#include "lbsim/scenario/expectation.h"

namespace lb::config {

template <>
struct EnumWords<scenario::Metric> {
  static constexpr auto words = [] {
    std::array<std::pair<scenario::Metric, const char*>, scenario::kMetricCount> all{};
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i] = {scenario::kMetrics[i].metric, scenario::kMetrics[i].name};
    }
    return all;
  }();
};

}  // namespace lb::config

namespace lb::scenario {

template <class Fields>
void describe(Fields& fields, Window& window) {
  fields.required("name", window.name, config::kAboveZero, "what the report calls it");
  fields.required("from", window.from, config::kFromZero, "where it starts");
  fields.optional("to", window.to, config::kAboveZero,
                  "where it ends; at the end of the run without it");
}
void check(const config::ObjectReader& fields, const Window& window);

// The figure an expectation is about, and whether it is one.
struct NamedMetric {
  Metric& metric;
  bool known = false;
};
void read(const config::Place& place, NamedMetric& named, config::Range range = {});
[[nodiscard]] config::Json schema_of(config::Definitions& definitions, const NamedMetric& named,
                                     config::Range range = {});

// The figure that has to recover. For a schema only those that can; which they are, check() tells.
struct RecoveringMetric {
  NamedMetric named;
};
void read(const config::Place& place, RecoveringMetric& recovering, config::Range range = {});
[[nodiscard]] config::Json schema_of(config::Definitions& definitions,
                                     const RecoveringMetric& recovering, config::Range range = {});

// A limit: a duration where the figure is one, a number otherwise. Of an unknown figure nobody can
// say how it should look.
struct Limit {
  const NamedMetric& of;
  std::optional<double>& value;
};
void read(const config::Place& place, Limit& limit, config::Range range = {});
[[nodiscard]] config::Json schema_of(config::Definitions& definitions, const Limit& limit,
                                     config::Range range = {});

// The key that a metric cannot do without when it needs this filter.
struct NeededKey {
  Filter filter;
  const char* key;
  const char* words;
};
inline constexpr std::array<NeededKey, 4> kNeededKeys{{
    {kByBackend, "backend", "\"backend\" is missing: which backend it is about"},
    {kByOutcome, "outcome", "\"outcome\" is missing: which one, such as \"no_backend\""},
    {kAfter, "after", "\"after\" is missing: since when, such as the time of an event"},
    {kRecovers, "below", "\"below\" is missing: what the figure has to come back to"},
}};

template <class Fields>
void describe(Fields& fields, Expectation& expectation) {
  NamedMetric metric{expectation.metric};
  fields.required("metric", metric, "which figure");
  fields.optional("backend", expectation.backend, config::kAboveZero, "of which backend");
  fields.optional("load", expectation.load, config::kAboveZero, "of which load");
  fields.optional("cluster", expectation.cluster, config::kAboveZero, "of which cluster");
  fields.optional("outcome", expectation.outcome, config::kAboveZero, "which outcome");
  RecoveringMetric of{{expectation.of, true}};
  fields.optional("of", of, "for recovery_time: which figure has to recover");
  fields.optional("over", expectation.over, config::kAboveZero,
                  "for recovery_time: of the requests of each stretch of this length");
  Limit min{metric, expectation.min};
  Limit max{metric, expectation.max};
  Limit below{of.named, expectation.below};
  fields.optional("min", min, "at least this: a duration for durations, a number for all others");
  fields.optional("max", max, "at most this");
  fields.optional("below", below, "for recovery_time: what the figure has to come back to");
  fields.optional("window", expectation.window, config::kAboveZero, "which window it is about");
  fields.optional("from", expectation.from, config::kFromZero, "start of the time it is about");
  fields.optional("to", expectation.to, config::kFromZero, "end of the time it is about");
  fields.optional("after", expectation.after, config::kFromZero, "since when a duration counts");
  for (const MetricTraits& each : kMetrics) {
    for (const NeededKey& needed : kNeededKeys) {
      if ((each.needs & needed.filter) == 0) continue;
      fields.any_of_when("metric", each.name, {needed.key}, needed.words);
    }
  }
  fields.any_of({"min", "max"}, "\"min\" or \"max\" is missing: what is expected");
}
void check(const config::ObjectReader& fields, const Expectation& expectation);

}  // namespace lb::scenario
