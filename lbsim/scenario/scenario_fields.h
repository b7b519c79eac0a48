// The keys of a scenario: what is read, in which words, within which bounds. The structs are in
// scenario.h; load_scenario.cc reads the whole file and checks what only fits together.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>

#include "lbcore/config/cluster_fields.h"
#include "lbcore/config/route_fields.h"
#include "lbcore/config/schema.h"
#include "lbcore/routing/header_rules.h"
#include "lbcore/routing/host.h"
#include "lbsim/scenario/arrivals_fields.h"
#include "lbsim/scenario/behaviour_fields.h"
#include "lbsim/scenario/choice.h"
#include "lbsim/scenario/distribution_fields.h"
#include "lbsim/scenario/event_fields.h"
#include "lbsim/scenario/expectation_fields.h"
#include "lbsim/scenario/fleet_fields.h"
#include "lbsim/scenario/scenario.h"

namespace lb::scenario {

using config::kAboveZero;
using config::kFromZero;
using config::Node;
using config::ObjectReader;
using config::Place;
using config::Problem;
using config::Range;

template <class Fields>
void describe(Fields& fields, RequestShape& request) {
  fields.optional("method", request.method, kAboveZero, "the method");
  fields.optional("path", request.path, kAboveZero, "the path, with its query");
  fields.optional("host", request.host, kAboveZero, "the host; the listener's address without it");
  fields.optional("headers", request.headers, "header fields and their values");
}

// What the harness would send has to be a request, or the two worlds could not agree on it.
inline void check(const ObjectReader& fields, const RequestShape& request) {
  const auto visible = [](std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  };
  if (!is_token(request.method))
    fields.problem_at("method", "not a method: \"" + request.method + '"');
  if (!request.path.starts_with('/') || !visible(request.path)) {
    fields.problem_at("path",
                      "expected a path that starts with \"/\", with special characters escaped");
  }
  if (!request.host.empty() && !is_authority(for_client(request.host, 0))) {
    fields.problem_at("host", "expected host or host:port, found \"" + request.host + '"');
  }
  for (const NamedValue& field : request.headers.items) {
    const auto reserved = why_reserved(field.name);
    if (!is_token(field.name) || !is_field_value(field.value)) {
      fields.problem_at("headers", "not a header field: \"" + field.name + '"');
    } else if (reserved) {
      fields.problem_at("headers",
                        '"' + field.name + "\" may not be set here; a host goes under \"host\"");
    }
  }
}

template <class Fields>
void describe(Fields& fields, Network& network) {
  fields.optional("connect", network.connect, kFromZero, "to open a connection");
  fields.optional("one_way", network.one_way, kFromZero, "from one host to the next");
}

template <class Fields>
void describe(Fields& fields, Autoscaler& scaler) {
  constexpr Range kCount{.min = 1, .max = 10'000};
  fields.required("cluster", scaler.cluster, kAboveZero, "the cluster that grows and shrinks");
  fields.optional("min", scaler.min, kCount, "never fewer backends");
  fields.optional("max", scaler.max, kCount, "never more of them");
  fields.optional("target_utilisation", scaler.target_utilisation,
                  "which part of their places is to be busy");
  fields.optional("interval", scaler.interval, kAboveZero, "between decisions");
  fields.optional("start_delay", scaler.start_delay, kFromZero,
                  "from a decision to a backend that is up");
  fields.optional("stabilisation", scaler.stabilisation, kFromZero,
                  "it shrinks to the most it wanted in this time");
}

inline void check(const ObjectReader& fields, const Autoscaler& scaler) {
  if (scaler.min > scaler.max) fields.place().problem("\"min\" is above \"max\"");
  if (scaler.target_utilisation <= 0 || scaler.target_utilisation > 1) {
    fields.problem_at("target_utilisation", "expected a number above 0 and up to 1");
  }
}

template <class Fields>
void describe(Fields& fields, ClientRetries& retries) {
  fields.required("attempts", retries.attempts, Range{.min = 1, .max = 100},
                  "how often a client tries, in all");
  fields.optional("backoff", retries.backoff, kFromZero, "the wait before it tries again");
}

template <class Fields>
void describe(Fields& fields, Load& load) {
  fields.optional("name", load.name, kAboveZero, "a name for reports");
  fields.optional("listener", load.listener, kAboveZero, "which listener it goes to");
  fields.required("arrivals", load.arrivals, "when requests come");
  fields.optional("clients", load.clients, "different client addresses in an open loop");
  fields.optional("timeout", load.timeout, kAboveZero, "after which a client gives up");
  fields.optional("retries", load.retries, "what a client does about a bad answer");
  fields.optional("class", load.request_class, kAboveZero,
                  "the kind of its requests: backends may have a service time for it");
  fields.optional("request", load.request, "what is asked");
}

// Behaviours by the ids of their backends. What is said of "*" holds for every backend that does
// not say otherwise.
using Behaviours = std::map<std::string, Behaviour>;
void read(const Place& place, Behaviours& behaviours, Range range = {});
[[nodiscard]] config::Json schema_of(config::Definitions& definitions, const Behaviours& behaviours,
                                     Range range = {});

// The configuration of lbd, which may be in a file of its own; that was put in its place before.
struct ConfigPart {
  config::DaemonConfig& config;
  std::vector<Problem>* own_problems = nullptr;  // Of its file; null when it is inline.
  bool unreadable = false;
};
void read(const Place& place, ConfigPart& part, Range range = {});
[[nodiscard]] config::Json schema_of(config::Definitions& definitions, const ConfigPart& part,
                                     Range range = {});

// A scenario as it is written.
struct WrittenScenario {
  Scenario& scenario;
  ConfigPart config{scenario.config};
  std::vector<WrittenEvent> events{};
};

template <class Fields>
void describe(Fields& fields, WrittenScenario& written) {
  Scenario& scenario = written.scenario;
  fields.required("why", scenario.why, kAboveZero, "one sentence: what this shows");
  fields.optional("seed", scenario.seed, "start of everything random");
  fields.optional("duration", scenario.duration, kAboveZero, "for how long load is sent");
  fields.optional("warmup", scenario.warmup, kFromZero, "start of the run that is not counted");
  fields.required("config", written.config, "the configuration of lbd, or its file");
  fields.optional("fleet", scenario.fleet, "daemons beside each other");
  fields.optional("autoscalers", scenario.autoscalers, "clusters that grow and shrink");
  fields.optional("backends", scenario.backends,
                  "how backends behave, by their ids; \"*\" is for all that say nothing else");
  fields.optional("network", scenario.network, "simulated delays");
  fields.required("load", scenario.load, "a list of loads");
  fields.optional("events", written.events, "what happens on the way");
  fields.optional("windows", scenario.windows, "parts of the run the report has figures of");
  fields.optional("expect", scenario.expect, "what has to hold");
  std::string schema;
  config::optional_text(fields, "$schema", schema, "for editors: what this file may say");
}

}  // namespace lb::scenario
