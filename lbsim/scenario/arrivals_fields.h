// The keys of arrivals.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "lbsim/scenario/distribution_fields.h"
#include "lbsim/scenario/scenario.h"

namespace lb::config {

template <>
struct EnumWords<scenario::TraceFormat> {
  using enum scenario::TraceFormat;
  static constexpr std::array<std::pair<scenario::TraceFormat, const char*>, 2> words{
      {{csv, "csv"}, {access_log, "access_log"}}};
};

}  // namespace lb::config

namespace lb::scenario {

inline constexpr config::Range kRateRange{.min = 0, .max = 100'000'000};

template <class Fields>
void describe(Fields& fields, RatePoint& point) {
  fields.required("at", point.at, config::kFromZero, "when, since the start of the run");
  fields.required("rate", point.rate, kRateRange, "requests per second at that time");
}

// How a day goes, before it is drawn with lines.
struct Diurnal {
  double mean = 0;
  double amplitude = 0;
  Duration period{};
};

template <class Fields>
void describe(Fields& fields, Diurnal& diurnal) {
  fields.required("mean", diurnal.mean, kRateRange, "requests per second, on average");
  fields.required("amplitude", diurnal.amplitude, kRateRange, "how far it goes above and below");
  fields.required("period", diurnal.period, config::kAboveZero, "from one peak to the next");
}

inline void read_diurnal(const config::Place& place, Rate& rate) {
  Diurnal diurnal;
  const std::size_t problem_count = place.problems.size();
  read_checked(place, diurnal, [&] {
    return std::string{diurnal.amplitude > diurnal.mean ? "\"amplitude\" may not be above \"mean\""
                                                        : ""};
  });
  if (place.problems.size() != problem_count) return;
  rate = diurnal_rate(diurnal.mean, diurnal.amplitude, diurnal.period);
}

inline void read_points(const config::Place& place, Rate& rate) {
  const std::size_t problem_count = place.problems.size();
  std::vector<RatePoint> points;
  config::read(place, points);
  if (place.problems.size() != problem_count) return;
  for (std::size_t i = 1; i < points.size(); ++i) {
    if (points[i].at >= points[i - 1].at) continue;
    place.child(place.node.items[i], place.path + '[' + std::to_string(i) + ']')
        .problem("is before the point in front of it");
  }
  if (points.empty()) return place.problem("is empty: expected a list of points with at and rate");
  rate.points = std::move(points);
}

// A number, a list of points, or {"diurnal": ...}.
inline void read(const config::Place& place, Rate& rate, config::Range = {}) {
  using config::Node;
  constexpr std::array<std::string_view, 1> kCurves{"diurnal"};
  if (place.node.kind == Node::Kind::list) return read_points(place, rate);
  if (place.node.kind == Node::Kind::map) {
    const auto choice = read_choice(place, kCurves);
    if (choice) read_diurnal(place.child(*choice->value, place.path + ".diurnal"), rate);
    return;
  }
  double level = 0;
  config::read(place, level, kRateRange);
  rate = Rate{level};
}
inline config::Json schema_of(config::Definitions& definitions, const Rate&, config::Range = {}) {
  return definitions.refer("rate", [&] {
    Diurnal diurnal;
    config::ObjectSchema curve(definitions);
    curve.required("diurnal", diurnal, "a sine");
    return config::any_of_schemas(
        {schema_of(definitions, std::optional<double>{}, kRateRange),
         config::not_empty(schema_of(definitions, std::vector<RatePoint>{})), curve.take()});
  });
}

template <class Fields>
void describe(Fields& fields, Poisson& poisson) {
  fields.required("rate", poisson.rate, "requests per second");
}

template <class Fields>
void describe(Fields& fields, ConstantRate& constant) {
  fields.required("rate", constant.rate, "requests per second");
}

template <class Fields>
void describe(Fields& fields, Renewal& renewal) {
  fields.required("gap", renewal.gap, "the time from one request to the next");
  fields.optional("rate", renewal.rate, kRateRange,
                  "requests per second: gaps are stretched until their mean fits");
}

inline void check(const config::ObjectReader& fields, const Renewal& renewal) {
  if (mean_ns(renewal.gap) < 1) {
    fields.problem_at("gap", "has a mean of zero: requests without end at once");
  }
  if (renewal.rate && *renewal.rate <= 0) fields.problem_at("rate", "expected a number above 0");
}

template <class Fields>
void describe(Fields& fields, MmppState& state) {
  fields.required("rate", state.rate, kRateRange, "requests per second while it lasts");
  fields.required("mean_stay", state.mean_stay, config::kAboveZero,
                  "how long it lasts on average, a duration");
}

template <class Fields>
void describe(Fields& fields, Mmpp& mmpp) {
  fields.required("states", mmpp.states, "a list of states with rate and mean_stay");
}

inline void check(const config::ObjectReader& fields, const Mmpp& mmpp) {
  if (fields.find("states") != nullptr && mmpp.states.empty()) {
    fields.place().problem("\"states\" is empty: expected states with rate and mean_stay");
  }
}

// The file itself is read by the loader, which knows where it is.
template <class Fields>
void describe(Fields& fields, Replay& replay) {
  fields.required("file", replay.file, config::kAboveZero, "what to send again");
  fields.required("format", replay.format, "csv or access_log");
  fields.optional("speed", replay.speed, config::Range{.min = 0, .max = 1'000'000},
                  "how many times faster");
}

inline void check(const config::ObjectReader& fields, const Replay& replay) {
  if (replay.speed < 1e-6) fields.problem_at("speed", "expected a number above 0");
}

inline constexpr config::Range kClientRange{.min = 1, .max = 65'000};

template <class Fields>
void describe(Fields& fields, Clients& clients) {
  fields.required("count", clients.count, kClientRange, "how many there are at a time");
  fields.optional("zipf", clients.zipf, config::Range{.min = 0, .max = 10},
                  "client number k sends in proportion to 1 / k^zipf");
  fields.optional("session", clients.session, config::Range{.min = 1, .max = 1'000'000'000},
                  "requests on average before another client takes its place");
}

// A number, or an object.
inline void read(const config::Place& place, Clients& clients, config::Range = {}) {
  if (place.node.kind == config::Node::Kind::scalar) {
    return config::read(place, clients.count, kClientRange);
  }
  config::ObjectReader fields(place);
  describe(fields, clients);
  fields.finish();
}
inline config::Json schema_of(config::Definitions& definitions, const Clients& clients,
                              config::Range = {}) {
  config::ObjectSchema object(definitions);
  Clients copy = clients;
  describe(object, copy);
  return config::any_of_schemas(
      {schema_of(definitions, clients.count, kClientRange), object.take()});
}

template <class Fields>
void describe(Fields& fields, ClosedLoop& closed) {
  fields.required("clients", closed.clients, config::Range{.min = 1, .max = 1'000'000},
                  "how many clients take turns");
  fields.optional("think_time", closed.think_time, "from an answer to the next request");
}

inline constexpr std::array<std::string_view, 6> kArrivalKinds{"poisson", "constant", "closed",
                                                               "renewal", "mmpp",     "replay"};

inline void read(const config::Place& place, Arrivals& value, config::Range = {}) {
  read_variant(place, value, kArrivalKinds);
}
inline config::Json schema_of(config::Definitions& definitions, const Arrivals& value,
                              config::Range = {}) {
  return variant_schema(definitions, value, kArrivalKinds);
}

}  // namespace lb::scenario
