// Goal: XML that CI systems read, with the misses in it and nothing that breaks it.
#include "lbsim/experiment/junit.h"

#include <gtest/gtest.h>

namespace lb::experiment {
namespace {

RunResult run(bool first, bool second) {
  RunResult result;
  result.verdicts = {{"share b1, at most 0.3", first, first ? "" : "over by 0.1 (33.3 %)"},
                     {"requests, at least 1", second, second ? "" : "under by 1 (100.0 %)"}};
  result.passed = first && second;
  return result;
}

TEST(Junit, HasACaseForEachExpectation) {
  const std::vector<RunResult> runs{run(true, false)};
  const std::vector<TestSuite> suites{{"steady", 1, runs}};
  EXPECT_EQ(to_junit(suites), R"xml(<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="2" failures="1">
  <testsuite name="steady" tests="2" failures="1">
    <testcase classname="steady" name="share b1, at most 0.3" />
    <testcase classname="steady" name="requests, at least 1">
      <failure message="under by 1 (100.0 %)">under by 1 (100.0 %)</failure>
    </testcase>
  </testsuite>
</testsuites>
)xml");
}

TEST(Junit, SaysWhichSeedsMissed) {
  const std::vector<RunResult> runs{run(false, true), run(true, true), run(false, true)};
  const std::vector<TestSuite> suites{{"a <b> & \"c\"", 7, runs}};
  EXPECT_EQ(to_junit(suites), R"xml(<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="2" failures="1">
  <testsuite name="a &lt;b> &amp; &quot;c&quot;" tests="2" failures="1">
    <testcase classname="a &lt;b> &amp; &quot;c&quot;" name="share b1, at most 0.3">
      <failure message="missed in 2 of 3 runs">seed 7: over by 0.1 (33.3 %)
seed 9: over by 0.1 (33.3 %)</failure>
    </testcase>
    <testcase classname="a &lt;b> &amp; &quot;c&quot;" name="requests, at least 1" />
  </testsuite>
</testsuites>
)xml");
}

}  // namespace
}  // namespace lb::experiment
