// Goal: many runs are the runs one would get one by one, in order, whatever the number of threads;
// and an end before the end is one for all of them.
#include "lbsim/experiment/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "lbsim/simulator.h"
#include "tests/lbsim/experiment/scenarios.h"

namespace lb::experiment {
namespace {

using ::testing::HasSubstr;
using testing::kOneSlowBackend;
using testing::load;
using testing::results;
using testing::source_of;
using testing::strategy;

std::vector<std::string> digests(const std::vector<RunResult>& results) {
  std::vector<std::string> out;
  for (const RunResult& result : results) out.push_back(result.digest);
  return out;
}

TEST(RunAll, GivesWhatEachRunGivesAlone) {
  const Source source = source_of(kOneSlowBackend);
  const auto scenarios = load({{"a", &source, {}}, {"b", &source, {strategy("round_robin")}}});
  const auto found = results(scenarios, every_run(2, 5, 2));
  ASSERT_EQ(found.size(), 4u);
  std::size_t i = 0;
  for (const char* name : {"least_request", "round_robin"}) {
    for (const char* seed : {"5", "6"}) {
      const auto alone = load({{"", &source, {strategy(name), {"seed", seed}}}});
      EXPECT_EQ(found[i++].digest, sim::simulate(alone.front()).digest);
    }
  }
}

TEST(RunAll, IsTheSameWithAnyNumberOfThreads) {
  const Source source = source_of(kOneSlowBackend);
  const auto scenarios = load({{"a", &source, {}}, {"b", &source, {strategy("random")}}});
  const auto runs = every_run(2, 1, 10);
  const auto expected = digests(results(scenarios, runs, 1));
  for (const unsigned jobs : {2U, 3U, 64U}) {
    EXPECT_EQ(digests(results(scenarios, runs, jobs)), expected) << jobs;
  }
}

TEST(RunAll, OfNothingIsDone) { EXPECT_TRUE(results({}, {}, 4).empty()); }

TEST(RunAll, TellsHowFarItIs) {
  const Source source = source_of(kOneSlowBackend);
  const auto scenarios = load({{"a", &source, {}}});
  std::vector<std::size_t> told;
  const RunnerOptions options{.jobs = 2, .progress = [&](std::size_t n) { told.push_back(n); }};
  EXPECT_TRUE(run_all(scenarios, every_run(1, 1, 4), options,
                      [](std::size_t, const RunResult&) { return true; }));
  EXPECT_EQ(told, (std::vector<std::size_t>{1, 2, 3, 4}));
}

TEST(RunAll, EndsWhenAResultIsTheLastOneWanted) {
  const Source source = source_of(kOneSlowBackend);
  const auto scenarios = load({{"a", &source, {}}});
  for (const unsigned jobs : {1U, 3U}) {
    std::size_t taken = 0;
    EXPECT_FALSE(run_all(scenarios, every_run(1, 1, 100), {.jobs = jobs},
                         [&](std::size_t i, const RunResult&) {
                           ++taken;
                           return i < 4;
                         }));
    EXPECT_EQ(taken, 5u);
  }
}

// The run is a year long: it would not end by itself before this test is ended.
TEST(RunAll, StopsInTheMiddleOfARun) {
  const Source source = source_of(kOneSlowBackend);
  const auto scenarios = load({{"long", &source, {{"duration", "8760h"}}}, {"short", &source, {}}});
  std::atomic<bool> stop = false;
  const RunnerOptions options{.jobs = 2, .stop = &stop, .progress = [&](std::size_t) {
                                stop = true;  // The short one has ended.
                              }};
  EXPECT_FALSE(run_all(scenarios, every_run(2, 1, 1), options,
                       [](std::size_t, const RunResult&) { return true; }));
}

TEST(RunAll, HandsOnAnException) {
  const Source source = source_of(kOneSlowBackend);
  const auto scenarios = load({{"a", &source, {}}});
  const auto fail = [](std::size_t, const RunResult&) -> bool { throw std::runtime_error("full"); };
  for (const unsigned jobs : {1U, 2U}) {
    EXPECT_THROW((void)run_all(scenarios, every_run(1, 1, 10), {.jobs = jobs}, fail),
                 std::runtime_error);
  }
}

TEST(ResultOf, NamesExpectationsAndHowTheyWereMissed) {
  const Source source = source_of(kOneSlowBackend);
  const auto scenarios = load({{"a", &source, {strategy("round_robin")}}});
  const RunResult result = results(scenarios, every_run(1, 5, 1)).front();
  EXPECT_FALSE(result.passed);
  ASSERT_EQ(result.verdicts.size(), 2u);
  EXPECT_EQ(result.verdicts[0].expectation, "share b3, at most 0.3");
  EXPECT_FALSE(result.verdicts[0].passed);
  EXPECT_THAT(result.verdicts[0].miss, HasSubstr("over by 0.03"));
  EXPECT_EQ(result.verdicts[1].expectation, "error_ratio, at most 0.5");
  EXPECT_TRUE(result.verdicts[1].passed);
  EXPECT_EQ(result.verdicts[1].miss, "");
}

TEST(LoadVariants, TellsEveryProblemOnceWithItsPlaceAndVariant) {
  const Source source = source_of(kOneSlowBackend);
  const LoadedVariants loaded = load_variants({{"good", &source, {}},
                                               {"bad", &source, {strategy("fastest")}},
                                               {"too", &source, {strategy("fastest")}}});
  EXPECT_THAT(loaded.problems, HasSubstr("test.json:5:46: config.clusters[0].strategy: expected"));
  EXPECT_THAT(loaded.problems, HasSubstr("found \"fastest\""));
  EXPECT_THAT(loaded.problems, HasSubstr("in the variant bad"));
  EXPECT_EQ(loaded.problems.find("fastest"), loaded.problems.rfind("fastest"));
}

TEST(OriginOf, IsOfTheTextAndOfTheFilesItNames) {
  const std::string text = R"({"why": "x", "seed": 3, "config": "lbd.json", "load": []})";
  const auto with_config = [&](const std::string& config) {
    return origin_of({"folder/name.json", text, [=](const std::string&) { return config; }});
  };
  const Origin origin = with_config("{}");
  EXPECT_EQ(origin.name, "name");
  EXPECT_EQ(origin.seed, 3u);
  EXPECT_EQ(origin.hash.size(), 16u);
  EXPECT_EQ(origin.hash, with_config("{}").hash);
  EXPECT_NE(origin.hash, with_config("{ }").hash);
  EXPECT_NE(origin_of(source_of(text)).hash, origin_of(source_of(text + ' ')).hash);
}

}  // namespace
}  // namespace lb::experiment
