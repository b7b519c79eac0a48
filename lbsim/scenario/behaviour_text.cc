#include "lbsim/scenario/behaviour_text.h"

#include "lbsim/scenario/expand_files.h"
#include "lbsim/scenario/scenario_fields.h"

namespace lb::scenario {

std::string write_behaviour(const Behaviour& behaviour) {
  return config::write(config::Writing{}, behaviour).dump();
}

LoadedBehaviour load_behaviour(std::string_view text, const std::string& file_name,
                               const ReadFile& read_file) {
  LoadedBehaviour loaded;
  std::vector<Problem> problems;
  Node root = config::parse_document(text, file_name, problems);
  if (problems.empty()) {
    expand_files(root, "", read_file, problems);
    config::read(Place{root, "", problems}, loaded.behaviour);
  }
  loaded.problems = config::format_problems(file_name, std::move(problems));
  return loaded;
}

}  // namespace lb::scenario
