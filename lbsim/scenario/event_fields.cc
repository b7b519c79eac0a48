#include "lbsim/scenario/event_fields.h"

#include <algorithm>

#include "lbsim/scenario/behaviour_text.h"
#include "lbsim/scenario/timeline.h"

namespace lb::scenario {
namespace {

using config::Definitions;
using config::Json;
using config::Node;
using config::ObjectReader;
using config::Place;
using config::Problem;
using config::Range;

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
  if (std::get<Fault>(planned.event.what).kind == FaultKind::recover) {
    fields.problem_at("for", "does not go with recover, which is the end of something");
  }
}

template <class What>
void read_kind(ObjectReader& fields, WrittenEvent& written) {
  written.planned.event.what = What{};
  describe_event(fields, written, std::get<What>(written.planned.event.what));
  check_repetition(fields, written.planned.repetition);
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
  } else if (fields.find("fault") != nullptr) {
    read_kind<Fault>(fields, written);
  } else {
    return place.problem("expected an event with " + config::one_of(kEventKinds));
  }
  fields.finish();
}

Json schema_of(Definitions& definitions, const WrittenEvent&, Range) {
  return config::any_of_schemas({kind_schema<Fault>(definitions), kind_schema<Reload>(definitions),
                                 kind_schema<AddBackend>(definitions),
                                 kind_schema<RemoveBackend>(definitions)});
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

void check_zones(const std::vector<WrittenEvent>& events, const Scenario& scenario,
                 std::vector<Problem>& problems) {
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

void note_simulated_only(const std::vector<WrittenEvent>& events,
                         std::vector<Problem>& simulated_only) {
  for (const WrittenEvent& written : events) {
    const auto* fault = std::get_if<Fault>(&written.planned.event.what);
    const bool only =
        fault != nullptr && (fault->kind == FaultKind::loss || fault->kind == FaultKind::partition);
    if (!only) continue;
    simulated_only.push_back(
        {written.node->find("fault")->at, written.path + ".fault", std::string{kSimulatedOnly}});
  }
}

}  // namespace lb::scenario
