// Goal: who joins or comes back gets a growing share of its weight, exactly as the ramp says, and
// when that is over nothing of it is left.
// Method: the spoken fixture; a ramp of 20 s from 10 % in steps of 1 s. Weighted round robin gives
// exact counts over a cycle.
#include "tests/testing/balancer_fixture.h"

namespace lb {
namespace {

using namespace testing;

class SlowStartTest : public BalancerFixture {
 protected:
  SlowStartTest() {
    config.strategy = WeightedRoundRobinConfig{};
    config.slow_start = {.duration = 20s, .aggression = 1, .min_percent = 10};
    have_backends({"b1", "b2"});
  }
  // How many of the next `count` requests each gets.
  std::map<std::string, int> shares(int count) {
    std::map<std::string, int> shares;
    for (int n = 0; n < count; ++n) {
      const Assignment a = request();
      ++shares[who(a)];
      leave(a);
    }
    return shares;
  }
  using Shares = std::map<std::string, int>;
  void join(const std::string& name) {
    config.backends.push_back({name, name + ":80"});
    reload();
  }
  std::uint32_t ramp(const std::string& name) { return status(name).ramp_percent; }
};

TEST_F(SlowStartTest, FoundersDoNotRamp) {
  EXPECT_EQ(ramp("b1"), 100u);
  EXPECT_EQ(next_timeout(), std::nullopt);
  EXPECT_EQ(shares(4), (Shares{{"b1", 2}, {"b2", 2}}));
}

TEST_F(SlowStartTest, FoundersDoNotRampWhenTheirFirstProbePasses) {
  have_health_check();
  EXPECT_EQ(eligible(), Names{});
  make_healthy("b1");
  EXPECT_EQ(ramp("b1"), 100u);
  EXPECT_EQ(next_timeout(), std::nullopt);
}

TEST_F(SlowStartTest, AFounderThatWasDownAtFirstComesBackLikeAnyOther) {
  have_health_check();
  make_healthy("b1");
  make_unhealthy("b2");
  advance(1h);
  make_healthy("b2");
  EXPECT_EQ(ramp("b2"), 10u);
}

TEST_F(SlowStartTest, AFounderThatWasDisabledJoinsLater) {
  backend("b2").state = AdminState::disabled;
  balancer();
  backend("b2").state = AdminState::enabled;
  reload();
  EXPECT_EQ(ramp("b2"), 10u);
}

TEST_F(SlowStartTest, WhoJoinsRampsStepByStep) {
  balancer();
  join("b3");
  EXPECT_EQ(ramp("b3"), 10u);
  EXPECT_EQ(shares(210), (Shares{{"b1", 100}, {"b2", 100}, {"b3", 10}})) << "one cycle";
  EXPECT_EQ(next_timeout(), 1s);
  advance(1s - 1ns);
  EXPECT_EQ(ramp("b3"), 10u);
  advance(1ns);
  EXPECT_EQ(ramp("b3"), 14u) << "10 + 90 / 20, rounded down";
  EXPECT_EQ(shares(214), (Shares{{"b1", 100}, {"b2", 100}, {"b3", 14}}));
  for (int step = 2; step < 10; ++step) advance(1s);
  advance(1s);
  EXPECT_EQ(ramp("b3"), 55u);
  EXPECT_EQ(shares(255), (Shares{{"b1", 100}, {"b2", 100}, {"b3", 55}}));
}

TEST_F(SlowStartTest, TheRampEndsAndItsTimerGoesAway) {
  balancer();
  join("b3");
  for (int step = 1; step < 20; ++step) {
    EXPECT_EQ(next_timeout(), 1s) << step;
    advance(1s);
    EXPECT_EQ(ramp("b3"), 10u + static_cast<std::uint32_t>(90 * step / 20)) << step;
  }
  advance(1s);
  EXPECT_EQ(ramp("b3"), 100u);
  EXPECT_EQ(next_timeout(), std::nullopt);
  EXPECT_EQ(shares(3), (Shares{{"b1", 1}, {"b2", 1}, {"b3", 1}}));
}

TEST_F(SlowStartTest, ALateWakeupCatchesUp) {
  balancer();
  join("b3");
  advance(10s);
  EXPECT_EQ(ramp("b3"), 55u);
  EXPECT_EQ(next_timeout(), 1s);
  advance(1h);
  EXPECT_EQ(ramp("b3"), 100u);
  EXPECT_EQ(next_timeout(), std::nullopt);
}

TEST_F(SlowStartTest, WeightsStillCount) {
  config.strategy = WeightedRoundRobinConfig{};
  balancer();
  join("b3");
  backend("b3").weight = 4;
  backend("b1").weight = 2;
  reload();
  EXPECT_EQ(shares(340), (Shares{{"b1", 200}, {"b2", 100}, {"b3", 40}}));
}

TEST_F(SlowStartTest, WhoComesBackRampsAgain) {
  have_health_check();
  for (const char* name : {"b1", "b2"}) make_healthy(name);
  make_unhealthy("b2");
  EXPECT_EQ(next_timeout(), std::nullopt);
  make_healthy("b2");
  EXPECT_EQ(ramp("b2"), 10u);
  EXPECT_EQ(shares(110), (Shares{{"b1", 100}, {"b2", 10}}));
  advance(10s);
  EXPECT_EQ(ramp("b2"), 55u);
  make_unhealthy("b2");
  EXPECT_EQ(next_timeout(), std::nullopt) << "nobody ramps any more";
  EXPECT_EQ(ramp("b2"), 100u);
  make_healthy("b2");
  EXPECT_EQ(ramp("b2"), 10u) << "from the beginning";
}

TEST_F(SlowStartTest, AnEjectionThatIsOverAndADrainThatIsTakenBackRampToo) {
  balancer();
  eject("b2");
  eject("b2", false);
  EXPECT_EQ(ramp("b2"), 10u);
  advance(20s);
  EXPECT_EQ(ramp("b2"), 100u);
  backend("b2").state = AdminState::draining;
  reload();
  backend("b2").state = AdminState::enabled;
  reload();
  EXPECT_EQ(ramp("b2"), 10u);
}

TEST_F(SlowStartTest, EveryOneHasItsOwnBeginning) {
  balancer();
  join("b3");
  advance(10s);
  join("b4");
  EXPECT_EQ(ramp("b3"), 55u);
  EXPECT_EQ(ramp("b4"), 10u);
  EXPECT_EQ(shares(265), (Shares{{"b1", 100}, {"b2", 100}, {"b3", 55}, {"b4", 10}}));
  advance(10s);
  EXPECT_EQ(ramp("b3"), 100u);
  EXPECT_EQ(ramp("b4"), 55u);
  EXPECT_EQ(next_timeout(), 1s);
}

TEST_F(SlowStartTest, AReloadDoesNotStartItAgain) {
  balancer();
  join("b3");
  advance(10s);
  reload();
  EXPECT_EQ(ramp("b3"), 55u);
  EXPECT_EQ(next_timeout(), 1s);
}

TEST_F(SlowStartTest, AReloadWithoutItEndsIt) {
  balancer();
  join("b3");
  config.slow_start.reset();
  reload();
  EXPECT_EQ(ramp("b3"), 100u);
  EXPECT_EQ(next_timeout(), std::nullopt);
  config.slow_start = {.duration = 20s};
  reload();
  EXPECT_EQ(ramp("b3"), 100u) << "it has long been here";
  EXPECT_EQ(next_timeout(), std::nullopt);
}

TEST_F(SlowStartTest, RemovalEndsIt) {
  balancer();
  join("b3");
  const Assignment a = request_to("b3");
  connect(a);
  config.backends.pop_back();
  reload();
  EXPECT_EQ(next_timeout(), 30s) << "the drain; nobody ramps";
  leave(a);
  EXPECT_EQ(next_timeout(), std::nullopt);
  join("b4");  // In its place.
  EXPECT_EQ(ramp("b4"), 10u);
}

TEST_F(SlowStartTest, AVeryShortOneDoesNotSpin) {
  config.slow_start->duration = 2ms;
  balancer();
  join("b3");
  EXPECT_EQ(next_timeout(), 1ms);
  advance(1ms);
  EXPECT_EQ(ramp("b3"), 55u);
  advance(1ms);
  EXPECT_EQ(next_timeout(), std::nullopt);
}

// Without weights a starting backend keeps a tenth of its turns: with two others that is a tenth of
// what each of them has, one in 21. 2000 requests: 95, standard deviation 9.5; four of them.
TEST_F(SlowStartTest, WithoutWeightsItsPicksAreThinnedOut) {
  config.strategy = RoundRobinConfig{};
  balancer();
  join("b3");
  const Shares thin = shares(2000);
  EXPECT_NEAR(thin.at("b3"), 95, 38);
  EXPECT_NEAR(thin.at("b1"), thin.at("b2"), 1) << "each takes over as often as the other";
  advance(20s);
  EXPECT_EQ(shares(300), (Shares{{"b1", 100}, {"b2", 100}, {"b3", 100}}));
}

}  // namespace
}  // namespace lb
