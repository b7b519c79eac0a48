// Goal: every number of a report has the name of its path, and no other thing has one.
#include "lbsim/experiment/figures.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace lb::experiment {

static void PrintTo(const Figure& figure, std::ostream* out) {
  *out << figure.name << '=' << figure.value;
}

namespace {

TEST(FiguresOf, FollowThePathsOfTheReportInItsOrder) {
  const auto report = config::Json::parse(R"({
    "scenario": "a", "digest": null,
    "total": {"requests": 3, "latency": {"p99_ms": 1.5}},
    "backends": {"b.1": {"share": 0.25}},
    "expect": [{"metric": "share", "value": 2, "passed": false}],
    "curve": [1, 2, 3], "warnings": ["x"], "passed": true})");
  const Figures expected{{"total.requests", 3},        {"total.latency.p99_ms", 1.5},
                         {"backends.b.1.share", 0.25}, {"expect[0].value", 2},
                         {"expect[0].passed", 0},      {"passed", 1}};
  EXPECT_EQ(figures_of(report), expected);
}

TEST(FiguresOf, AreFoundByName) {
  const Figures figures{{"a", 1}, {"b", 2}};
  for (const std::size_t guess : {0u, 1u, 9u}) EXPECT_EQ(find(figures, "b", guess), 2);
  EXPECT_FALSE(find(figures, "c"));
}

TEST(BetterDirection, IsThatOfTheLastWord) {
  EXPECT_EQ(better_direction("total.latency.p99_ms"), Better::lower);
  EXPECT_EQ(better_direction("total.error_ratio"), Better::lower);
  EXPECT_EQ(better_direction("balancer.retries"), Better::lower);
  EXPECT_EQ(better_direction("total.ok"), Better::higher);
  EXPECT_EQ(better_direction("backends.b1.share"), Better::neither);
  EXPECT_EQ(better_direction("total.requests"), Better::neither);
}

TEST(NumberText, ReadsBackAsTheSameNumber) {
  EXPECT_EQ(number_text(3), "3");
  EXPECT_EQ(number_text(-0.5), "-0.5");
  EXPECT_EQ(number_text(0.1), "0.1");
  EXPECT_EQ(number_text(1e300), "1e+300");
  for (const double value : {1.0 / 3, 4503599627370497.5, 9007199254740993.0, 1e-7}) {
    EXPECT_EQ(config::Json::parse(number_text(value)).get<double>(), value);
  }
}

}  // namespace
}  // namespace lb::experiment
