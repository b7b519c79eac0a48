#include "lbsim/scenario/behaviour_text.h"

#include "lbsim/scenario/expand_files.h"
#include "lbsim/scenario/scenario_fields.h"

namespace lb::scenario {

std::string write_behaviour(const Behaviour& behaviour) {
  return config::write(config::Writing{}, behaviour).dump();
}

std::vector<std::string_view> simulated_only(const Behaviour& behaviour) {
  std::vector<std::string_view> keys;
  if (!behaviour.classes.empty()) keys.push_back("classes");
  if (behaviour.discipline != Discipline::fifo) keys.push_back("discipline");
  if (behaviour.contention) keys.push_back("contention");
  if (behaviour.cold_start) keys.push_back("cold_start");
  if (!behaviour.disturbances.empty()) keys.push_back("disturbances");
  if (!behaviour.drift.empty()) keys.push_back("drift");
  if (behaviour.connection_cost > Duration{}) keys.push_back("connection_cost");
  return keys;
}

LoadedBehaviour load_behaviour(std::string_view text, const std::string& file_name,
                               const ReadFile& read_file) {
  LoadedBehaviour loaded;
  std::vector<Problem> problems;
  Node root = config::parse_document(text, file_name, problems);
  if (problems.empty()) {
    expand_files(root, "", read_file, problems);
    config::read(Place{root, "", problems}, loaded.behaviour);
    for (const std::string_view key : simulated_only(loaded.behaviour)) {
      problems.push_back({root.at, std::string{key}, std::string{kSimulatedOnly}});
    }
  }
  loaded.problems = config::format_problems(file_name, std::move(problems));
  return loaded;
}

}  // namespace lb::scenario
