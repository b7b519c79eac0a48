// Goal: the tool tells what is different from what is not, in the right direction.
// Method: variants whose order is known, one that is compared with itself, and rows put together by
// hand for the table.
#include "lbsim/experiment/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/lbsim/experiment/scenarios.h"

namespace lb::experiment {
namespace {

using ::testing::HasSubstr;
using testing::kOneSlowBackend;
using testing::load;
using ::testing::Not;
using testing::results;
using testing::source_of;
using testing::strategy;

Comparison compare_strategies(const std::vector<std::string>& names, std::size_t seeds) {
  const Source source = source_of(kOneSlowBackend);
  std::vector<Variant> variants;
  Comparison comparison{"test", "a test", 1, {}};
  for (const std::string& name : names) {
    variants.push_back({name, &source, {strategy(name)}});
  }
  const auto all = results(load(variants), every_run(variants.size(), 1, seeds));
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto from = all.begin() + static_cast<std::ptrdiff_t>(i * seeds);
    comparison.variants.push_back({names[i], {from, from + static_cast<std::ptrdiff_t>(seeds)}});
  }
  return comparison;
}

TEST(Compare, FindsNothingBetweenAVariantAndItself) {
  const Comparison comparison = compare_strategies({"random", "random"}, 10);
  for (const std::string& metric : default_metrics()) {
    const Difference found = *compare_metric(comparison, metric)[1]->difference;
    EXPECT_EQ(found.mean, 0) << metric;
    EXPECT_EQ(found.half_width, 0) << metric;
    EXPECT_FALSE(found.significant) << metric;
  }
  EXPECT_THAT(to_text(comparison, {"total.latency.mean_ms"}), HasSubstr("not significant"));
}

// A third of the requests wait ten times as long with round_robin: 20 ms in the mean against some
// 10 ms, where seeds make a difference of a millisecond.
TEST(Compare, FindsThatLeastRequestAvoidsASlowBackend) {
  const Comparison comparison = compare_strategies({"round_robin", "least_request"}, 10);
  const auto row = compare_metric(comparison, "total.latency.mean_ms");
  const Difference found = *row[1]->difference;
  EXPECT_TRUE(found.significant);
  EXPECT_LT(found.mean + found.half_width.value(), 0);
  EXPECT_TRUE(row[1]->best);
  EXPECT_FALSE(row[0]->best);
  EXPECT_FALSE(row[0]->difference);
  const std::string text = to_text(comparison, {"total.latency.mean_ms"});
  EXPECT_THAT(text, Not(HasSubstr("not significant\n")));
  EXPECT_THAT(text, HasSubstr("0 of 10 runs met"));
  EXPECT_THAT(text, HasSubstr("10 of 10 runs met"));
  EXPECT_FALSE(comparison.all_passed());
}

// Runs with one figure each.
ComparedVariant variant(const std::string& label, const std::vector<double>& values,
                        const std::string& figure = "total.latency.p50_ms") {
  ComparedVariant out{label, {}};
  for (const double value : values) out.runs.push_back({{{figure, value}}, "", true, {}});
  return out;
}

TEST(CompareMetric, SkipsAVariantThatDoesNotHaveIt) {
  const Comparison comparison{
      "test", "", 1, {variant("a", {1, 2}), variant("b", {1, 2}, "other"), variant("c", {4, 6})}};
  const auto row = compare_metric(comparison, "total.latency.p50_ms");
  EXPECT_FALSE(row[1]);
  EXPECT_EQ(row[2]->difference->mean, 3.5);
}

TEST(CompareMetric, MarksNothingWhereNothingIsBetter) {
  const auto best = [](std::vector<ComparedVariant> variants, const std::string& metric) {
    int count = 0;
    for (const auto& figure : compare_metric({"", "", 1, std::move(variants)}, metric)) {
      count += figure->best ? 1 : 0;
    }
    return count;
  };
  EXPECT_EQ(best({variant("a", {1, 2}), variant("b", {2, 1})}, "total.latency.p50_ms"), 0);
  EXPECT_EQ(best({variant("a", {1}, "x.share"), variant("b", {2}, "x.share")}, "x.share"), 0);
  EXPECT_EQ(best({variant("a", {1}), variant("b", {2}), variant("c", {1})}, "total.latency.p50_ms"),
            2);
}

std::size_t columns(const std::string& line) {
  return static_cast<std::size_t>(
      std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

TEST(ComparisonText, FitsInAHundredColumnsHoweverManyVariants) {
  for (const std::size_t count : {2u, 4u, 5u, 30u}) {
    Comparison comparison{"test", "a test", 1, {}};
    for (std::size_t i = 0; i < count; ++i) {
      const auto n = static_cast<double>(i);
      comparison.variants.push_back(
          variant("a.label.that.is.quite.long=" + std::to_string(i), {123456.7 + n, 123499.2}));
    }
    std::istringstream lines(to_text(comparison, {"total.latency.p50_ms"}));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(columns(line), 100u) << line;
  }
}

TEST(ComparisonText, IsTheTableOneWouldWrite) {
  const Comparison comparison{
      "test", "a test", 7, {variant("now", {10, 11, 12}), variant("new", {8, 9.5, 9.5})}};
  EXPECT_EQ(to_text(comparison, {"total.latency.p50_ms"}),
            R"(test: 2 variants, seeds 7 to 9, the same for all

                                       now                new
  total.latency.p50_ms          11.0 ± 2.5          9.0 ± 2.2*
    difference                                     -2.0 ± 1.2
  expectations                        none               none

Means with 95 % confidence intervals over the seeds; * is the best mean of its row.
A difference is that from now, seed by seed. It is not significant when its interval
covers 0. With several of them in a row, intervals are widened by Holm's correction: the
chance that any one of a row is significant by luck is at most 5 %.
)");
}

TEST(ComparisonText, OfOneSeedDrawsNoConclusion) {
  const std::string text =
      to_text({"test", "", 7, {variant("a", {10}), variant("b", {8})}}, {"total.latency.p50_ms"});
  EXPECT_THAT(text, HasSubstr("One seed alone gives no interval"));
  EXPECT_THAT(text, Not(HasSubstr("significant")));
  EXPECT_THAT(text, Not(HasSubstr("±")));
}

TEST(ComparisonJson, HasEveryFigureWithItsInterval) {
  const config::Json json = to_json({"test", "", 7, {variant("a", {1, 3}), variant("b", {2, 6})}});
  EXPECT_EQ(json["seeds"]["count"], 2);
  const config::Json& figure = json["variants"][1]["figures"]["total.latency.p50_ms"];
  EXPECT_EQ(figure["mean"], 4);
  EXPECT_EQ(figure["values"], config::Json({2.0, 6.0}));
  EXPECT_EQ(figure["difference"]["mean"], 2);
  EXPECT_FALSE(figure["difference"]["significant"].get<bool>());
  EXPECT_NEAR(figure["difference"]["half_width"].get<double>(), 12.706, 0.001);
  EXPECT_FALSE(json["variants"][0]["figures"]["total.latency.p50_ms"].contains("difference"));
}

}  // namespace
}  // namespace lb::experiment
