// The keys of events.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "lbcore/config/cluster_fields.h"
#include "lbcore/config/schema.h"
#include "lbsim/scenario/distribution_fields.h"
#include "lbsim/scenario/repetition.h"
#include "lbsim/scenario/scenario.h"

namespace lb::config {

template <>
struct EnumWords<scenario::FaultKind> {
  using enum scenario::FaultKind;
  static constexpr std::array<std::pair<scenario::FaultKind, const char*>, 13> words{
      {{crash, "crash"},
       {hang, "hang"},
       {refuse, "refuse"},
       {reset, "reset"},
       {slow, "slow"},
       {error_ratio, "error_ratio"},
       {black_hole, "black_hole"},
       {truncate, "truncate"},
       {drip, "drip"},
       {loss, "loss"},
       {partition, "partition"},
       {fail_probes, "fail_probes"},
       {recover, "recover"}}};
};

}  // namespace lb::config

namespace lb::scenario {

// An event as it is written; what else there is has to be known before it can be planned.
struct WrittenEvent {
  PlannedEvent planned;
  std::string zone;                    // All backends of it are struck.
  std::vector<std::uint32_t> daemons;  // Those an event names.
  std::optional<std::string>
      reload_file;  // Has the configuration of a reload, if it is not inline.
  const config::Node* node = nullptr;
  std::string path;

