#include "harness/backend_fleet.h"

#include <csignal>

#include "harness/backend_command.h"
#include "harness/clock.h"
#include "harness/errors.h"
#include "harness/fault_command.h"
#include "lbcore/assert.h"
#include "lbsim/scenario/behaviour_text.h"

namespace lb::harness {

Process BackendFleet::launch(const BackendOptions& options) const {
  // Ids may have characters that names of files may not.
  const std::string file = folder_.file("behaviour-" + std::to_string(options.port) + ".json");
  write_file(file, scenario::write_behaviour(options.behaviour));
  return Process({.arguments = {program_, "backend", "--controlled", "--id", options.id, "--port",
                                std::to_string(options.port), "--behaviour", file, "--health-path",
                                options.health_path, "--load-path", options.load_path, "--seed",
                                std::to_string(options.seed), "--proxy-protocol",
                                format_proxy_protocol(options.proxy_protocol)},
                  .pipe_input = true,
                  .pipe_output = true});
}

void BackendFleet::start(BackendOptions options) {
  LB_ASSERT(options.port != 0);
  Process process = launch(options);
  std::string id = options.id;
  members_.emplace(std::move(id), Member{std::move(options), std::move(process)});
}

void BackendFleet::await_ready() {
  constexpr Duration kPatience = std::chrono::seconds{10};
  for (auto& [id, member] : members_) {
    if (!member.process.read_line(kPatience)) {
      throw HarnessError(kExitEnvironment, "the fake backend \"" + id + "\" did not come up");
    }
  }
}

void BackendFleet::strike(const scenario::Fault& fault) {
  using enum scenario::FaultKind;
  Member& member = members_.at(fault.backend);
  switch (fault.kind) {
    case crash: return member.process.kill_and_wait();
    case hang: return member.process.signal(SIGSTOP);
    case recover:
      if (!member.process.wait(Duration::zero())) {
        member.process.write_line(format_fault(fault));
        return member.process.signal(SIGCONT);
      }
      // A new process at the old address. It starts its draws anew, at another place.
      member.options.seed += 1;
      member.process = launch(member.options);
      return;
    default: return member.process.write_line(format_fault(fault));
  }
}

}  // namespace lb::harness
