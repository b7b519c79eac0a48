// The fake backends of a run: a process each, started together, struck by faults one by one.
#pragma once

#include <map>
#include <string>

#include "harness/fake_backend.h"
#include "harness/process.h"
#include "harness/temp_dir.h"

namespace lb::harness {

class BackendFleet {
 public:
  // `program` is lbharness itself. What each backend has to be told is written into `folder`.
  BackendFleet(std::string program, const TempDir& folder)
      : program_(std::move(program)), folder_(folder) {}

  // Starts a backend. REQUIRES: its port is not 0, so that it can come back to it.
  void start(BackendOptions options);
  // Returns when all that were started listen. Throws HarnessError when one does not in time.
  void await_ready();

  // Returns at once; how a process takes it is its own affair.
  void strike(const scenario::Fault& fault);

 private:
  struct Member {
    BackendOptions options;
    Process process;
  };
  [[nodiscard]] Process launch(const BackendOptions& options) const;

  std::string program_;
  const TempDir& folder_;
  std::map<std::string, Member> members_;
};

}  // namespace lb::harness