  [[nodiscard]] config::Place place(std::vector<config::Problem>& problems) const {
    return {*node, path, problems};
  }
};

// What happens is said by one of these keys. In the order of Event::what.
inline constexpr std::array<std::string_view, 6> kEventKinds{
    "fault", "reload", "add_backend", "remove_backend", "set_backends", "drain"};

template <class Fields>
void describe(Fields& fields, Repetition& repetition) {
  fields.optional("every", repetition.every, config::kAboveZero,
                  "it comes again at equal distances");
  fields.optional("jitter", repetition.jitter, config::kFromZero,
                  "each time later by anything up to this");
  fields.optional("mean_every", repetition.mean_every, config::kAboveZero,
                  "it comes again at random, so often on average");
  fields.optional("until", repetition.until, config::kAboveZero, "not at this time or later");
  fields.optional("count", repetition.count, config::kAboveZero, "how often in all");
}

inline constexpr std::string_view kStruckWords =
    "expected \"backend\" (an id, or a list of them) or \"zone\"";

// One backend, or a list of them.
struct Struck {
  std::vector<std::string>& backends;
};
void read(const config::Place& place, Struck& struck, config::Range range = {});
[[nodiscard]] config::Json schema_of(config::Definitions& definitions, const Struck& struck,
                                     config::Range range = {});

// The number of a daemon, or a list of them.
struct StruckDaemons {
  std::vector<std::uint32_t>& daemons;
};
void read(const config::Place& place, StruckDaemons& struck, config::Range range = {});
[[nodiscard]] config::Json schema_of(config::Definitions& definitions, const StruckDaemons& struck,
                                     config::Range range = {});

// Of backends or, when it names daemons alone, of those.
template <class Fields>
void describe_kind(Fields& fields, WrittenEvent& written, Fault& fault) {
  fields.required("fault", fault.kind, "what happens to it");
  fields.optional("factor", fault.factor, config::Range{.min = 0, .max = 1'000'000},
                  "for slow: service times are multiplied by it");
  fields.optional("add", fault.add, config::kFromZero,
                  "for slow: how much later every answer is, those to probes too");
  fields.optional("in", fault.in, config::kFromZero, "for black_hole: how soon the errors come");
  fields.optional("ratio", fault.ratio, config::Range{.min = 0, .max = 1},
                  "for error_ratio, truncate and loss: which share of the answers, or of all "
                  "messages");
  fields.optional("reset", fault.reset, "for truncate: the connection ends with RST, not FIN");
  fields.optional("over", fault.over, config::kAboveZero, "for drip: how long a body takes");
  fields.optional("retransmit", fault.retransmit, config::kAboveZero,
                  "for loss: when a message is sent again, and twice as long each next time");
  fields.any_of_when("fault", "slow", {"factor", "add"},
                     "\"factor\" or \"add\" is missing: how many times slower, or by what");
  fields.any_of_when("fault", "drip", {"over"}, "\"over\" is missing: how long a body takes");
  for (const char* kind : {"error_ratio", "loss"}) {
    fields.any_of_when("fault", kind, {"ratio"},
                       "\"ratio\" is missing: which share of the answers");
  }
  Struck struck{written.planned.backends};
  fields.optional("backend", struck, "an id, or a list of them");
  fields.optional("zone", written.zone, config::kAboveZero, "all backends of this zone");
  StruckDaemons daemons{written.daemons};
  fields.optional("daemon", daemons,
                  "a number, or a list of them: daemons that crash or recover; with loss and "
                  "partition, those between whom and the backend it is");
  fields.any_of({"backend", "zone", "daemon"}, kStruckWords);
  fields.optional("for", written.planned.length, config::kAboveZero, "after which it recovers");
}

// A configuration, or the file that has it.
struct Reloaded {
  config::DaemonConfig& config;
  std::optional<std::string>& file;
};
void read(const config::Place& place, Reloaded& reloaded, config::Range range = {});
[[nodiscard]] config::Json schema_of(config::Definitions& definitions, const Reloaded& reloaded,
                                     config::Range range = {});

template <class Fields>
void describe_kind(Fields& fields, WrittenEvent& written, Reload& reload) {
  Reloaded reloaded{reload.config, written.reload_file};
  fields.required("reload", reloaded, "the new configuration of lbd, or its file");
}

template <class Fields>
void describe(Fields& fields, AddBackend& add) {
  fields.required("cluster", add.cluster, config::kAboveZero, "the cluster it joins");
  describe(fields, add.backend);
}

template <class Fields>
void describe_kind(Fields& fields, WrittenEvent&, AddBackend& add) {
  fields.required("add_backend", add, "a backend that joins, through the admin API");
}

template <class Fields>
void describe(Fields& fields, RemoveBackend& remove) {
  fields.required("cluster", remove.cluster, config::kAboveZero, "the cluster it leaves");
  fields.required("id", remove.id, config::kAboveZero, "the backend's id");
}

template <class Fields>
void describe_kind(Fields& fields, WrittenEvent&, RemoveBackend& remove) {
  fields.required("remove_backend", remove, "a backend that leaves, and finishes what it has");
}

template <class Fields>
void describe(Fields& fields, SetBackends& set) {
  fields.required("cluster", set.cluster, config::kAboveZero,
                  "the cluster that has other backends");
  fields.required("backends", set.backends, "all it has from now on");
  fields.optional("after", set.after, "how long a daemon takes to notice");
}

void check(const config::ObjectReader& fields, const SetBackends& set);

template <class Fields>
void describe_kind(Fields& fields, WrittenEvent&, SetBackends& set) {
  fields.required("set_backends", set, "other backends, as when an answer of a DNS changes");
}

template <class Fields>
void describe_kind(Fields& fields, WrittenEvent& written, DaemonFault& down) {
  fields.required("drain", down.drain, config::kAboveZero,
                  "a daemon refuses what is new, and is gone when it has finished what it has, or "
                  "after this time");
  StruckDaemons daemons{written.daemons};
  fields.required("daemon", daemons, "a number, or a list of them");
  fields.optional("for", written.planned.length, config::kAboveZero,
                  "after which it starts again, from the start of the drain");
}

// All keys of an event of one kind.
template <class Fields, class What>
void describe_event(Fields& fields, WrittenEvent& written, What& what) {
  describe(fields, written.planned.repetition);
  fields.required("at", written.planned.event.at, config::kFromZero,
                  "when, since the start of the run");
  describe_kind(fields, written, what);
}

void read(const config::Place& place, WrittenEvent& written, config::Range range = {});
[[nodiscard]] config::Json schema_of(config::Definitions& definitions, const WrittenEvent& written,
                                     config::Range range = {});

// Reads the configurations that reloads point at. Those that cannot be read are `problems`; what is
// wrong in one is added to `formatted`, one line each.
void read_reloads(std::vector<WrittenEvent>& events, const ReadFile& read_file,
                  std::vector<config::Problem>& problems, std::string& formatted);

// Zones and daemons have to exist.
void check_struck(const std::vector<WrittenEvent>& events, const Scenario& scenario,
                  std::vector<config::Problem>& problems);

// Makes the plan of the scenario and its timeline. REQUIRES: there was no problem so far.
void plan_events(std::vector<WrittenEvent>& events, Scenario& scenario,
                 std::vector<config::Problem>& problems);

// Adds the events that only the simulator can play.
void note_simulated_only(const std::vector<WrittenEvent>& events, const Scenario& scenario,
                         std::vector<config::Problem>& simulated_only);

}  // namespace lb::scenario
