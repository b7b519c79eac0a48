#include "lbsim/scenario/expectation_fields.h"

#include <string>
#include <vector>

#include "lbsim/scenario/recovery.h"

namespace lb::scenario {
namespace {

using config::kAboveZero;
using config::kFromZero;
using config::Node;
using config::ObjectReader;
using config::Place;

// Which filter a key belongs to, and what it says.
struct FilterKey {
  Filter filter;
  const char* key;
  const char* missing;  // When a metric cannot do without it; null when it can do without this key.
};
constexpr std::array<FilterKey, 12> kFilterKeys{{
    {kByBackend, "backend", "which backend it is about"},
    {kByLoad, "load", nullptr},
    {kByCluster, "cluster", nullptr},
    {kByOutcome, "outcome", "which one, such as \"no_backend\""},
    {kByTime, "window", nullptr},
    {kByTime, "from", nullptr},
    {kByTime, "to", nullptr},
    {kAfter, "after", "since when, such as the time of an event"},
    {kRecovers, "of", nullptr},
    {kRecovers, "below", "what the figure has to come back to"},
    {kRecovers, "over", nullptr},
    {kRecovers, "to", nullptr},
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

Place place_of(const ObjectReader& fields, std::string_view key) {
  return fields.place().child(*fields.find(key), fields.path_of(key));
}

void check_filters(const ObjectReader& fields, const MetricTraits& metric) {
  for (const FilterKey& filter : kFilterKeys) {
    const bool there = fields.find(filter.key) != nullptr;
    if (!there && (metric.needs & filter.filter) != 0 && filter.missing != nullptr) {
      fields.place().problem(quoted(filter.key) + " is missing: " + filter.missing);
    }
    if (!there) continue;
    bool taken = false;  // A key may belong to several filters.
    for (const FilterKey& other : kFilterKeys) {
      taken = taken ||
              (std::string_view{other.key} == filter.key && (metric.takes & other.filter) != 0);
    }
    // "to" would be told of twice.
    if (taken || (filter.filter == kRecovers && std::string_view{filter.key} == "to")) continue;
    place_of(fields, filter.key)
        .problem("does not go with " + quoted(metric.name) + ": " + takes_of(metric));
  }
}

// A limit: a duration where the figure is one, a number otherwise.
void read_limit(const ObjectReader& fields, std::string_view key, Metric metric, double& limit) {
  if (traits(metric).unit == Unit::duration) {
    Duration duration{};
    config::read(place_of(fields, key), duration, kFromZero);
    limit = std::chrono::duration<double>(duration).count();
  } else {
    config::read(place_of(fields, key), limit);
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
  if (!is_latency(expectation.of) && expectation.of != Metric::error_ratio) {
    place_of(fields, "of")
        .problem("expected \"error_ratio\" or a latency, found " +
                 quoted(metric_name(expectation.of)));
  }
  if (expectation.over < Duration{Recovery::kStepsPerStretch}) {
    place_of(fields, "over").problem("is too short to move on by a tenth of it");
  }
}

}  // namespace

void describe(ObjectReader& fields, Window& window) {
  fields.required("name", window.name, kAboveZero, "what the report calls it");
  fields.required("from", window.from, kFromZero, "where it starts");
  fields.optional("to", window.to, kAboveZero, "where it ends; at the end of the run without it");
  if (window.to && window.from >= *window.to) {
    fields.place().problem("\"from\" has to be before \"to\"");
  }
}

void describe(ObjectReader& fields, Expectation& expectation) {
  const std::size_t problem_count = fields.place().problems.size();
  fields.required("metric", expectation.metric, "which figure");
  // Of an unknown figure nobody can say how a limit should look.
  const bool known = fields.place().problems.size() == problem_count;
  fields.optional("backend", expectation.backend, kAboveZero, "of which backend");
  fields.optional("load", expectation.load, kAboveZero, "of which load");
  fields.optional("cluster", expectation.cluster, kAboveZero, "of which cluster");
  fields.optional("outcome", expectation.outcome, kAboveZero, "which outcome");
  fields.optional("of", expectation.of, "for recovery_time: which figure has to recover");
  fields.optional("over", expectation.over, kAboveZero,
                  "for recovery_time: of the requests of each stretch of this length");
  for (const char* key : {"min", "max", "below"}) fields.known(key);
  const auto limit = [&](const char* key, Metric metric, std::optional<double>& value) {
    if (known && fields.find(key) != nullptr) read_limit(fields, key, metric, value.emplace());
  };
  limit("min", expectation.metric, expectation.min);
  limit("max", expectation.metric, expectation.max);
  if (fields.find("below") != nullptr) {
    read_limit(fields, "below", expectation.of, expectation.below);
  }
  fields.optional("window", expectation.window, kAboveZero, "which window it is about");
  fields.optional("from", expectation.from, kFromZero, "start of the time it is about");
  fields.optional("to", expectation.to, kFromZero, "end of the time it is about");
  fields.optional("after", expectation.after, kFromZero, "since when a duration counts");
  check_times(fields, expectation);
  if (known) check_filters(fields, traits(expectation.metric));
  if (known && expectation.metric == Metric::recovery_time) check_recovery(fields, expectation);
  if (fields.find("min") == nullptr && fields.find("max") == nullptr) {
    fields.place().problem("\"min\" or \"max\" is missing: what is expected");
  }
}

}  // namespace lb::scenario
