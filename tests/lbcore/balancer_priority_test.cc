// Goal: a backup serves when it is needed and only then; and when too few are well, all do.
// Method: the spoken fixture; b1 and b2 are served first, b8 and b9 are backups. Round robin.
#include "tests/testing/balancer_fixture.h"

namespace lb {
namespace {

using namespace testing;

class PriorityTest : public BalancerFixture {
 protected:
  PriorityTest() {
    have_backends({"b1", "b2", "b8", "b9"});
    backend("b8").priority = backend("b9").priority = 1;
    have_health_check();
  }
  void all_are(HealthState state) {
    for (const char* name : {"b1", "b2", "b8", "b9"}) make(name, state);
  }
};

TEST_F(PriorityTest, ABackupWaitsUntilItIsNeeded) {
  all_are(HealthState::healthy);
  EXPECT_EQ(next_picks(4), (Names{"b1", "b2", "b1", "b2"}));
  EXPECT_EQ(eligible(), (Names{"b1", "b2"}));
  EXPECT_EQ(status("b8").exclusion, Exclusion::lower_priority);
  make_unhealthy("b1");
  make_unhealthy("b2");
  EXPECT_EQ(next_picks(3), (Names{"b8", "b9", "b8"}));
  EXPECT_EQ(status("b1").exclusion, Exclusion::unhealthy);
  EXPECT_FALSE(balancer().panicking());
  make_healthy("b2");
  make_healthy("b1");
  EXPECT_EQ(next_picks(2), (Names{"b1", "b2"}));
}

// One of two well carries 70 %: the seed of the fixture says which requests spill over.
TEST_F(PriorityTest, ABackupTakesWhatTheFirstCannot) {
  all_are(HealthState::healthy);
  make_unhealthy("b2");
  Prng same{1};
  int spilled = 0;
  for (int n = 0; n < 500; ++n) {
    const Assignment a = request();
    const bool expected = same.below(100) >= 70;
    ASSERT_EQ(who(a) != "b1", expected) << n;
    spilled += expected ? 1 : 0;
    leave(a);
  }
  EXPECT_GT(spilled, 100);
}

TEST_F(PriorityTest, ARetryGoesToABackupWhenTheFirstHasBeenTried) {
  all_are(HealthState::healthy);
  make_unhealthy("b2");
  for (int n = 0; n < 20; ++n) {
    const Assignment a = request();
    fail(a, AttemptFailure::reset);
    const Assignment again = retry(a);
    EXPECT_NE(again.backend, a.backend);
    leave(again);
  }
}

TEST_F(PriorityTest, AFullFirstPriorityLeavesItsShareToTheBackup) {
  config.limits.max_in_flight_per_backend = 1;
  all_are(HealthState::healthy);
  make_unhealthy("b2");
  Names picks = next_picks(3);
  std::sort(picks.begin(), picks.end());
  EXPECT_EQ(picks, (Names{"b1", "b8", "b9"}));
  EXPECT_EQ(refused(), Outcome::over_limit);
}

// Health alone decides who is in use: a full cluster is not one that is ill.
TEST_F(PriorityTest, AFullFirstPriorityDoesNotWakeABackup) {
  config.limits.max_in_flight_per_backend = 1;
  all_are(HealthState::healthy);
  next_picks(2);
  EXPECT_EQ(refused(), Outcome::over_limit);
}

TEST_F(PriorityTest, AnOperatorsOrdersDoNotCountAsIllness) {
  all_are(HealthState::healthy);
  backend("b2").state = AdminState::draining;
  reload();
  EXPECT_EQ(next_picks(3), (Names{"b1", "b1", "b1"})) << "all of the one that is left is well";
  backend("b1").state = AdminState::disabled;
  reload();
  EXPECT_EQ(next_picks(2), (Names{"b8", "b9"}));
}

TEST_F(PriorityTest, APriorityThatAReloadTakesAwayIsForgotten) {
  all_are(HealthState::healthy);
  make_unhealthy("b1");
  make_unhealthy("b2");
  const Assignment a = request();
  EXPECT_EQ(who(a), "b8");
  have_backends({"b8", "b9"});
  reload();
  EXPECT_EQ(next_picks(2).size(), 2u);
  EXPECT_EQ(eligible(), (Names{"b8", "b9"}));
  have_backends({"b8"});
  backend("b8").priority = 3;
  reload();
  EXPECT_EQ(next_picks(2), (Names{"b8", "b8"}));
  leave(a);
  EXPECT_EQ(status("b8").in_flight, 3u) << "of the first three picks, b9 got one";
}

// -- Panic

TEST_F(PriorityTest, APanicUsesTheUnhealthyOfTheFirst) {
  config.panic_threshold = 50;
  all_are(HealthState::unhealthy);
  EXPECT_TRUE(balancer().panicking());
  EXPECT_EQ(next_picks(3), (Names{"b1", "b2", "b1"}));
  EXPECT_EQ(status("b1").exclusion, Exclusion::none);
  EXPECT_EQ(status("b1").health, HealthState::unhealthy);
  make_healthy("b8");
  EXPECT_FALSE(balancer().panicking()) << "half of the backups are well, and carry it";
  EXPECT_EQ(next_picks(2), (Names{"b8", "b8"}));
}

TEST_F(PriorityTest, NobodyPanicsWhileTheBackupsCarryIt) {
  config.panic_threshold = 50;
  all_are(HealthState::healthy);
  make_unhealthy("b1");
  make_unhealthy("b2");
  EXPECT_FALSE(balancer().panicking());
  EXPECT_EQ(next_picks(2), (Names{"b8", "b9"}));
}

TEST_F(PriorityTest, APanicIgnoresEjectionTooButNotWhoWasNeverProbed) {
  config.panic_threshold = 100;
  have_backends({"b1", "b2", "b3", "b4"});
  make_healthy("b1");
  make_healthy("b2");
  eject("b2");
  make_unhealthy("b3");
  EXPECT_TRUE(balancer().panicking());
  EXPECT_EQ(eligible(), (Names{"b1", "b2", "b3"}));
  EXPECT_EQ(status("b4").exclusion, Exclusion::unknown);
}

TEST_F(PriorityTest, APanicDoesNotUseWhomTheOperatorTookOut) {
  config.panic_threshold = 100;
  backend("b1").state = AdminState::draining;
  all_are(HealthState::unhealthy);
  EXPECT_EQ(next_picks(2), (Names{"b2", "b2"}));
}

TEST_F(PriorityTest, WithoutAThresholdNobodyPanics) {
  all_are(HealthState::unhealthy);
  EXPECT_FALSE(balancer().panicking());
  EXPECT_EQ(refused(), Outcome::no_backend);
}

TEST_F(PriorityTest, ThereIsNoPanicBeforeTheFirstProbes) {
  config.panic_threshold = 50;
  EXPECT_FALSE(balancer().panicking());
  EXPECT_EQ(refused(), Outcome::no_backend);
}

TEST_F(PriorityTest, APanicDoesNotKeepConnectionsToTheUnhealthy) {
  config.panic_threshold = 50;
  all_are(HealthState::unhealthy);
  serve();
  EXPECT_EQ(actions(), Names{"close c1"});
}

}  // namespace
}  // namespace lb
