// Goal: a sequence of results that was cut into reports has the runs it had in one piece.
// Method: every sequence of up to 8 results, cut in two at every place; and one read aloud.
#include "lbcore/tally.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace lb {
namespace {

// 'x' is a failure, '.' a success.
FailureRun run_of(std::string_view results) {
  FailureRun run;
  for (const char result : results) run.record(result == 'x');
  return run;
}

TEST(FailureRun, KnowsItsEndsAndItsLongest) {
  EXPECT_EQ(run_of(""), (FailureRun{0, 0, 0, false}));
  EXPECT_EQ(run_of("xx"), (FailureRun{2, 2, 2, false}));
  EXPECT_EQ(run_of("."), (FailureRun{0, 0, 0, true}));
  EXPECT_EQ(run_of("xx.xxxx.x"), (FailureRun{2, 1, 4, true}));
  EXPECT_EQ(run_of(".xxx."), (FailureRun{0, 0, 3, true}));
}

TEST(FailureRun, JoinsWhereItWasCut) {
  FailureRun run = run_of("..xx");
  run.append(run_of("xxx.x"));
  EXPECT_EQ(run, (FailureRun{0, 1, 5, true}));
  run.append(run_of("x"));
  run.append(run_of("xx"));
  EXPECT_EQ(run, (FailureRun{0, 4, 5, true}));
}

TEST(FailureRun, IsTheSameInTwoPiecesAsInOne) {
  for (std::size_t length = 0; length <= 8; ++length) {
    for (unsigned bits = 0; bits < 1U << length; ++bits) {
      std::string results;
      for (std::size_t i = 0; i < length; ++i) results += (bits >> i & 1U) != 0 ? 'x' : '.';
      for (std::size_t cut = 0; cut <= length; ++cut) {
        FailureRun run = run_of(std::string_view{results}.substr(0, cut));
        run.append(run_of(std::string_view{results}.substr(cut)));
        EXPECT_EQ(run, run_of(results)) << results << " cut at " << cut;
      }
    }
  }
}

}  // namespace
}  // namespace lb
