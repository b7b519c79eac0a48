#include "lbsim/experiment/variants.h"

#include <spdlog/fmt/fmt.h>

#include <set>
#include <sstream>

#include "lbcore/hash.h"

namespace lb::experiment {
namespace {

// The lines of `text` that were not told before.
std::string new_lines(const std::string& text, std::set<std::string>& told) {
  std::string fresh;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (told.insert(line).second) fresh += line + '\n';
  }
  return fresh;
}

}  // namespace

LoadedVariants load_variants(const std::vector<Variant>& variants) {
  LoadedVariants out;
  std::set<std::string> told;
  for (const Variant& variant : variants) {
    const Source& source = *variant.source;
    scenario::LoadedScenario loaded =
        scenario::load_scenario(source.text, source.file_name, source.read_file, variant.overrides);
    const std::string fresh = new_lines(loaded.problems, told);
    if (!fresh.empty()) {
      out.problems += fresh;
      if (variants.size() > 1) out.problems += "  in the variant " + variant.label + '\n';
    }
    out.scenarios.push_back(std::move(loaded.scenario));
  }
  return out;
}

Origin origin_of(const Source& source) {
  std::uint64_t hash = hash_bytes(source.text);
  const auto read_file = [&](const std::string& path) {
    auto text = source.read_file(path);
    hash = combine(combine(hash, hash_bytes(path)), hash_bytes(text.value_or("")));
    return text;
  };
  const scenario::Scenario loaded =
      scenario::load_scenario(source.text, source.file_name, read_file).scenario;
  return {loaded.name, fmt::format("{:016x}", hash), loaded.seed};
}

}  // namespace lb::experiment
