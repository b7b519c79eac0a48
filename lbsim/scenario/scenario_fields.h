// The keys of a scenario: what is read, in which words, within which bounds. The structs are in
// scenario.h; load_scenario.cc reads the whole file and checks what only fits together.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>

#include "lbcore/config/cluster_fields.h"
#include "lbcore/config/route_fields.h"
#include "lbcore/routing/header_rules.h"
#include "lbcore/routing/host.h"
#include "lbsim/scenario/arrivals_fields.h"
#include "lbsim/scenario/behaviour_fields.h"
#include "lbsim/scenario/choice.h"
#include "lbsim/scenario/distribution_fields.h"
#include "lbsim/scenario/expectation_fields.h"
#include "lbsim/scenario/fleet_fields.h"
#include "lbsim/scenario/repetition.h"
#include "lbsim/scenario/scenario.h"

namespace lb::config {

template <>
struct EnumWords<scenario::FaultKind> {
  using enum scenario::FaultKind;
  static constexpr std::array<std::pair<scenario::FaultKind, const char*>, 11> words{
      {{crash, "crash"},
       {hang, "hang"},
       {refuse, "refuse"},
       {reset, "reset"},
       {slow, "slow"},
       {error_ratio, "error_ratio"},
       {black_hole, "black_hole"},
       {loss, "loss"},
       {partition, "partition"},
       {fail_probes, "fail_probes"},
       {recover, "recover"}}};
};

}  // namespace lb::config

namespace lb::scenario {

using config::kAboveZero;
using config::kFromZero;
using config::Node;
using config::ObjectReader;
using config::Place;
using config::Problem;
using config::Range;

// What the harness would send has to be a request, or the two worlds could not agree on it.
inline void check_request(const ObjectReader& fields, const RequestShape& request) {
  const auto report = [&](std::string_view key, const std::string& words) {
    const Node* node = fields.find(key);
    if (node == nullptr) return;
    fields.place().child(*node, fields.path_of(key)).problem(words);
  };
  const auto visible = [](std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  };
  if (!is_token(request.method)) report("method", "not a method: \"" + request.method + '"');
  if (!request.path.starts_with('/') || !visible(request.path)) {
    report("path", "expected a path that starts with \"/\", with special characters escaped");
  }
  if (!request.host.empty() && !is_authority(for_client(request.host, 0))) {
    report("host", "expected host or host:port, found \"" + request.host + '"');
  }
  for (const NamedValue& field : request.headers.items) {
    const auto reserved = why_reserved(field.name);
    if (!is_token(field.name) || !is_field_value(field.value)) {
      report("headers", "not a header field: \"" + field.name + '"');
    } else if (reserved) {
      report("headers", '"' + field.name + "\" may not be set here; a host goes under \"host\"");
    }
  }
}

inline void describe(ObjectReader& fields, RequestShape& request) {
  fields.optional("method", request.method, kAboveZero, "the method");
  fields.optional("path", request.path, kAboveZero, "the path, with its query");
  fields.optional("host", request.host, kAboveZero, "the host; the listener's address without it");
  fields.optional("headers", request.headers, "header fields and their values");
  check_request(fields, request);
}

template <class Fields>
void describe(Fields& fields, Network& network) {
  fields.optional("connect", network.connect, kFromZero, "to open a connection");
  fields.optional("one_way", network.one_way, kFromZero, "from one host to the next");
}

inline void describe(ObjectReader& fields, Autoscaler& scaler) {
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
  if (scaler.min > scaler.max) fields.place().problem("\"min\" is above \"max\"");
  if (scaler.target_utilisation <= 0 || scaler.target_utilisation > 1) {
    fields.place()
        .child(*fields.find("target_utilisation"), fields.path_of("target_utilisation"))
        .problem("expected a number above 0 and up to 1");
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

inline void describe(ObjectReader& fields, AddBackend& add) {
  fields.required("cluster", add.cluster, kAboveZero, "the cluster it joins");
  describe(fields, add.backend);
}

inline void describe(ObjectReader& fields, RemoveBackend& remove) {
  fields.required("cluster", remove.cluster, kAboveZero, "the cluster it leaves");
  fields.required("id", remove.id, kAboveZero, "the backend's id");
}

inline void describe(ObjectReader& fields, SetBackends& set) {
  fields.required("cluster", set.cluster, kAboveZero, "the cluster that has other backends");
  fields.required("backends", set.backends, "all it has from now on");
  fields.optional("after", set.after, "how long a daemon takes to notice");
}

inline void describe(ObjectReader& fields, Repetition& repetition) {
  fields.optional("every", repetition.every, kAboveZero, "it comes again at equal distances");
  fields.optional("jitter", repetition.jitter, kFromZero, "each time later by anything up to this");
  fields.optional("mean_every", repetition.mean_every, kAboveZero,
                  "it comes again at random, so often on average");
  fields.optional("until", repetition.until, kAboveZero, "not at this time or later");
  fields.optional("count", repetition.count, kAboveZero, "how often in all");
  const bool repeated = repetition.every || repetition.mean_every;
  if (repetition.every && repetition.mean_every) {
    fields.place().problem("has both \"every\" and \"mean_every\"");
  }
  for (const char* key : {"jitter", "until", "count"}) {
    if (fields.find(key) == nullptr || repeated) continue;
    std::string words{"has \""};
    fields.place().problem(words.append(key).append("\" without \"every\" or \"mean_every\""));
  }
}

inline void describe(ObjectReader& fields, Fault& fault) {
  fields.required("fault", fault.kind, "what happens to it");
  fields.optional("factor", fault.factor, Range{.min = 0, .max = 1'000'000},
                  "for slow: service times are multiplied by it");
  fields.optional("add", fault.add, kFromZero,
                  "for slow: how much later every answer is, those to probes too");
  fields.optional("in", fault.in, kFromZero, "for black_hole: how soon the errors come");
  fields.optional("ratio", fault.ratio, Range{.min = 0, .max = 1},
                  "for error_ratio and loss: which share of the answers, or of all messages");
  fields.optional("retransmit", fault.retransmit, kAboveZero,
                  "for loss: when a message is sent again, and twice as long each next time");
  if (fault.kind == FaultKind::slow && fields.find("factor") == nullptr &&
      fields.find("add") == nullptr) {
    fields.place().problem("\"factor\" or \"add\" is missing: how many times slower, or by what");
  }
  const bool has_share = fault.kind == FaultKind::error_ratio || fault.kind == FaultKind::loss;
  if (has_share && fields.find("ratio") == nullptr) {
    fields.place().problem("\"ratio\" is missing: which share of the answers");
  }
}

}  // namespace lb::scenario
