// lbsim replay: a journal's inputs put to the brain again.
#pragma once

#include <string>

namespace lb::sim {

struct ReplayOptions {
  std::string file;
  bool show = false;  // Print the entries instead of replaying them.
};

// 0 when every answer was the same, 1 when one was not, 2 for what is no journal.
[[nodiscard]] int replay(const ReplayOptions& options);

}  // namespace lb::sim
