// Goal: what is to come again comes again, at the times that were asked for.
// Method: lists of times; counts and gaps of random ones within five standard errors.
#include "lbsim/scenario/repetition.h"

#include <gtest/gtest.h>

#include <cmath>

#include "lbsim/scenario/timeline.h"

namespace lb::scenario {
namespace {

using namespace std::chrono_literals;
using Times = std::vector<Duration>;

TEST(Occurrences, OfWhatIsNotRepeatedAreOne) {
  EXPECT_EQ(occurrences({}, 3s, 10s, Prng{1}), Times{3s});
  EXPECT_EQ(occurrences({}, 30s, 10s, Prng{1}), Times{30s}) << "as the file says";
}

TEST(Occurrences, EndBeforeTheEnd) {
  EXPECT_EQ(occurrences({.every = 2s}, 1s, 7s, Prng{1}), (Times{1s, 3s, 5s}));
  EXPECT_EQ(occurrences({.every = 2s, .until = 5s}, 1s, 7s, Prng{1}), (Times{1s, 3s}));
  EXPECT_EQ(occurrences({.every = 2s, .count = 2}, 1s, 7s, Prng{1}), (Times{1s, 3s}));
  EXPECT_EQ(occurrences({.every = 2s, .until = 9s}, 1s, 4s, Prng{1}), (Times{1s, 3s}));
}

TEST(Occurrences, JitterMovesEachAndNotTheNext) {
  const Times times = occurrences({.every = 1s, .jitter = 100ms}, 0s, 1000s, Prng{5});
  ASSERT_EQ(times.size(), 1000u);
  double sum = 0;
  for (std::size_t n = 0; n < times.size(); ++n) {
    const Duration late = times[n] - n * 1s;
    EXPECT_GE(late, 0ns);
    EXPECT_LE(late, 100ms);
    sum += static_cast<double>(late.count()) / 1e6;
  }
  // Uniform: its standard deviation is 100 / sqrt(12).
  EXPECT_NEAR(sum / 1000, 50, 5 * 100 / std::sqrt(12 * 1000));
}

TEST(Occurrences, AtRandomHaveTheirMean) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Times times = occurrences({.mean_every = 1s}, 0s, 10'000s, Prng{seed});
    EXPECT_EQ(times.front(), 0s);
    EXPECT_NEAR(static_cast<double>(times.size()), 10'001, 5 * std::sqrt(10'000)) << seed;
  }
}

TEST(Occurrences, AreBounded) {
  EXPECT_EQ(occurrences({.every = 1ns}, 0s, 10s, Prng{1}).size(), kOccurrencesMax + 1);
}

// A run of another seed is the run that the file with that seed would be.
TEST(Timeline, OfAnotherSeedIsThatOfAFileWithThatSeed) {
  const auto load = [](int seed) {
    const LoadedScenario loaded = load_scenario(
        R"({"why": "w", "seed": )" + std::to_string(seed) +
            R"(, "duration": "100s", "config": {"listeners": [{"name": "web", "bind": "h:1",
            "cluster": "web"}], "clusters": [{"name": "web", "backends": [
            {"id": "a", "address": "h:2"}, {"id": "b", "address": "h:3"}]}]},
            "load": [{"arrivals": {"poisson": {"rate": 1}}}],
            "events": [{"at": "1s", "backend": ["a", "b"], "fault": "crash", "for": "2s",
                        "mean_every": "9s"}, {"at": "5s", "backend": "a", "fault": "recover"}]})",
        "f", [](const std::string&) { return std::nullopt; });
    EXPECT_EQ(loaded.problems, "");
    return loaded.scenario;
  };
  const auto told = [](const Scenario& scenario) {
    std::string text;
    for (const Event& event : scenario.events) {
      text += config::format_duration(event.at) + ' ' + describe_event(event) + '\n';
    }
    return text;
  };
  Scenario scenario = load(1);
  EXPECT_GT(scenario.events.size(), 20u);
  EXPECT_NE(told(scenario), told(load(2)));
  reseed(scenario, 2);
  EXPECT_EQ(scenario.seed, 2u);
  EXPECT_EQ(told(scenario), told(load(2)));
}

}  // namespace
}  // namespace lb::scenario
