#include "lbsim/experiment/runner.h"

#include <algorithm>
#include <exception>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "lbcore/assert.h"
#include "lbsim/scenario/report_page.h"
#include "lbsim/scenario/timeline.h"
#include "lbsim/simulator.h"

namespace lb::experiment {
namespace {

struct Stopped {};  // Thrown through a run to end it in the middle.

class Runner {
 public:
  Runner(std::span<const scenario::Scenario> scenarios, std::span<const Run> runs,
         const RunnerOptions& options, const TakeResult& take)
      : scenarios_(scenarios), runs_(runs), options_(options), take_(take) {}

  bool run() {
    {
      std::vector<std::jthread> threads;
      const std::size_t count = std::clamp<std::size_t>(options_.jobs, 1, runs_.size() + 1);
      for (std::size_t i = 1; i < count; ++i) threads.emplace_back([this] { work(); });
      work();
    }
    if (failure_) std::rethrow_exception(failure_);
    return taken_ == runs_.size();
  }

 private:
  bool stopped() const {
    return ended_ || (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed));
  }

  void work() {
    try {
      while (!stopped()) {
        const std::size_t index = next_++;
        if (index >= runs_.size()) return;
        deliver(index, one(runs_[index]));
      }
    } catch (const Stopped&) {
    } catch (...) {
      const std::scoped_lock lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      ended_ = true;
    }
  }

  RunResult one(const Run& run) const {
    LB_ASSERT(run.variant < scenarios_.size());
    scenario::Scenario scenario = scenarios_[run.variant];
    reseed(scenario, run.seed);
    const auto check = [this](Duration, std::uint64_t) {
      if (stopped()) throw Stopped{};
    };
    const scenario::Report report =
        sim::simulate(scenario, {.progress = check, .over_time = run.drawn});
    RunResult result = result_of(report);
    if (run.drawn) {
      result.page_data = std::make_shared<const config::Json>(scenario::page_data(report));
    }
    return result;
  }

  // Hands on what is next in order, and all that waited for it.
  void deliver(std::size_t index, RunResult result) {
    const std::scoped_lock lock(mutex_);
    if (options_.progress) options_.progress(++done_);
    waiting_.emplace(index, std::move(result));
    while (!ended_ && !waiting_.empty() && waiting_.begin()->first == taken_) {
      RunResult next = std::move(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
      if (!take_(taken_, std::move(next))) ended_ = true;
      ++taken_;
    }
  }

  const std::span<const scenario::Scenario> scenarios_;
  const std::span<const Run> runs_;
  const RunnerOptions& options_;
  const TakeResult& take_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> ended_ = false;
  std::mutex mutex_;  // Guards all below.
  std::size_t done_ = 0;
  std::size_t taken_ = 0;
  std::map<std::size_t, RunResult> waiting_;
  std::exception_ptr failure_;
};

std::string expectation_name(const config::Json& expectation) {
  std::string name = expectation["metric"].get<std::string>();
  for (const auto& [key, value] : expectation.items()) {
    if (key == "metric" || key == "min" || key == "max" || key == "value" || key == "passed" ||
        key == "miss") {
      continue;
    }
    if (key != "backend") name.append(" ").append(key);
    name.append(" ").append(value.is_string() ? value.get<std::string>() : value.dump());
  }
  if (expectation.contains("min")) name.append(", at least ").append(expectation["min"].dump());
  if (expectation.contains("max")) name.append(", at most ").append(expectation["max"].dump());
  return name;
}

}  // namespace

std::vector<Run> every_run(std::size_t variants, std::uint64_t first_seed, std::size_t seeds) {
  std::vector<Run> runs;
  for (std::size_t variant = 0; variant < variants; ++variant) {
    for (std::size_t i = 0; i < seeds; ++i) runs.push_back({variant, first_seed + i});
  }
  return runs;
}

RunResult result_of(const scenario::Report& report) {
  const config::Json json = scenario::to_json(report);
  RunResult result;
  result.figures = figures_of(json);
  result.digest = report.digest.value_or("");
  result.passed = report.passed();
  for (const config::Json& expectation : json["expect"]) {
    result.verdicts.push_back({expectation_name(expectation), expectation["passed"].get<bool>(),
                               expectation.value("miss", "")});
  }
  return result;
}

bool run_all(std::span<const scenario::Scenario> scenarios, std::span<const Run> runs,
             const RunnerOptions& options, const TakeResult& take) {
  return Runner(scenarios, runs, options, take).run();
}

}  // namespace lb::experiment
