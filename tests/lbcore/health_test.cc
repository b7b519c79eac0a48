// Goal: the health table does what it says, in every state, for every result and threshold.
// Method: walk all of it; the expected streaks are written out here a second time on purpose.
#include "lbcore/health.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace lb {
namespace {

constexpr ProbeResult kPass = ProbeResult::pass;
constexpr ProbeResult kFail = ProbeResult::fail;

Health in_state(HealthState state) {
  Health health;
  if (state == HealthState::healthy) health.record(kPass, {});
  if (state == HealthState::unhealthy) health.record(kFail, {});
  EXPECT_EQ(health.state(), state);
  EXPECT_EQ(health.streak(), 0u);
  return health;
}

// How many results in a row leave the state; 0 when none ever does.
std::uint32_t streak_needed(HealthState state, ProbeResult result, HealthThresholds thresholds) {
  if (state == HealthState::unknown) return 1;
  if (state == HealthState::healthy && result == kFail) return thresholds.unhealthy;
  if (state == HealthState::unhealthy && result == kPass) return thresholds.healthy;
  return 0;
}

void for_every_case(auto&& check) {
  for (const HealthState state :
       {HealthState::unknown, HealthState::healthy, HealthState::unhealthy}) {
    for (const ProbeResult result : {kPass, kFail}) {
      for (std::uint32_t up = 1; up <= 4; ++up) {
        for (std::uint32_t down = 1; down <= 4; ++down) {
          SCOPED_TRACE(std::string{to_string(state)} + (result == kPass ? " pass " : " fail ") +
                       std::to_string(up) + '/' + std::to_string(down));
          check(state, result, HealthThresholds{.healthy = up, .unhealthy = down});
        }
      }
    }
  }
}

TEST(Health, TableHasOneRuleForEveryStateAndResult) {
  std::set<std::pair<HealthState, ProbeResult>> seen;
  for (const HealthRule& rule : kHealthTable) seen.insert({rule.state, rule.result});
  EXPECT_EQ(seen.size(), 6u);
}

TEST(Health, ChangesExactlyAtItsThreshold) {
  for_every_case([](HealthState state, ProbeResult result, HealthThresholds thresholds) {
    const std::uint32_t needed = streak_needed(state, result, thresholds);
    Health health = in_state(state);
    if (needed == 0) {
      for (int n = 0; n < 10; ++n) EXPECT_FALSE(health.record(result, thresholds));
      EXPECT_EQ(health.state(), state);
      return;
    }
    for (std::uint32_t n = 1; n < needed; ++n) {
      EXPECT_FALSE(health.record(result, thresholds));
      EXPECT_EQ(health.state(), state);
      EXPECT_EQ(health.streak(), n);
    }
    EXPECT_TRUE(health.record(result, thresholds));
    EXPECT_EQ(health.state(), result == kPass ? HealthState::healthy : HealthState::unhealthy);
    EXPECT_EQ(health.streak(), 0u);
  });
}

TEST(Health, AnInterleavedResultStartsTheStreakAgain) {
  for_every_case([](HealthState state, ProbeResult result, HealthThresholds thresholds) {
    const std::uint32_t needed = streak_needed(state, result, thresholds);
    if (needed < 2) return;
    Health health = in_state(state);
    const ProbeResult other = result == kPass ? kFail : kPass;
    for (int round = 0; round < 3; ++round) {
      for (std::uint32_t n = 1; n < needed; ++n) EXPECT_FALSE(health.record(result, thresholds));
      EXPECT_FALSE(health.record(other, thresholds));
      EXPECT_EQ(health.streak(), 0u);
    }
    EXPECT_EQ(health.state(), state);
  });
}

TEST(Health, AssumedHealthStartsWithAFreshStreak) {
  Health health = in_state(HealthState::unhealthy);
  health.record(kPass, {.healthy = 2, .unhealthy = 2});
  health.assume_healthy();
  EXPECT_FALSE(health.record(kFail, {.healthy = 2, .unhealthy = 2}))
      << "a pass from before is not a failure";
  EXPECT_TRUE(health.record(kFail, {.healthy = 2, .unhealthy = 2}));
}

// -- Flap damping

using namespace std::chrono_literals;

constexpr FlapDampingConfig kDamping{.window = 5min, .max_factor = 8};

Instant at(Duration since) { return Instant{} + since; }

TEST(FlapHistory, DoublesWithEveryFallWithinTheWindowUpToTheCap) {
  FlapHistory history;
  EXPECT_EQ(history.factor(), 1u);
  std::vector<std::uint32_t> factors;
  for (int fall = 0; fall < 6; ++fall) {
    history.record_fall(at(1h + fall * 1min), kDamping);
    factors.push_back(history.factor());
  }
  EXPECT_EQ(factors, (std::vector<std::uint32_t>{1, 2, 4, 8, 8, 8}));
}

TEST(FlapHistory, TheCapNeedNotBeAPowerOfTwo) {
  FlapHistory history;
  for (int fall = 0; fall < 4; ++fall) history.record_fall(at(1h), {5min, 6});
  EXPECT_EQ(history.factor(), 6u);
}

TEST(FlapHistory, ForgivesAfterAQuietWindow) {
  FlapHistory history;
  history.record_fall(at(1h), kDamping);
  history.record_fall(at(1h + 5min), kDamping);
  EXPECT_EQ(history.factor(), 2u) << "just within";
  history.record_fall(at(1h + 10min), kDamping);
  EXPECT_EQ(history.factor(), 4u) << "the window is from fall to fall";
  history.record_fall(at(1h + 15min + 1ns), kDamping);
  EXPECT_EQ(history.factor(), 1u);
}

TEST(FlapHistory, MultipliesThePassesAndNothingElse) {
  FlapHistory history;
  for (int fall = 0; fall < 3; ++fall) history.record_fall(at(1h), kDamping);
  const HealthThresholds thresholds{.healthy = 2, .unhealthy = 3};
  EXPECT_EQ(damped(thresholds, history, kDamping), (HealthThresholds{8, 3}));
  EXPECT_EQ(damped(thresholds, history, std::nullopt), thresholds);
  EXPECT_EQ(damped(thresholds, history, FlapDampingConfig{5min, 2}), (HealthThresholds{4, 3}))
      << "a lower cap holds at once";
}

TEST(Health, StatesHaveNames) {
  EXPECT_EQ(to_string(HealthState::unknown), "unknown");
  EXPECT_EQ(to_string(HealthState::healthy), "healthy");
  EXPECT_EQ(to_string(HealthState::unhealthy), "unhealthy");
}

}  // namespace
}  // namespace lb
