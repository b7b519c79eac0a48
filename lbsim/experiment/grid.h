// Grid: values for some paths of a scenario, and every combination of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lbsim/scenario/scenario.h"

namespace lb::experiment {

struct Axis {
  std::string path;
  std::vector<std::string> values;  // At least one.
  bool operator==(const Axis&) const = default;
};

// "a,b,c" in parts; a comma within brackets, braces or quotes belongs to its part.
[[nodiscard]] std::vector<std::string> split_values(std::string_view text);

// Reads PATH=VALUE[,VALUE…]. A value may be a range with both ends in it: FROM..TO:STEP adds,
// FROM..TO:xFACTOR multiplies. Units stay: 1ms..10ms:1ms, 500us..2ms:500us, 64KiB..1MiB:x2.
// Numbers are worked out to 12 digits, so that 0.1..0.5:0.1 has 0.3 in it.
struct ParsedAxis {
  Axis axis;
  std::string problem;  // What is wrong and what to write; empty when nothing is.
};
[[nodiscard]] ParsedAxis parse_axis(std::string_view text);

// More are a slip of the pen, not an experiment.
inline constexpr std::size_t kGridPointsMax = 1'000'000;

struct Grid {
  std::vector<Axis> axes;

  // How many combinations there are: 1 without axes; kGridPointsMax + 1 when there are more.
  [[nodiscard]] std::size_t points() const;
  // The last axis changes fastest. REQUIRES: index < points().
  [[nodiscard]] std::vector<scenario::Override> point(std::size_t index) const;
  // Why these axes do not go together, in a sentence; empty when they do.
  [[nodiscard]] std::string problem() const;
};

}  // namespace lb::experiment
