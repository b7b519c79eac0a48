// The keys of distributions.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "lbsim/scenario/choice.h"
#include "lbsim/scenario/distribution.h"

namespace lb::scenario {

inline constexpr std::array<std::string_view, 8> kDistributionKinds{
    "constant", "exponential", "lognormal", "uniform", "pareto", "gamma", "bimodal", "empirical"};

inline void read(const config::Place& place, Constant& constant, config::Range = {}) {
  config::read(place, constant.value, config::kFromZero);
}
inline config::Json write(config::Writing, const Constant& constant) {
  return config::write(config::Writing{}, constant.value);
}
inline config::Json schema_of(config::Definitions& definitions, const Constant& constant,
                              config::Range = {}) {
  return schema_of(definitions, constant.value);
}

template <class Fields>
void describe(Fields& fields, Exponential& exponential) {
  fields.required("mean", exponential.mean, config::kFromZero, "the mean, a duration");
}

template <class Fields>
void describe(Fields& fields, Lognormal& lognormal) {
  fields.required("mean", lognormal.mean, config::kFromZero, "the mean, a duration");
  fields.required("sigma", lognormal.sigma, config::Range{.min = 0, .max = 5},
                  "the standard deviation of the logarithm");
}

template <class Fields>
void describe(Fields& fields, Uniform& uniform) {
  fields.required("min", uniform.min, config::kFromZero, "the shortest, a duration");
  fields.required("max", uniform.max, config::kFromZero, "the longest, a duration");
}

template <class Fields>
void describe(Fields& fields, Pareto& pareto) {
  fields.required("min", pareto.min, config::kAboveZero, "the shortest, a duration");
  fields.required("max", pareto.max, config::kAboveZero, "where the tail is cut off, a duration");
  fields.required("alpha", pareto.alpha, config::Range{.min = 0, .max = 16},
                  "how fast the tail falls: the smaller, the heavier");
}

template <class Fields>
void describe(Fields& fields, Gamma& gamma) {
  fields.required("mean", gamma.mean, config::kFromZero, "the mean, a duration");
  fields.required("shape", gamma.shape, config::Range{.min = 0, .max = 1'000'000},
                  "1 is an exponential, more is steadier, less is burstier");
}

template <class Fields>
void describe(Fields& fields, Bimodal& bimodal) {
  fields.required("fast", bimodal.fast, config::kFromZero, "the usual time, a duration");
  fields.required("slow", bimodal.slow, config::kFromZero, "the other time, a duration");
  fields.required("slow_ratio", bimodal.slow_ratio, config::Range{.min = 0, .max = 1},
                  "this share of the times is the other one");
}

// Reads the object, and then asks `check` what is wrong with it: "" when nothing is.
template <class T, class Check>
void read_checked(const config::Place& place, T& value, Check&& check) {
  config::ObjectReader fields(place);
  const std::size_t problem_count = place.problems.size();
  describe(fields, value);
  fields.finish();
  if (place.problems.size() != problem_count) return;
  if (std::string wrong = check(); !wrong.empty()) place.problem(std::move(wrong));
}

inline void read(const config::Place& place, Uniform& uniform, config::Range = {}) {
  read_checked(place, uniform, [&] {
    return std::string{uniform.min > uniform.max ? "\"min\" may not be above \"max\"" : ""};
  });
}

inline void read(const config::Place& place, Pareto& pareto, config::Range = {}) {
  read_checked(place, pareto, [&] {
    return std::string{pareto.min >= pareto.max ? "\"min\" has to be below \"max\""
                       : pareto.alpha < 0.01    ? "\"alpha\" has to be at least 0.01"
                                                : ""};
  });
}

inline void read(const config::Place& place, Gamma& gamma, config::Range = {}) {
  read_checked(place, gamma, [&] {
    return std::string{gamma.shape < 0.01 ? "\"shape\" has to be at least 0.01" : ""};
  });
}

// The file of an empirical distribution was put in its place before: see expand_files().
inline void read(const config::Place& place, Empirical& empirical, config::Range = {}) {
  config::ObjectReader fields(place);
  std::vector<Duration> values;
  fields.required("values", values, config::kFromZero,
                  "a list of durations; or \"file\", with one on each line");
  fields.finish();
  if (!values.empty()) {
    empirical = Empirical(std::move(values));
  } else if (fields.find("values") != nullptr) {
    place.problem("\"values\" is empty: nothing to draw from");
  }
}
inline config::Json write(config::Writing, const Empirical& empirical) {
  return {{"values", config::write(config::Writing{}, empirical.sorted())}};
}
inline config::Json schema_of(config::Definitions& definitions, const Empirical&,
                              config::Range = {}) {
  config::Json values =
      config::not_empty(schema_of(definitions, std::vector<Duration>{}, config::kFromZero));
  return config::any_of_schemas({config::one_key_schema("values", std::move(values)),
                                 config::one_key_schema("file", config::name_schema(definitions))});
}

inline void read(const config::Place& place, Distribution& value, config::Range = {}) {
  read_variant(place, value, kDistributionKinds);
}
inline config::Json write(config::Writing, const Distribution& value) {
  return write_variant(value, kDistributionKinds);
}
inline config::Json schema_of(config::Definitions& definitions, const Distribution& value,
                              config::Range = {}) {
  config::Json schema = definitions.refer(
      "distribution", [&] { return variant_schema(definitions, value, kDistributionKinds); });
  schema["default"] = write(config::Writing{}, value);
  return schema;
}

}  // namespace lb::scenario
