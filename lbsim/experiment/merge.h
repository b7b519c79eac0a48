// Merge: the parts of a sweep, in any order, made whole again.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace lb::experiment {

struct PartFile {
  std::string name;
  std::string text;
};

struct Merged {
  std::vector<std::string> lines;  // The very lines a sweep that was never divided writes.
  std::string problem;             // Why there are none; several lines, each with its file.
};

// Refuses parts of different sweeps, cells that are there twice, and gaps, and names them.
[[nodiscard]] Merged merge(std::span<const PartFile> parts);

}  // namespace lb::experiment
