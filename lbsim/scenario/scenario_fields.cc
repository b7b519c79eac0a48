#include "lbsim/scenario/scenario_fields.h"

namespace lb::scenario {

void read(const Place& place, Behaviours& behaviours, Range) {
  if (place.node.kind != Node::Kind::map) {
    return place.problem("expected an object with a backend's id, or \"*\", as each key");
  }
  Behaviour common;
  if (const Node* star = place.node.find("*")) {
    config::read(place.child(*star, place.path + ".*"), common);
  }
  behaviours["*"] = common;
  for (const Node::Entry& entry : place.node.entries) {
    if (entry.key == "*") continue;
    Behaviour behaviour = common;
    config::read(place.child(entry.value, place.path + '.' + entry.key), behaviour);
    behaviours[entry.key] = std::move(behaviour);
  }
}

config::Json schema_of(config::Definitions& definitions, const Behaviours&, Range) {
  return config::map_schema(schema_of(definitions, Behaviour{}));
}

void read(const Place& place, ConfigPart& part, Range) {
  if (part.unreadable) return;
  if (part.own_problems == nullptr) return config::read(place, part.config);
  config::read(Place{place.node, "", *part.own_problems}, part.config);
}

config::Json schema_of(config::Definitions& definitions, const ConfigPart& part, Range) {
  std::optional<std::string> file;
  return schema_of(definitions, Reloaded{part.config, file});
}

config::Json scenario_schema() {
  Scenario scenario;
  WrittenScenario written{scenario};
  config::Definitions definitions;
  config::ObjectSchema object(definitions);
  describe(object, written);
  return definitions.whole("Scenario of lbsim and lbharness", object.take());
}

}  // namespace lb::scenario
