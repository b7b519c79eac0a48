#include "lbsim/scenario/expectation_fields.h"

#include <string>
#include <vector>

#include "lbsim/scenario/recovery.h"

namespace lb::scenario {
namespace {

using config::Definitions;
using config::Json;
using config::Node;
using config::ObjectReader;
using config::Place;
using config::Range;

// Which filter a key belongs to.
struct FilterKey {
  Filter filter;
  const char* key;
};
constexpr std::array<FilterKey, 12> kFilterKeys{{
    {kByBackend, "backend"},
    {kByLoad, "load"},
    {kByCluster, "cluster"},
    {kByOutcome, "outcome"},
    {kByTime, "window"},
    {kByTime, "from"},
    {kByTime, "to"},
    {kAfter, "after"},
    {kRecovers, "of"},
    {kRecovers, "below"},
    {kRecovers, "over"},
    {kRecovers, "to"},
}};

std::string quoted(std::string_view word) {
  std::string text{"\""};
  return text.append(word).append("\"");
}

// "backend", "load", "from" and "to": what a metric can be narrowed down by.
std::string takes_of(const MetricTraits& metric) {
  std::vector<std::string> words;
  for (const FilterKey& filter : kFilterKeys) {
    if ((metric.takes & filter.filter) != 0) words.push_back(quoted(filter.key));
  }
  if (words.empty()) return "it is about the whole run";
  std::string text = "it takes ";
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  return text;
}

// Nothing when it is none: that was told of already.
const MetricTraits* metric_of(const ObjectReader& fields) {
  const Node* node = fields.find("metric");
  for (const MetricTraits& metric : kMetrics) {
    if (node != nullptr && node->text == metric.name) return &metric;
  }
  return nullptr;
}

bool can_recover(Metric metric) { return metric == Metric::error_ratio || is_latency(metric); }

void check_filters(const ObjectReader& fields, const MetricTraits& metric) {
  for (const FilterKey& filter : kFilterKeys) {
    if (fields.find(filter.key) == nullptr) continue;
    bool taken = false;  // A key may belong to several filters.
    for (const FilterKey& other : kFilterKeys) {
      taken = taken ||
              (std::string_view{other.key} == filter.key && (metric.takes & other.filter) != 0);
    }
    // "to" would be told of twice.
    if (taken || (filter.filter == kRecovers && std::string_view{filter.key} == "to")) continue;
    fields.problem_at(filter.key,
                      "does not go with " + quoted(metric.name) + ": " + takes_of(metric));
  }
}

void check_times(const ObjectReader& fields, const Expectation& expectation) {
  if (expectation.from && expectation.to && *expectation.from >= *expectation.to) {
    fields.place().problem("\"from\" has to be before \"to\"");
  }
  if (!expectation.window.empty() && (expectation.from || expectation.to)) {
    fields.place().problem("has \"window\" and \"from\" or \"to\": one of them says when");
  }
}

void check_recovery(const ObjectReader& fields, const Expectation& expectation) {
  if (!can_recover(expectation.of)) {
    fields.problem_at("of", "expected \"error_ratio\" or a latency, found " +
                                quoted(metric_name(expectation.of)));
  }
  if (expectation.over < Duration{Recovery::kStepsPerStretch}) {
    fields.problem_at("over", "is too short to move on by a tenth of it");
  }
}

}  // namespace

void check(const ObjectReader& fields, const Window& window) {
  if (window.to && window.from >= *window.to) {
    fields.place().problem("\"from\" has to be before \"to\"");
  }
}

void read(const Place& place, NamedMetric& named, Range) {
  const std::size_t problem_count = place.problems.size();
  config::read(place, named.metric);
  named.known = place.problems.size() == problem_count;
}

Json schema_of(Definitions& definitions, const NamedMetric& named, Range) {
  return schema_of(definitions, named.metric);
}

void read(const Place& place, RecoveringMetric& recovering, Range) {
  read(place, recovering.named);
}

Json schema_of(Definitions& definitions, const RecoveringMetric& recovering, Range) {
  Json schema = schema_of(definitions, recovering.named);
  Json words = Json::array();
  for (const MetricTraits& metric : kMetrics) {
    if (can_recover(metric.metric)) words.push_back(metric.name);
  }
  schema["enum"] = std::move(words);
  return schema;
}

void read(const Place& place, Limit& limit, Range) {
  if (!limit.of.known) return;
  if (traits(limit.of.metric).unit == Unit::duration) {
    Duration duration{};
    config::read(place, duration, config::kFromZero);
    limit.value = std::chrono::duration<double>(duration).count();
  } else {
    config::read(place, limit.value);
  }
}

Json schema_of(Definitions& definitions, const Limit&, Range) {
  return config::any_of_schemas({schema_of(definitions, std::optional<Duration>{}),
                                 schema_of(definitions, std::optional<double>{})});
}

void check(const ObjectReader& fields, const Expectation& expectation) {
  check_times(fields, expectation);
  const MetricTraits* metric = metric_of(fields);
  if (metric == nullptr) return;
  check_filters(fields, *metric);
  if (metric->metric == Metric::recovery_time) check_recovery(fields, expectation);
}

}  // namespace lb::scenario
