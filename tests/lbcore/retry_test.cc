// Goal: nothing is repeated that may have been carried out, and waits stay inside their bounds.
// Method: the whole truth table, every failure and status, and the extremes of the backoff.
#include "lbcore/retry.h"

#include <gtest/gtest.h>

#include <set>

namespace lb {
namespace {

using namespace std::chrono_literals;

TEST(MayRepeat, FollowsTheTruthTable) {
  int allowed = 0;
  for (unsigned bits = 0; bits < 16; ++bits) {
    const AttemptFacts facts{.request_sent = (bits & 1U) != 0,
                             .idempotent = (bits & 2U) != 0,
                             .body_replayable = (bits & 4U) != 0,
                             .answer_begun = (bits & 8U) != 0};
    // No way back once the client saw a byte, and none without the body.
    bool expected = false;
    if (!facts.answer_begun && facts.body_replayable) {
      expected = facts.idempotent || !facts.request_sent;
    }
    EXPECT_EQ(may_repeat(facts), expected) << bits;
    allowed += may_repeat(facts) ? 1 : 0;
  }
  EXPECT_EQ(allowed, 3) << "nothing sent (twice), or sent and idempotent";
}

TEST(WorthRepeating, AsksOneSwitchForEachFailure) {
  const auto worth = [](RetryConditions on) {
    std::set<AttemptFailure> failures;
    for (int i = 0; i < 8; ++i) {
      const auto failure = static_cast<AttemptFailure>(i);
      if (worth_repeating(on, failure)) failures.insert(failure);
    }
    return failures;
  };
  using enum AttemptFailure;
  EXPECT_EQ(worth({false, false, false, {}}), (std::set<AttemptFailure>{}));
  EXPECT_EQ(worth({true, false, false, {}}), (std::set{connect_failure, connect_timeout}));
  EXPECT_EQ(worth({false, true, false, {}}), (std::set{reset}));
  EXPECT_EQ(worth({false, false, true, {}}), (std::set{response_timeout, idle_timeout}));
  EXPECT_EQ(worth({true, true, true, {}}).size(), 5u)
      << "an invalid answer, the end of a drain and of the request's time are never worth it";
}

TEST(WorthRepeating, KnowsOnlyTheListedStatuses) {
  const RetryConditions on{false, false, false, {429, 502, 503}};
  std::set<int> worth;
  for (int status = 100; status <= 599; ++status) {
    if (worth_repeating(on, status)) worth.insert(status);
  }
  EXPECT_EQ(worth, (std::set{429, 502, 503}));
}

TEST(Backoff, IsZeroWithoutADrawWhenBaseIsZero) {
  Prng prng{1};
  Prng untouched{1};
  EXPECT_EQ(backoff({.base = 0ms, .max = 250ms}, 2, prng), 0ms);
  EXPECT_EQ(prng.next(), untouched.next());
}

// The wait is below(ceiling + 1), so the same draw says what the ceiling was.
TEST(Backoff, DoublesItsCeilingUpToTheMaximum) {
  const BackoffConfig config{.base = 25ms, .max = 90ms};
  const std::map<std::uint32_t, Duration> ceilings{{2, 25ms}, {3, 50ms}, {4, 90ms}, {10, 90ms}};
  for (const auto& [attempt, ceiling] : ceilings) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      Prng prng{seed};
      Prng same{seed};
      const auto expected = same.below(static_cast<std::uint64_t>(ceiling.count()) + 1);
      EXPECT_EQ(backoff(config, attempt, prng).count(), static_cast<Duration::rep>(expected));
    }
  }
}

TEST(Backoff, ReachesBothEndsOfTheJitter) {
  std::set<Duration> seen;
  Prng prng{3};
  for (int n = 0; n < 1000; ++n) seen.insert(backoff({.base = 2ns, .max = 9ns}, 3, prng));
  EXPECT_EQ(seen, (std::set<Duration>{0ns, 1ns, 2ns, 3ns, 4ns}));
}

TEST(Backoff, NeverExceedsAMaximumBelowTheBase) {
  Prng prng{3};
  for (std::uint32_t attempt = 2; attempt <= 10; ++attempt) {
    for (int n = 0; n < 20; ++n) EXPECT_LE(backoff({.base = 1s, .max = 3ns}, attempt, prng), 3ns);
    EXPECT_EQ(backoff({.base = 1s, .max = 0ns}, attempt, prng), 0ns);
  }
}

TEST(Backoff, DoesNotOverflowWithTheLongestDurations) {
  Prng prng{3};
  const Duration longest{9'000'000'000'000'000'000};
  for (std::uint32_t attempt = 2; attempt <= 200; ++attempt) {
    const Duration wait = backoff({.base = longest / 3, .max = longest}, attempt, prng);
    EXPECT_GE(wait, 0ns);
    EXPECT_LE(wait, longest);
  }
}

// -- The budget

TEST(RetryBudget, IsAShareOfWhatIsUnderWayRoundedDownAndNeverBelowItsFloor) {
  struct Row {
    std::uint32_t percent, floor;
    std::size_t active, allowed;
  };
  for (const Row& row : {Row{20, 3, 0, 3}, Row{20, 3, 15, 3}, Row{20, 3, 19, 3}, Row{20, 3, 20, 4},
                         Row{20, 3, 100, 20}, Row{20, 0, 4, 0}, Row{20, 0, 5, 1},
                         Row{0, 0, 1000, 0}, Row{0, 2, 1000, 2}, Row{100, 0, 7, 7}}) {
    const RetryConfig config{.budget_percent = row.percent, .budget_floor = row.floor};
    std::size_t retrying = 0;
    while (within_budget(config, retrying, row.active)) ++retrying;
    EXPECT_EQ(retrying, row.allowed) << row.percent << " % of " << row.active;
  }
}

TEST(RetryBudget, HoldsForMoreRequestsThanFitInto32Bits) {
  const RetryConfig config{.budget_percent = 50, .budget_floor = 0};
  EXPECT_TRUE(within_budget(config, 4'999'999'999, 10'000'000'000));
  EXPECT_FALSE(within_budget(config, 5'000'000'000, 10'000'000'000));
}

}  // namespace
}  // namespace lb
