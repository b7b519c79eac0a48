// A scenario file: what is accepted can be played, and is the same each time it is read.
#include <algorithm>

#include "lbcore/assert.h"
#include "lbsim/scenario/scenario.h"
#include "tests/fuzz/target.h"

namespace lb::fuzz {
namespace {

constexpr std::string_view kConfig = R"({
  "listeners": [{"name": "web", "bind": "127.0.0.1:8080", "protocol": "http", "cluster": "web"}],
  "clusters": [{"name": "web", "backends": [{"id": "b1", "address": "127.0.0.1:8000"}]}]})";

// The files that a scenario may name, by their ending.
std::optional<std::string> read_file(const std::string& path) {
  if (path.ends_with(".json")) return std::string{kConfig};
  if (path.ends_with(".csv")) return "time,client,path\n0.5,a,/x\n1.5,b,/y\n";
  if (path.ends_with(".txt")) return "1ms\n2.5\n# so\n\n10ms\n";
  return std::nullopt;
}

bool in_order(const std::vector<scenario::Event>& events) {
  return std::is_sorted(events.begin(), events.end(),
                        [](const auto& a, const auto& b) { return a.at < b.at; });
}

}  // namespace

void run(std::string_view input) {
  const auto loaded = scenario::load_scenario(input, "fuzzed.json", read_file);
  const auto again = scenario::load_scenario(input, "fuzzed.json", read_file);
  LB_ASSERT(again.problems == loaded.problems);
  LB_ASSERT(again.simulated_only == loaded.simulated_only);
  if (!loaded.problems.empty()) return;
  const scenario::Scenario& played = loaded.scenario;
  LB_ASSERT(!played.load.empty());
  LB_ASSERT(played.warmup < played.duration);
  LB_ASSERT(in_order(played.events));
  LB_ASSERT(played.events.size() == again.scenario.events.size());
  LB_ASSERT(config::check_config(played.config).empty());
  for (const scenario::Scenario::Member& member : played.all_backends()) {
    static_cast<void>(played.behaviour(member.backend.id));
  }
}

}  // namespace lb::fuzz
