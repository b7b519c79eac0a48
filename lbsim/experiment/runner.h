// Runner: many runs on several threads, with results in order. The order, and so everything that is
// written, is the same however many threads there are.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lbsim/experiment/figures.h"
#include "lbsim/scenario/report.h"

namespace lb::experiment {

struct Run {
  std::size_t variant = 0;  // Index among the scenarios.
  std::uint64_t seed = 1;   // In place of the scenario's own.
  bool drawn = false;       // Its result has what charts are drawn from.
};

// Every variant with every seed from `first_seed` on; the seeds of a variant stand together.
[[nodiscard]] std::vector<Run> every_run(std::size_t variants, std::uint64_t first_seed,
                                         std::size_t seeds);

// An expectation of the scenario, as a run met it or did not.
struct Verdict {
  std::string expectation;  // "share b2 from 4s: at most 0.35"
  bool passed = false;
  std::string miss;  // "over by 0.02 (5.7 %)"; empty when it passed.
};

struct RunResult {
  Figures figures;
  std::string digest;
  bool passed = false;  // Every expectation.
  std::vector<Verdict> verdicts;
  std::shared_ptr<const config::Json> page_data;  // See scenario/report_page.h. When it is drawn.
};
[[nodiscard]] RunResult result_of(const scenario::Report& report);

struct RunnerOptions {
  unsigned jobs = 1;  // Threads; at least 1.
  // Set from elsewhere, such as a signal's handler, to end early. Runs that have begun end too.
  const std::atomic<bool>* stop = nullptr;
  // After each run, in whatever order they end. Calls do not overlap.
  std::function<void(std::size_t done)> progress;
};

// Takes the result of runs[index]; false ends it all. Called in the order of `runs`, never two at a
// time, on any thread.
using TakeResult = std::function<bool(std::size_t index, RunResult result)>;

// True when every result has been taken. Cost: that of the runs and a copy of the scenario for each
// of them; memory for the results that wait for an earlier one. An exception of a callback comes
// out of here, after the threads have ended.
[[nodiscard]] bool run_all(std::span<const scenario::Scenario> scenarios, std::span<const Run> runs,
                           const RunnerOptions& options, const TakeResult& take);

}  // namespace lb::experiment
