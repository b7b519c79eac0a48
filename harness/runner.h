// Plays a scenario with real processes: fake backends, an lbd, and clients in this one.
#pragma once

#include <string>

#include "harness/interruption.h"
#include "lbsim/scenario/report.h"

namespace lb::harness {

struct Programs {
  std::string lbd;
  std::string lbharness;
};

// Takes the scenario's duration and up to its clients' longest timeout; the report has a
// TimeSeries. Nothing of it is left when it returns or throws: no process, no file.
//
// `live`: one line a second to standard error.
//
// Throws HarnessError: kExitEnvironment when something could not be started, kExitNotHeld when
// totals do not add up or lbd ended badly; Interrupted after INT or TERM.
[[nodiscard]] scenario::Report run_scenario(const scenario::Scenario& scenario,
                                            const Programs& programs, bool live,
                                            const Interruption& interruption);

// What the loopback, this client, lbd and the fake backends add to a request beyond the delays that
// the simulator models: the median latency of a thin load, against an lbd of its own and a backend
// that answers at once, less the four ways of scenario.network. Takes about a second. Throws as
// above.
[[nodiscard]] Duration measure_loopback(const scenario::Scenario& scenario,
                                        const Programs& programs, const Interruption& interruption);

}  // namespace lb::harness
