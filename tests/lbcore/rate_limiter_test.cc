// Goal: exactly burst + rate x time and not one more, in little memory, among several workers too.
// Method: exact instants; the table is small enough to be filled.
#include "lbcore/rate_limiter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace lb {
namespace {

using namespace std::chrono_literals;
using Spent = RateLimiter::Spent;

RateLimitConfig limit(double rate, std::uint32_t burst, std::uint32_t max_keys = 100) {
  return {.rate = rate, .burst = burst, .max_keys = max_keys};
}

// How many of `tries` at the same instant are admitted.
std::uint32_t admitted(RateLimiter& limiter, Instant now, HashKey key, std::uint32_t tries) {
  std::uint32_t count = 0;
  for (std::uint32_t n = 0; n < tries; ++n) count += limiter.admit(now, key).admitted ? 1U : 0U;
  return count;
}

constexpr Instant kStart{1h};

TEST(RateLimiter, AdmitsABurstAndThenTheRate) {
  RateLimiter limiter(limit(10, 3), 1);
  EXPECT_EQ(admitted(limiter, kStart, 7, 10), 3u);
  EXPECT_EQ(admitted(limiter, kStart + 100ms - 1ns, 7, 10), 0u);
  EXPECT_EQ(admitted(limiter, kStart + 100ms, 7, 10), 1u);
  EXPECT_EQ(admitted(limiter, kStart + 350ms, 7, 10), 2u);
  EXPECT_EQ(admitted(limiter, kStart + 399ms, 7, 10), 0u) << "what was left of 50 ms stays";
  EXPECT_EQ(admitted(limiter, kStart + 400ms, 7, 10), 1u);
  EXPECT_EQ(admitted(limiter, kStart + 1h, 7, 10), 3u) << "never more than the burst";
}

TEST(RateLimiter, SaysWhenToTryAgain) {
  RateLimiter limiter(limit(10, 2), 1);
  EXPECT_EQ(limiter.admit(kStart, 7).retry_after, 0ns);
  EXPECT_EQ(admitted(limiter, kStart, 7, 1), 1u);
  const auto refused = limiter.admit(kStart + 30ms, 7);
  EXPECT_FALSE(refused.admitted);
  EXPECT_EQ(refused.retry_after, 70ms);
  EXPECT_TRUE(limiter.admit(kStart + 30ms + refused.retry_after, 7).admitted);
}

// 1/3 s has no end in nanoseconds: rounded up at each token, 900 of them would be late by 600 ns;
// rounded down, too many would pass.
TEST(RateLimiter, ThirdsOfASecondAddUpExactly) {
  RateLimiter limiter(limit(3, 2), 1);
  EXPECT_EQ(admitted(limiter, kStart, 7, 3), 2u);
  EXPECT_EQ(limiter.admit(kStart, 7).retry_after, 333'333'334ns);
  for (int second = 0; second < 300; ++second) {
    const Instant start = kStart + second * 1s;
    for (const Duration third : {333'333'334ns, 666'666'667ns, 1'000'000'000ns}) {
      EXPECT_EQ(admitted(limiter, start + third - 1ns, 7, 1), 0u);
      EXPECT_EQ(admitted(limiter, start + third, 7, 2), 1u);
    }
  }
}

TEST(RateLimiter, TakesSlowAndFastRates) {
  RateLimiter slow(limit(0.001, 1), 1);
  EXPECT_EQ(admitted(slow, kStart, 7, 2), 1u);
  EXPECT_EQ(slow.admit(kStart, 7).retry_after, 1000s);
  RateLimiter fast(limit(1'000'000, 1'000'000), 1);
  EXPECT_EQ(admitted(fast, kStart, 7, 1'000'001), 1'000'000u);
  EXPECT_EQ(admitted(fast, kStart + 3us, 7, 10), 3u);
}

TEST(RateLimiter, EveryKeyHasItsOwnBucket) {
  RateLimiter limiter(limit(1, 2), 1);
  for (HashKey key = 0; key < 100; ++key) EXPECT_EQ(admitted(limiter, kStart, key, 5), 2u) << key;
  for (HashKey key = 0; key < 100; ++key) EXPECT_EQ(admitted(limiter, kStart, key, 5), 0u) << key;
  EXPECT_EQ(limiter.size(), 100u);
}

TEST(RateLimiter, WhereEntriesLieDecidesNothing) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    RateLimiter limiter(limit(1, 2, 10'000), seed);
    for (HashKey key = 0; key < 10'000; ++key) {
      ASSERT_TRUE(limiter.admit(kStart, key << 40U).admitted);
    }
    for (HashKey key = 0; key < 10'000; ++key) {
      ASSERT_EQ(admitted(limiter, kStart, key << 40U, 3), 1u);
    }
  }
}

// -- Memory

TEST(RateLimiter, RemembersNoMoreThanItMay) {
  RateLimiter limiter(limit(1, 2, 1000), 1);
  for (HashKey key = 0; key < 100'000; ++key) EXPECT_TRUE(limiter.admit(kStart, mix(key)).admitted);
  EXPECT_EQ(limiter.size(), 1000u);
  EXPECT_EQ(limiter.capacity(), 2048u);
  EXPECT_EQ(limiter.take_spent().size(), 1000u);
}

TEST(RateLimiter, ForgetsAFullBucketFirst) {
  RateLimiter limiter(limit(1, 2, 3), 1);
  admitted(limiter, kStart, 1, 2);
  admitted(limiter, kStart, 2, 1);  // Full again after a second.
  admitted(limiter, kStart, 3, 2);
  EXPECT_EQ(admitted(limiter, kStart + 1s, 4, 2), 2u);
  EXPECT_EQ(limiter.size(), 3u);
  EXPECT_EQ(admitted(limiter, kStart + 1s, 1, 2), 1u) << "remembered";
  EXPECT_EQ(admitted(limiter, kStart + 1s, 3, 2), 1u) << "remembered";
}

TEST(RateLimiter, ForgetsTheOneClosestToFullNext) {
  RateLimiter limiter(limit(1, 9, 3), 1);
  admitted(limiter, kStart, 1, 9);
  admitted(limiter, kStart, 2, 3);
  admitted(limiter, kStart, 3, 8);
  EXPECT_EQ(admitted(limiter, kStart, 4, 9), 9u);
  EXPECT_EQ(admitted(limiter, kStart, 1, 9), 0u) << "remembered";
  EXPECT_EQ(admitted(limiter, kStart, 3, 9), 1u) << "remembered";
}

// The attack that is named in the header.
TEST(RateLimiter, ManyAddressesDoNotResetTheOneThatSpentMost) {
  RateLimiter limiter(limit(1, 50, 1000), 1);
  const HashKey heavy = mix(1);
  EXPECT_EQ(admitted(limiter, kStart, heavy, 100), 50u);
  for (HashKey key = 2; key < 50'000; ++key) admitted(limiter, kStart, mix(key), 3);
  EXPECT_EQ(admitted(limiter, kStart, heavy, 100), 0u);
}

// Every key is erased at its turn: what is next to it in the table must still be found.
TEST(RateLimiter, ForgettingLosesNobodyElse) {
  RateLimiter limiter(limit(1, 1, 25), 1);
  for (HashKey round = 0; round < 2000; ++round) {
    const Instant now = kStart + round * 40ms;
    EXPECT_TRUE(limiter.admit(now, mix(round)).admitted);
    // Of the last 25 in the last second, none is full again.
    for (HashKey back = 0; back < std::min<HashKey>(round, 25); ++back) {
      ASSERT_FALSE(limiter.admit(now, mix(round - back)).admitted) << round << ' ' << back;
    }
  }
}

// -- Several workers

TEST(RateLimiter, TellsWhatItAdmittedSinceTheLastTime) {
  RateLimiter limiter(limit(1, 2), 1);
  admitted(limiter, kStart, 7, 5);
  admitted(limiter, kStart, 3, 1);
  EXPECT_EQ(limiter.take_spent(), (std::vector<Spent>{{7, 2}, {3, 1}}));
  EXPECT_EQ(limiter.take_spent(), std::vector<Spent>{});
  admitted(limiter, kStart + 1s, 3, 1);
  admitted(limiter, kStart + 1s, 7, 1);
  EXPECT_EQ(limiter.take_spent(), (std::vector<Spent>{{3, 1}, {7, 1}}));
}

TEST(RateLimiter, WithoutSiblingsNothingIsKeptForThem) {
  RateLimiter limiter(limit(1, 2), 1, RateLimiter::Siblings::none);
  EXPECT_EQ(admitted(limiter, kStart, 7, 5), 2u);
  EXPECT_EQ(limiter.take_spent(), std::vector<Spent>{});
}

TEST(RateLimiter, WhatItForgotIsToldAllTheSame) {
  RateLimiter limiter(limit(1, 1, 2), 1);
  for (HashKey key = 1; key <= 2; ++key) admitted(limiter, kStart, key, 1);
  EXPECT_EQ(admitted(limiter, kStart + 1s, 3, 1), 1u);
  const auto spent = limiter.take_spent();
  EXPECT_EQ(spent, (std::vector<Spent>{{1, 1}, {2, 1}})) << "and no more than max_keys";
}

TEST(RateLimiter, ASiblingsRequestsAreCharged) {
  RateLimiter limiter(limit(1, 5), 1);
  limiter.debit(kStart, 7, 4);
  EXPECT_EQ(admitted(limiter, kStart, 7, 5), 1u);
  limiter.debit(kStart, 7, 5);
  EXPECT_EQ(limiter.admit(kStart, 7).retry_after, 6s) << "5 below empty";
  EXPECT_EQ(limiter.take_spent(), (std::vector<Spent>{{7, 1}})) << "only its own";
  limiter.debit(kStart, 8, ~std::uint32_t{0});
  EXPECT_FALSE(limiter.admit(kStart + 24h, 8).admitted);
}

TEST(RateLimiter, NoDebtIsTooLarge) {
  RateLimiter limiter(limit(0.001, 1'000'000), 1);
  for (int n = 0; n < 10; ++n) {
    limiter.debit(kStart, 7, ~std::uint32_t{0});
    EXPECT_GT(limiter.admit(kStart, 7).retry_after, 24h);
  }
}

// Two workers, told each other every 10 ms what they let pass; the client asks both, always.
TEST(RateLimiter, WorkersTogetherObeyOneLimit) {
  std::vector<RateLimiter> workers(2, RateLimiter(limit(100, 10), 1));
  std::uint32_t total = 0;
  for (int tick = 0; tick <= 100; ++tick) {
    EXPECT_TRUE(tick != 1 || total == 20) << "neither knew of the other: " << total;
    const Instant now = kStart + tick * 10ms;
    for (RateLimiter& worker : workers) total += admitted(worker, now, 7, 20);
    for (std::size_t i = 0; i < 2; ++i) {
      for (const Spent& spent : workers[i].take_spent()) {
        workers[1 - i].debit(now, spent.key, spent.count);
      }
    }
  }
  EXPECT_EQ(total, 10u + 100u) << "what was too much at first has been paid back";
}

}  // namespace
}  // namespace lb
