// Goal: what is typed after --set becomes the values one would write out by hand, or an error that
// says what to write.
#include "lbsim/experiment/grid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lb::experiment {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> values(const std::string& text) {
  const ParsedAxis parsed = parse_axis("a.b=" + text);
  EXPECT_EQ(parsed.problem, "") << text;
  EXPECT_EQ(parsed.axis.path, "a.b");
  return parsed.axis.values;
}

TEST(Axis, IsAList) {
  EXPECT_THAT(values("a,b,c"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(values("1"), ElementsAre("1"));
  EXPECT_THAT(values("x=y"), ElementsAre("x=y"));
  EXPECT_THAT(values("../lbd.yaml,10.0.0.1:80"), ElementsAre("../lbd.yaml", "10.0.0.1:80"));
}

TEST(Axis, KeepsTogetherWhatIsInBracketsOrQuotes) {
  EXPECT_THAT(values("random,{name: ring_hash, key: path},[1,2],\"a,b\""),
              ElementsAre("random", "{name: ring_hash, key: path}", "[1,2]", "\"a,b\""));
}

TEST(Axis, CountsFromOneEndToTheOther) {
  EXPECT_THAT(values("1..4:1"), ElementsAre("1", "2", "3", "4"));
  EXPECT_THAT(values("5..5:1"), ElementsAre("5"));
  EXPECT_THAT(values("0..10:4"), ElementsAre("0", "4", "8"));
  EXPECT_THAT(values("-1..1:1"), ElementsAre("-1", "0", "1"));
  EXPECT_THAT(values("1,2,10..30:10,99"), ElementsAre("1", "2", "10", "20", "30", "99"));
}

// 0.1 + 0.1 + 0.1 is not 0.3 in binary, and 0.1..0.3 has to have three values all the same.
TEST(Axis, HasDecimalsAsTheyAreWritten) {
  EXPECT_THAT(values("0.1..0.5:0.1"), ElementsAre("0.1", "0.2", "0.3", "0.4", "0.5"));
  EXPECT_THAT(values("0.8..0.95:0.05"), ElementsAre("0.8", "0.85", "0.9", "0.95"));
  EXPECT_THAT(values("1000000..3000000:1000000"), ElementsAre("1000000", "2000000", "3000000"));
}

TEST(Axis, KeepsUnits) {
  EXPECT_THAT(values("1ms..3ms:1ms"), ElementsAre("1ms", "2ms", "3ms"));
  EXPECT_THAT(values("0.5s..1.5s:0.5s"), ElementsAre("0.5s", "1s", "1.5s"));
  EXPECT_THAT(values("500us..2ms:500us"), ElementsAre("500us", "1ms", "1500us", "2ms"));
  EXPECT_THAT(values("1KiB..3KiB:1KiB"), ElementsAre("1KiB", "2KiB", "3KiB"));
  EXPECT_THAT(values("512..2KiB:x2"), ElementsAre("512", "1024", "2048"));
}

TEST(Axis, Multiplies) {
  EXPECT_THAT(values("100..1000:x2"), ElementsAre("100", "200", "400", "800"));
  EXPECT_THAT(values("1ms..100ms:x10"), ElementsAre("1ms", "10ms", "100ms"));
  EXPECT_THAT(values("100..121:x1.1"), ElementsAre("100", "110", "121"));
}

std::string problem(const std::string& text) { return parse_axis(text).problem; }

TEST(Axis, SaysWhatIsWrongAndWhatToWrite) {
  EXPECT_THAT(problem("a.b"), HasSubstr("expected PATH=VALUE,… or PATH=FROM..TO:STEP"));
  EXPECT_THAT(problem("=1"), HasSubstr("expected PATH="));
  EXPECT_EQ(problem("a="), "a: a value is missing");
  EXPECT_EQ(problem("a=1,,2"), "a: a value is missing");
  EXPECT_THAT(problem("a=1..5"), HasSubstr("a: \"1..5\" has no step: write FROM..TO:STEP"));
  EXPECT_THAT(problem("a=1..b:1"), HasSubstr("is no range"));
  EXPECT_THAT(problem("a=1..5:"), HasSubstr("is no range"));
  EXPECT_THAT(problem("a=1ms..5:1ms"), HasSubstr("units do not go together"));
  EXPECT_THAT(problem("a=1ms..5KiB:1ms"), HasSubstr("units do not go together"));
  EXPECT_THAT(problem("a=5..1:1"), HasSubstr("write the smaller end first"));
  EXPECT_THAT(problem("a=1..5:0"), HasSubstr("never arrives"));
  EXPECT_THAT(problem("a=1..5:-1"), HasSubstr("never arrives"));
  EXPECT_THAT(problem("a=1..5:x1"), HasSubstr("never arrives"));
  EXPECT_THAT(problem("a=0..5:x2"), HasSubstr("never arrives"));
  EXPECT_THAT(problem("a=1..5:x2ms"), HasSubstr("is no range"));
  EXPECT_THAT(problem("a=0..1000000:1"), HasSubstr("more than 100000 values"));
  EXPECT_THAT(problem("a=1e18..2e18:1"), HasSubstr("more than 100000 values"));
}

TEST(Grid, HasEveryCombinationLastAxisFastest) {
  const Grid grid{{{"a", {"1", "2"}}, {"b", {"x", "y", "z"}}}};
  ASSERT_EQ(grid.points(), 6u);
  std::string all;
  for (std::size_t i = 0; i < grid.points(); ++i) {
    const auto point = grid.point(i);
    EXPECT_EQ(point[0].path, "a");
    EXPECT_EQ(point[1].path, "b");
    all += point[0].value + point[1].value + ' ';
  }
  EXPECT_EQ(all, "1x 1y 1z 2x 2y 2z ");
  EXPECT_EQ(grid.problem(), "");
}

TEST(Grid, WithoutAxesIsTheScenarioItself) {
  EXPECT_EQ(Grid{}.points(), 1u);
  EXPECT_TRUE(Grid{}.point(0).empty());
}

TEST(Grid, RefusesWhatMakesNoSense) {
  EXPECT_EQ((Grid{{{"a", {"1"}}, {"a", {"2"}}}}).problem(), "a is set twice");
  EXPECT_THAT((Grid{{{"seed", {"1"}}}}).problem(), HasSubstr("--seeds"));
  const std::vector<std::string> thousand(1000, "1");
  const Grid big{{{"a", thousand}, {"b", thousand}, {"c", {"1", "2"}}}};
  EXPECT_THAT(big.problem(), HasSubstr("more than a million"));
}

}  // namespace
}  // namespace lb::experiment
