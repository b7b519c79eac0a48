// How a command of lbsim ends.
#pragma once

namespace lb::sim {

enum ExitCode {
  kDone = 0,
  kNotMet = 1,       // It ran, and what was asked did not hold.
  kBadInput = 2,     // Usage or a file is wrong; nothing was started.
  kEnvironment = 3,  // A file could not be read or written.
};

}  // namespace lb::sim
