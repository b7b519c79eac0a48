// The keys of a backend's behaviour.
#pragma once

#include <array>
#include <string>

#include "lbsim/scenario/behaviour.h"
#include "lbsim/scenario/distribution_fields.h"

namespace lb::config {

template <>
struct EnumWords<scenario::Discipline> {
  using enum scenario::Discipline;
  static constexpr std::array<std::pair<scenario::Discipline, const char*>, 2> words{
      {{fifo, "fifo"}, {processor_sharing, "processor_sharing"}}};
};

}  // namespace lb::config

namespace lb::scenario {

inline constexpr config::Range kFactorRange{.min = 0, .max = 1'000'000};

template <class Fields>
void describe(Fields& fields, Contention& contention) {
  fields.required("knee", contention.knee, config::Range{.min = 0, .max = 1'000'000},
                  "requests in service that do not hinder each other");
  fields.required("per_request", contention.per_request, kFactorRange,
                  "how much slower each one above the knee makes all of them; 0.1 is a tenth");
}

template <class Fields>
void describe(Fields& fields, ColdStart& cold_start) {
  fields.required("factor", cold_start.factor, config::Range{.min = 1, .max = 1'000'000},
                  "how many times slower it is at its start");
  fields.required("decay", cold_start.decay, config::kAboveZero,
                  "in which what is above 1 shrinks to 1/e");
}

template <class Fields>
void describe(Fields& fields, Disturbance& disturbance) {
  fields.required("every", disturbance.every, "from the end of one to the start of the next");
  fields.required("for", disturbance.length, "how long one lasts");
  fields.optional("factor", disturbance.factor, config::Range{.min = 1, .max = 1'000'000},
                  "how many times slower meanwhile; it stands still without one");
}

inline void read(const config::Place& place, Disturbance& disturbance, config::Range = {}) {
  read_checked(place, disturbance, [&] {
    return std::string{mean_ns(disturbance.every) < 1 ? "\"every\" has a mean of zero" : ""};
  });
}

template <class Fields>
void describe(Fields& fields, DriftPoint& point) {
  fields.required("at", point.at, config::kFromZero, "when, since the start of the run");
  fields.required("factor", point.factor, kFactorRange, "service times are multiplied by it");
}

// An object with a distribution for each class.
using Classes = std::map<std::string, Distribution>;
inline void read(const config::Place& place, Classes& classes, config::Range = {}) {
  if (place.node.kind != config::Node::Kind::map) {
    return place.problem("expected an object with the name of a class as each key");
  }
  classes.clear();
  for (const config::Node::Entry& entry : place.node.entries) {
    read(place.child(entry.value, place.path + '.' + entry.key), classes[entry.key]);
  }
}
inline config::Json write(config::Writing writing, const Classes& classes) {
  config::Json object = config::Json::object();
  for (const auto& [name, distribution] : classes) object[name] = write(writing, distribution);
  return object;
}

inline config::Json schema_of(config::Definitions& definitions, const Classes&,
                              config::Range = {}) {
  config::Json time = schema_of(definitions, Distribution{});
  time.erase("default");
  return config::map_schema(std::move(time));
}

template <class Fields>
void describe(Fields& fields, Behaviour& behaviour) {
  fields.optional("service_time", behaviour.service_time, "how long a request takes to serve");
  fields.optional("concurrency", behaviour.concurrency, config::Range{.min = 1, .max = 1'000'000},
                  "requests served at the same time");
  fields.optional("queue", behaviour.queue, config::Range{.min = 0, .max = 100'000'000},
                  "requests that may wait; one more is answered with 503");
  fields.optional("classes", behaviour.classes, "service times of loads that name a class");
  fields.optional("discipline", behaviour.discipline, "how requests in service share it");
  fields.optional("cores", behaviour.cores, config::Range{.min = 0, .max = 1'000'000},
                  "what processor sharing shares");
  fields.optional("contention", behaviour.contention, "how requests in service hinder each other");
  fields.optional("cold_start", behaviour.cold_start, "how slow it is after its start");
  fields.optional("disturbances", behaviour.disturbances, "what stops or slows it again and again");
  fields.optional("drift", behaviour.drift, "how its speed changes over the run");
  fields.optional("connection_cost", behaviour.connection_cost, config::kFromZero,
                  "what the first request of a connection takes more");
  fields.optional("zone", behaviour.zone, "faults may strike all of a zone");
}

}  // namespace lb::scenario
