// A scenario for tests of experiments: two fast backends and a slow one, two seconds, and an
// expectation that least_request meets and round_robin does not.
#pragma once

#include <gtest/gtest.h>

#include "lbsim/experiment/runner.h"
#include "lbsim/experiment/variants.h"

namespace lb::experiment::testing {

inline constexpr const char* kOneSlowBackend = R"({
  "why": "a test", "seed": 5, "duration": "2s",
  "config": {
    "listeners": [{"name": "web", "bind": "127.0.0.1:8080", "cluster": "web"}],
    "clusters": [{"name": "web", "strategy": "least_request", "backends": [
      {"id": "b1", "address": "10.0.0.1:8001"},
      {"id": "b2", "address": "10.0.0.1:8002"},
      {"id": "b3", "address": "10.0.0.1:8003"}]}]
  },
  "backends": {"*": {"service_time": {"exponential": {"mean": "5ms"}}, "concurrency": 4},
               "b3": {"service_time": {"exponential": {"mean": "50ms"}}, "concurrency": 4}},
  "load": [{"arrivals": {"poisson": {"rate": 150}}}],
  "expect": [{"metric": "share", "backend": "b3", "max": 0.3},
             {"metric": "error_ratio", "max": 0.5}]
})";

inline Source source_of(const std::string& text) {
  return {"test.json", text, [](const std::string&) { return std::nullopt; }};
}

inline scenario::Override strategy(const std::string& name) {
  return {"config.clusters[0].strategy", name};
}

inline std::vector<scenario::Scenario> load(const std::vector<Variant>& variants) {
  LoadedVariants loaded = load_variants(variants);
  EXPECT_EQ(loaded.problems, "");
  return std::move(loaded.scenarios);
}

// All results, in order.
inline std::vector<RunResult> results(const std::vector<scenario::Scenario>& scenarios,
                                      const std::vector<Run>& runs, unsigned jobs = 1) {
  std::vector<RunResult> all;
  EXPECT_TRUE(run_all(scenarios, runs, {.jobs = jobs}, [&](std::size_t i, RunResult result) {
    EXPECT_EQ(i, all.size());
    all.push_back(std::move(result));
    return true;
  }));
  return all;
}

}  // namespace lb::experiment::testing
