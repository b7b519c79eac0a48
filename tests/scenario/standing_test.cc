// Goal: who was out when, and for how long, as it was noted.
// Method: one backend that is out from 2 s to 5 s, changes its reason on the way, and once more
// from 7 s on.
#include "lbsim/scenario/standing.h"

#include <gtest/gtest.h>

namespace lb::scenario {
namespace {

using namespace std::chrono_literals;

Standing twice_out() {
  Standing standing;
  standing.note(0s, 0, "eligible");
  standing.note(2s, 0, "unhealthy");
  standing.note(3s, 0, "ejected");
  standing.note(3s, 0, "ejected");
  standing.note(5s, 0, "eligible");
  standing.note(7s, 0, "breaker_open");
  return standing;
}

TEST(Standing, RemembersChangesAlone) {
  const Standing standing = twice_out();
  ASSERT_EQ(standing.changes(0).size(), 4u);
  EXPECT_EQ(standing.changes(0)[1].state, "ejected");
  EXPECT_EQ(standing.changes(0)[1].at, 3s);
  EXPECT_TRUE(standing.changes(5).empty()) << "nothing was said of it";
}

TEST(Standing, CountsHowOftenItLeft) {
  const Standing standing = twice_out();
  EXPECT_EQ(standing.exits(0, 0s, 10s), 2u) << "another reason is not another exit";
  EXPECT_EQ(standing.exits(0, 2s, 7s), 1u);
  EXPECT_EQ(standing.exits(0, 2s + 1ns, 7s), 0u);
  EXPECT_EQ(standing.exits(1, 0s, 10s), 0u);
}

TEST(Standing, AddsUpTheTimeOut) {
  EXPECT_EQ(twice_out().out(0, 10s), 6s);
  EXPECT_EQ(twice_out().out(0, 4s), 2s);
  EXPECT_EQ(twice_out().out(1, 10s), 0s);
}

TEST(Standing, TellsTheTimeUntilItLeaves) {
  const Standing standing = twice_out();
  EXPECT_EQ(standing.time_to_leave(0, 500ms), 1500ms);
  EXPECT_EQ(standing.time_to_leave(0, 4s), 0s) << "it is out already";
  EXPECT_EQ(standing.time_to_leave(0, 5s), 2s);
  EXPECT_EQ(standing.time_to_leave(1, 0s), std::nullopt);
}

TEST(Standing, TellsTheTimeUntilItIsBack) {
  const Standing standing = twice_out();
  EXPECT_EQ(standing.time_to_return(0, 1s), 4s);
  EXPECT_EQ(standing.time_to_return(0, 5s), 0s);
  EXPECT_EQ(standing.time_to_return(0, 6s), std::nullopt) << "it leaves once more, for good";
  EXPECT_TRUE(standing.was_out(0, 6s));
  EXPECT_FALSE(standing.was_out(1, 0s));
}

TEST(Standing, ABackendThatJoinsBeginsOutside) {
  Standing standing;
  standing.note(0s, 0, "removed");
  standing.note(4s, 0, "eligible");
  EXPECT_EQ(standing.changes(0).size(), 1u);
  EXPECT_EQ(standing.exits(0, 0s, 10s), 0u);
  EXPECT_EQ(standing.out(0, 10s), 4s);
  EXPECT_EQ(standing.time_to_return(0, 1s), 3s);
}

}  // namespace
}  // namespace lb::scenario
