// Replays a journal: makes its brains again, tells them what they were told, and compares every
// answer with the one that was written down.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lbcore/journal/file.h"

namespace lb::journal {

struct Divergence {
  std::uint64_t entry = 0;  // Its number in the file, from 1.
  std::string said;         // The entry, as text.
  std::string expected;     // The answer in the file.
  std::string found;        // The answer now.
};

struct Replayed {
  std::uint64_t entries = 0;
  std::uint64_t answers = 0;  // Compared and the same, actions among them.
  std::size_t brains = 0;
  std::optional<Divergence> divergence;  // The first; the replay ends with it.
  std::string problem;                   // Of the file.
};

[[nodiscard]] Replayed replay(Reader& reader);

}  // namespace lb::journal
