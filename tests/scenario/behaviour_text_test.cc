// Goal: a fake backend is told everything about how it serves, and nothing else.
// Method: every kind of distribution there and back, and what is wrong with a file word for word.
#include "lbsim/scenario/behaviour_text.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace lb::scenario {
namespace {

using namespace std::chrono_literals;

std::optional<std::string> read_file(const std::string& path) {
  if (path == "times.txt") return "# measured\n5ms\r\n\n  2.5\n1s\n";
  if (path == "bad.txt") return "5ms\n-3\n";
  if (path == "empty.txt") return "# nothing\n";
  return std::nullopt;
}

LoadedBehaviour load(const std::string& text) { return load_behaviour(text, "b.json", read_file); }

TEST(BehaviourText, WhatIsWrittenReadsBack) {
  for (const Distribution& distribution :
       {Distribution{Constant{Duration{1'234'567}}}, Distribution{Exponential{20ms}},
        Distribution{Lognormal{5ms, 0.1 + 0.2}}, Distribution{Uniform{1ms, 3ms}},
        Distribution{Pareto{1ms, 3s, 1.1}}, Distribution{Gamma{7ms, 1 / 3.0}},
        Distribution{Bimodal{1ms, 2s, 0.01}}, Distribution{Empirical({3ms, 1ms, 2ms})}}) {
    const Behaviour behaviour{.service_time = distribution, .concurrency = 3, .queue = 17};
    const LoadedBehaviour loaded = load(write_behaviour(behaviour));
    EXPECT_EQ(loaded.problems, "");
    EXPECT_TRUE(loaded.behaviour == behaviour) << write_behaviour(behaviour);
  }
}

TEST(BehaviourText, ReadsAFileOfTimes) {
  const LoadedBehaviour loaded = load(R"({"service_time": {"empirical": {"file": "times.txt"}}})");
  EXPECT_EQ(loaded.problems, "");
  EXPECT_TRUE(
      (loaded.behaviour.service_time == Distribution{Empirical({Duration{2'500'000}, 5ms, 1s})}));
}

TEST(BehaviourText, RefusesWhatOnlyTheSimulatorCanPlay) {
  const std::string all = R"({"classes": {"a": {"constant": "1ms"}},
    "discipline": "processor_sharing", "contention": {"knee": 2, "per_request": 0.1},
    "cold_start": {"factor": 2, "decay": "1s"},
    "disturbances": [{"every": {"constant": "1s"}, "for": {"constant": "1ms"}, "factor": 2}],
    "drift": [{"at": "1s", "factor": 2}], "connection_cost": "1ms"})";
  const LoadedBehaviour loaded = load(all);
  EXPECT_EQ(simulated_only(loaded.behaviour).size(), 7u);
  EXPECT_EQ(std::count(loaded.problems.begin(), loaded.problems.end(), '\n'), 7);
  EXPECT_NE(loaded.problems.find("b.json:1:1: drift: only lbsim can play this"), std::string::npos);
  // What is written is all of it, refused or not.
  EXPECT_TRUE(load(write_behaviour(loaded.behaviour)).behaviour == loaded.behaviour);
}

struct Wrong {
  const char* service_time;
  const char* problem;
};

TEST(BehaviourText, SaysWhatIsWrongWithADistribution) {
  const std::vector<Wrong> all{
      {R"({"empirical": {"file": "none.txt"}})",
       "b.json:1:41: service_time.empirical.file: cannot read \"none.txt\"\n"},
      {R"({"empirical": {"file": "bad.txt"}})",
       "b.json:1:41: service_time.empirical.file: \"bad.txt\" line 2: expected a duration such as "
       "\"5ms\", or a number of milliseconds, found \"-3\"\n"},
      {R"({"empirical": {"file": "empty.txt"}})",
       "b.json:1:41: service_time.empirical.file: \"empty.txt\" has no values\n"},
      {R"({"empirical": {"values": []}})",
       "b.json:1:32: service_time.empirical: \"values\" is empty: nothing to draw from\n"},
      {R"({"uniform": {"min": "2ms", "max": "1ms"}})",
       "b.json:1:30: service_time.uniform: \"min\" may not be above \"max\"\n"},
      {R"({"pareto": {"min": "2ms", "max": "2ms", "alpha": 1}})",
       "b.json:1:29: service_time.pareto: \"min\" has to be below \"max\"\n"},
      {R"({"pareto": {"min": "2ms", "max": "3ms", "alpha": 0}})",
       "b.json:1:29: service_time.pareto: \"alpha\" has to be at least 0.01\n"},
      {R"({"gamma": {"mean": "2ms", "shape": 0}})",
       "b.json:1:28: service_time.gamma: \"shape\" has to be at least 0.01\n"},
      {R"({"bimodal": {"fast": "2ms", "slow": "1s"}})",
       "b.json:1:30: service_time.bimodal: \"slow_ratio\" is missing: this share of the times is "
       "the other one\n"},
      {R"({"erlang": {"mean": "2ms"}})",
       "b.json:1:19: service_time: expected \"constant\", \"exponential\", \"lognormal\", "
       "\"uniform\", \"pareto\", \"gamma\", \"bimodal\" or \"empirical\", found \"erlang\"\n"},
  };
  for (const Wrong& wrong : all) {
    EXPECT_EQ(load(R"({"service_time": )" + std::string{wrong.service_time} + "}").problems,
              wrong.problem);
  }
}

}  // namespace
}  // namespace lb::scenario
