// `lbharness backend`: a fake backend as a process of its own, told what to do by lines on its
// standard input.
#pragma once

#include <vector>

#include "harness/fake_backend.h"

namespace lb::harness {

struct BackendCommand {
  BackendOptions options;
  std::vector<scenario::Fault> faults;  // From the start on.
  bool controlled = false;              // End when standard input does: its owner is gone then.
};

// Prints "listening on 127.0.0.1:PORT" when ready and serves until TERM or INT, which end it
// with 0. Throws HarnessError when the port is taken.
int run_backend(const BackendCommand& command);

}  // namespace lb::harness
