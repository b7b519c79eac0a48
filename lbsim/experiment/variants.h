// Variants: the same story told in different ways, loaded and checked before any of them is run.
#pragma once

#include <string>
#include <vector>

#include "lbsim/scenario/scenario.h"

namespace lb::experiment {

// A scenario as it was found: its text, and how to read the files it names.
struct Source {
  std::string file_name;
  std::string text;
  scenario::ReadFile read_file;
};

struct Variant {
  std::string label;
  const Source* source = nullptr;  // Not owned.
  std::vector<scenario::Override> overrides;
};

struct LoadedVariants {
  std::vector<scenario::Scenario> scenarios;  // One for each variant, when there is no problem.
  std::string problems;  // Formatted lines with line and column, and the variant they are in.
};

// Reads every variant once. What several of them have wrong is told once.
[[nodiscard]] LoadedVariants load_variants(const std::vector<Variant>& variants);

// Of the text and of every file it reads: the same for the same experiment, on every machine.
struct Origin {
  std::string name;        // Of the scenario.
  std::string hash;        // 16 hexadecimal digits.
  std::uint64_t seed = 1;  // That the scenario names.
};
[[nodiscard]] Origin origin_of(const Source& source);

}  // namespace lb::experiment
