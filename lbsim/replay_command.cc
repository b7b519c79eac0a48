#include "lbsim/replay_command.h"

#include <iostream>

#include "lbcore/journal/replay.h"
#include "lbcore/journal/text.h"
#include "lbsim/exit_code.h"
#include "lbsim/files.h"

namespace lb::sim {
namespace {

int show(const std::string& bytes) {
  journal::Reader reader(bytes);
  while (const auto entry = reader.next()) std::cout << to_text(*entry) << '\n';
  if (reader.problem().empty()) return kDone;
  std::cerr << "lbsim: " << reader.problem() << '\n';
  return kBadInput;
}

}  // namespace

int replay(const ReplayOptions& options) {
  const auto bytes = read_file(options.file);
  if (!bytes) {
    std::cerr << "lbsim: cannot read " << options.file << '\n';
    return kEnvironment;
  }
  if (options.show) return show(*bytes);
  journal::Reader reader(*bytes);
  const journal::Replayed replayed = journal::replay(reader);
  if (!replayed.problem.empty()) {
    std::cerr << "lbsim: " << options.file << ": " << replayed.problem << '\n';
    return kBadInput;
  }
  std::cout << replayed.entries << " entries, " << replayed.brains << " brains, "
            << replayed.answers << " answers the same\n";
  if (!replayed.divergence) return kDone;
  std::cout << "entry " << replayed.divergence->entry << " diverges: " << replayed.divergence->said
            << "\n  written down: " << replayed.divergence->expected
            << "\n  found now:    " << replayed.divergence->found << '\n';
  return kNotMet;
}

}  // namespace lb::sim
