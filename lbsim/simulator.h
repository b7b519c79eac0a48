// Simulator: plays a scenario in virtual time, with the very brain that lbd runs. A library: it
// reads no file, writes nothing, keeps nothing between runs, and may be called any number of times.
#pragma once

#include <functional>
#include <string_view>

#include "lbsim/scenario/report.h"
#include "lbsim/scenario/scenario.h"

namespace lb::sim {

// Called now and then with the virtual time that has passed and how many events it took.
using Progress = std::function<void(Duration simulated, std::uint64_t events)>;

// Gets the bytes of a journal (lbcore/journal) as they come: every decision of every brain.
using WriteJournal = std::function<void(std::string_view)>;

struct Wishes {
  Progress progress;
  WriteJournal journal;
  bool over_time = false;  // A report with a TimeSeries.
};

// Deterministic: the same scenario gives the same report and digest, on every compiler and machine.
// Time: about a third of a microsecond for each request. Memory does not grow with the length of
// the run. That requests are neither lost nor counted twice is asserted at its end. REQUIRES: the
// scenario came out of load_scenario() without problems.
[[nodiscard]] scenario::Report simulate(const scenario::Scenario& scenario,
                                        const Wishes& wishes = {});

}  // namespace lb::sim
