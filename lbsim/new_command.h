// `lbsim new`: a scenario to start from.
#pragma once

#include <string>

namespace lb::sim {

struct NewOptions {
  std::string file;  // Empty: print it.
};

// Never overwrites a file: kEnvironment when there is one.
int write_starter(const NewOptions& options);

}  // namespace lb::sim
