#include "lbsim/scenario/event_fields.h"

#include <algorithm>
#include <set>
#include <type_traits>

#include "lbsim/scenario/behaviour_text.h"
#include "lbsim/scenario/timeline.h"
#include "lbsim/scenario/unspoken.h"

namespace lb::scenario {
namespace {

using config::Definitions;
using config::Json;
using config::Node;
using config::ObjectReader;
using config::Place;
using config::Problem;
using config::Range;

constexpr Range kDaemonRange{.min = 0, .max = Fleet::kDaemonsMax - 1};

bool of_network(FaultKind kind) { return kind == FaultKind::loss || kind == FaultKind::partition; }

void check_repetition(const ObjectReader& fields, const Repetition& repetition) {
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

void check_length(const ObjectReader& fields, const PlannedEvent& planned) {
  if (!planned.length) return;
  const auto& every = planned.repetition.every;
  if (every && *planned.length + planned.repetition.jitter >= *every) {
    fields.problem_at("for", "has to end before it comes again");
  }
  const auto* fault = std::get_if<Fault>(&planned.event.what);
  const auto* down = std::get_if<DaemonFault>(&planned.event.what);
  if ((fault != nullptr ? fault->kind : down->kind) == FaultKind::recover) {
    fields.problem_at("for", "does not go with recover, which is the end of something");
  }
  if (down != nullptr && *planned.length <= down->drain) {
    fields.problem_at("for", "has to be longer than the drain: it starts again when it is gone");
  }
}

// What a fault is of: of a backend, or of daemons alone.
void settle(const ObjectReader& fields, WrittenEvent& written) {
  auto& fault = std::get<Fault>(written.planned.event.what);
  const bool of_backend = fields.find("backend") != nullptr;
  const bool of_zone = fields.find("zone") != nullptr;
  if (of_backend && of_zone) fields.place().problem(std::string{kStruckWords});
  if (fields.find("daemon") == nullptr) return;
  if (of_backend || of_zone) {
    if (!of_network(fault.kind)) {
      fields.problem_at(
          "daemon", "goes with loss and partition, which are between a backend and some daemons");
    }
    fault.daemons = written.daemons;
    return;
  }
  const FaultKind kind = fault.kind;
  if (kind != FaultKind::crash && kind != FaultKind::recover) {
    fields.problem_at("fault",
                      "a daemon can \"crash\" and \"recover\"; anything else needs a \"backend\"");
  }
  written.planned.daemons = written.daemons;
  written.planned.event.what = DaemonFault{.kind = kind};
}

template <class What>
void read_kind(ObjectReader& fields, WrittenEvent& written) {
  written.planned.event.what = What{};
  describe_event(fields, written, std::get<What>(written.planned.event.what));
  check_repetition(fields, written.planned.repetition);
  if constexpr (std::is_same_v<What, Fault>) settle(fields, written);
  check_length(fields, written.planned);
}

template <class What>
Json kind_schema(Definitions& definitions) {
  WrittenEvent written;
  What what;
  config::ObjectSchema object(definitions);
  describe_event(object, written, what);
  return object.take();
}

// A number that is none has been told of already.
void check_daemon(const Place& place, const Fleet& fleet) {
  std::vector<Problem> ignored;
  std::uint32_t number = 0;
  config::read(Place{place.node, place.path, ignored}, number, kDaemonRange);
  if (!ignored.empty()) return;
  config::read(place, number, Range{.min = 0, .max = std::int64_t{fleet.daemons} - 1});
}

void check_daemons(const WrittenEvent& written, const Fleet& fleet,
                   std::vector<Problem>& problems) {
  const Place place{*written.node->find("daemon"), written.path + ".daemon", problems};
  if (place.node.kind != Node::Kind::list) return check_daemon(place, fleet);
  for (std::size_t i = 0; i < place.node.items.size(); ++i) {
    check_daemon(place.child(place.node.items[i], place.path + '[' + std::to_string(i) + ']'),
                 fleet);
  }
}

Json config_schema(Definitions& definitions) {
  return config::any_of_schemas(
      {schema_of(definitions, config::DaemonConfig{}), config::name_schema(definitions)});
}

}  // namespace

void read(const Place& place, Struck& struck, Range) {
  if (place.node.kind == Node::Kind::list) {
    config::read(place, struck.backends, config::kAboveZero);
  } else {
    config::read(place, struck.backends.emplace_back(), config::kAboveZero);
  }
}

Json schema_of(Definitions& definitions, const Struck&, Range) {
  return config::any_of_schemas(
      {config::name_schema(definitions),
       schema_of(definitions, std::vector<std::string>{}, config::kAboveZero)});
}

void read(const Place& place, StruckDaemons& struck, Range) {
  if (place.node.kind == Node::Kind::list) {
    config::read(place, struck.daemons, kDaemonRange);
    if (place.node.items.empty()) place.problem("is empty: which daemons?");
  } else {
    config::read(place, struck.daemons.emplace_back(), kDaemonRange);
  }
}

Json schema_of(Definitions& definitions, const StruckDaemons&, Range) {
  Json list = schema_of(definitions, std::vector<std::uint32_t>{}, kDaemonRange);
  return config::any_of_schemas(
      {schema_of(definitions, std::optional<std::uint32_t>{}, kDaemonRange),
       config::not_empty(std::move(list))});
}

void check(const ObjectReader& fields, const SetBackends& set) {
  std::set<std::string> ids;
  for (std::size_t i = 0; i < set.backends.size(); ++i) {
    const std::string& id = set.backends[i].id;
    if (id.empty() || ids.insert(id).second) continue;
    const std::string path = fields.path_of("backends") + '[' + std::to_string(i) + ']';
    fields.place()
        .child(fields.find("backends")->items[i], path)
        .problem("there are two backends \"" + id + '"');
  }
}

void read(const Place& place, Reloaded& reloaded, Range) {
  if (place.node.kind != Node::Kind::scalar) return config::read(place, reloaded.config);
  reloaded.file = place.node.text;
}

Json schema_of(Definitions& definitions, const Reloaded&, Range) {
  return config_schema(definitions);
}

void read(const Place& place, WrittenEvent& written, Range) {
  ObjectReader fields(place);
  if (place.node.kind != Node::Kind::map) return;
  written.node = &place.node;
  written.path = place.path;
  if (fields.find("reload") != nullptr) {
    read_kind<Reload>(fields, written);
  } else if (fields.find("add_backend") != nullptr) {
    read_kind<AddBackend>(fields, written);
  } else if (fields.find("remove_backend") != nullptr) {
    read_kind<RemoveBackend>(fields, written);
  } else if (fields.find("set_backends") != nullptr) {
    read_kind<SetBackends>(fields, written);
  } else if (fields.find("fault") != nullptr) {
    read_kind<Fault>(fields, written);
  } else if (fields.find("drain") != nullptr) {
    read_kind<DaemonFault>(fields, written);
    written.planned.daemons = written.daemons;
  } else {
    return place.problem("expected an event with " + config::one_of(kEventKinds));
  }
  fields.finish();
}

Json schema_of(Definitions& definitions, const WrittenEvent&, Range) {
  return config::any_of_schemas(
      {kind_schema<Fault>(definitions), kind_schema<Reload>(definitions),
       kind_schema<AddBackend>(definitions), kind_schema<RemoveBackend>(definitions),
       kind_schema<SetBackends>(definitions), kind_schema<DaemonFault>(definitions)});
}

void read_reloads(std::vector<WrittenEvent>& events, const ReadFile& read_file,
                  std::vector<Problem>& problems, std::string& formatted) {
  for (WrittenEvent& written : events) {
    if (!written.reload_file) continue;
    const auto text = read_file(*written.reload_file);
    if (!text) {
      problems.push_back({written.node->find("reload")->at, written.path + ".reload",
                          "cannot read \"" + *written.reload_file + '"'});
      continue;
    }
    config::LoadedConfig loaded = config::load_config(*text, *written.reload_file);
    formatted += config::format_problems(*written.reload_file, loaded.problems);
    std::get<Reload>(written.planned.event.what).config = std::move(loaded.config);
  }
}

void check_struck(const std::vector<WrittenEvent>& events, const Scenario& scenario,
                  std::vector<Problem>& problems) {
  for (const WrittenEvent& written : events) {
    if (!written.daemons.empty()) check_daemons(written, scenario.fleet, problems);
  }
  std::vector<std::string_view> zones;
  for (const auto& [id, behaviour] : scenario.backends) {
    if (!behaviour.zone.empty()) zones.push_back(behaviour.zone);
  }
  for (const WrittenEvent& written : events) {
    const std::string& zone = written.zone;
    if (zone.empty() || std::find(zones.begin(), zones.end(), zone) != zones.end()) continue;
    problems.push_back(
        {written.node->find("zone")->at, written.path + ".zone",
         "no backend is in a zone \"" + zone + '"' + config::did_you_mean(zone, zones)});
  }
}

void plan_events(std::vector<WrittenEvent>& events, Scenario& scenario,
                 std::vector<Problem>& problems) {
  // Who joins on the way is in a zone, too.
  for (const WrittenEvent& written : events) scenario.events.push_back(written.planned.event);
  const std::vector<Scenario::Member> members = scenario.all_backends();
  for (WrittenEvent& written : events) {
    for (const Scenario::Member& member : members) {
      const std::string& id = member.backend.id;
      const bool inside = !written.zone.empty() && scenario.behaviour(id).zone == written.zone;
      if (inside) written.planned.backends.push_back(id);
    }
    scenario.plan.push_back(written.planned);
  }
  if (const auto endless = make_timeline(scenario)) {
    events[*endless].place(problems).problem("would happen more than 100,000 times");
  }
}

void note_simulated_only(const std::vector<WrittenEvent>& events, const Scenario& scenario,
                         std::vector<Problem>& simulated_only) {
  for (const WrittenEvent& written : events) {
    const auto note = [&](const Node& node, const std::string& key, std::string_view words) {
      simulated_only.push_back({node.at, written.path + key, std::string{words}});
    };
    const auto& what = written.planned.event.what;
    if (const auto* fault = std::get_if<Fault>(&what)) {
      if (of_network(fault->kind)) note(*written.node->find("fault"), ".fault", kSimulatedOnly);
    } else if (std::holds_alternative<DaemonFault>(what)) {
      const char* key = written.node->find("drain") != nullptr ? "drain" : "fault";
      note(*written.node->find(key), std::string{"."}.append(key), kOneDaemonOnly);
    } else if (const auto* reload = std::get_if<Reload>(&what)) {
      note_unspoken(*written.node->find("reload"), written.path + ".reload", reload->config,
                    scenario.config, simulated_only);
    } else if (const Node* set = written.node->find("set_backends")) {
      const Node* after = set->find("after");
      if (after != nullptr) note(*after, ".set_backends.after", kOneDaemonOnly);
    }
  }
}

}  // namespace lb::scenario
