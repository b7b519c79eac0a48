// A configuration file, as YAML and as JSON: what is accepted says the same when it is written and
// read again, and passes the checks of one that the admin API changed.
#include <nlohmann/json.hpp>

#include "lbcore/assert.h"
#include "lbcore/config/daemon_config.h"
#include "tests/fuzz/target.h"

namespace lb::fuzz {
namespace {

void check(std::string_view text, std::string_view file_name) {
  const config::LoadedConfig loaded = config::load_config(text, file_name);
  static_cast<void>(config::format_problems(std::string{file_name}, loaded.problems));
  static_cast<void>(config::format_problems(std::string{file_name}, loaded.warnings));
  if (!loaded.problems.empty()) return;
  LB_ASSERT(config::check_config(loaded.config).empty());
  const std::string written = config::to_json(loaded.config).dump();
  const config::LoadedConfig again = config::load_config(written, "written.json");
  LB_ASSERT(again.problems.empty());
  LB_ASSERT(again.config == loaded.config);
  LB_ASSERT(config::config_hash(again.config) == config::config_hash(loaded.config));
}

}  // namespace

void run(std::string_view input) {
  check(input, "fuzzed.yaml");
  check(input, "fuzzed.json");
}

}  // namespace lb::fuzz
