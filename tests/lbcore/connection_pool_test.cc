// Goal: the newest idle connection is used first, the oldest goes first, no handle is in two hands,
// and none outlives what the configuration gives it.
// Method: spoken out in small cases, then many random steps against a vector as the model.
#include "lbcore/connection_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "lbcore/prng.h"
#include "lbcore/subject.h"

namespace lb {
namespace {

using namespace std::chrono_literals;

class ConnectionPoolTest : public testing::Test {
 protected:
  static constexpr BackendSlot kBackend = 3;

  ConnectionId open() { return pool_.open(now_, kBackend); }
  // Idle ones expire in the order they came.
  std::optional<ConnectionId> check_in(ConnectionId id, std::uint32_t max_idle = 10) {
    config_.max_idle_per_backend = max_idle;
    config_.idle_timeout += Duration{1};
    return pool_.check_in(now_, id, config_);
  }
  std::optional<Instant> expiry() const { return deadlines_.earliest(); }
  ConnectionId check_out() { return pool_.check_out(kBackend); }

  DeadlineTable deadlines_;
  ConnectionPool pool_{deadlines_};
  Instant now_{};
  ConnectionPoolConfig config_{.idle_timeout = {}};
};

TEST_F(ConnectionPoolTest, HasNothingToCheckOutAtFirst) {
  EXPECT_EQ(check_out(), ConnectionId{});
  const ConnectionId busy = open();
  EXPECT_EQ(check_out(), ConnectionId{}) << "in use is not idle";
  EXPECT_FALSE(pool_.is_idle(busy));
  EXPECT_EQ(pool_.size(), 1u);
}

TEST_F(ConnectionPoolTest, ChecksOutTheNewestFirst) {
  const ConnectionId a = open();
  const ConnectionId b = open();
  const ConnectionId c = open();
  for (const ConnectionId id : {b, a, c}) EXPECT_EQ(check_in(id), std::nullopt);
  EXPECT_EQ(check_out(), c);
  EXPECT_EQ(check_out(), a);
  EXPECT_EQ(check_out(), b);
  EXPECT_EQ(check_out(), ConnectionId{});
}

TEST_F(ConnectionPoolTest, ClosesTheOldestWhenThereAreTooMany) {
  const ConnectionId a = open();
  const ConnectionId b = open();
  const ConnectionId c = open();
  EXPECT_EQ(check_in(a, 2), std::nullopt);
  EXPECT_EQ(check_in(b, 2), std::nullopt);
  EXPECT_EQ(check_in(c, 2), a);
  EXPECT_EQ(pool_.idle_count(kBackend), 2u);
  EXPECT_EQ(pool_.size(), 2u);
  EXPECT_FALSE(pool_.is_idle(a));
}

TEST_F(ConnectionPoolTest, KeepsNoneWhenNoneIsAllowed) {
  const ConnectionId a = open();
  EXPECT_EQ(check_in(a, 0), a);
  EXPECT_EQ(pool_.size(), 0u);
  EXPECT_EQ(deadlines_.size(), 0u);
}

TEST_F(ConnectionPoolTest, KeepsTheBackendsApart) {
  const ConnectionId mine = open();
  const ConnectionId other = pool_.open(now_, 0);
  EXPECT_EQ(check_in(mine, 1), std::nullopt);
  EXPECT_EQ(check_in(other, 1), std::nullopt);
  EXPECT_EQ(pool_.check_out(1), ConnectionId{});
  EXPECT_EQ(pool_.check_out(0), other);
  EXPECT_EQ(check_out(), mine);
  EXPECT_EQ(pool_.check_out(99), ConnectionId{}) << "a slot it never heard of";
}

TEST_F(ConnectionPoolTest, SetsADeadlineForIdleOnesAlone) {
  const ConnectionId a = open();
  EXPECT_EQ(deadlines_.size(), 0u);
  EXPECT_EQ(check_in(a), std::nullopt);
  EXPECT_EQ(deadlines_.earliest(), Instant{Duration{1}});
  EXPECT_EQ(check_out(), a);
  EXPECT_EQ(deadlines_.size(), 0u);
  EXPECT_EQ(check_in(a), std::nullopt);
  const auto expired = deadlines_.pop_expired(Instant::max());
  ASSERT_TRUE(expired);
  EXPECT_EQ(expired->kind, DeadlineKind::pooled);
  EXPECT_EQ(subject_as<ConnectionId>(expired->subject), a);
}

TEST_F(ConnectionPoolTest, ClosesFromAnywhereInTheList) {
  const ConnectionId a = open();
  const ConnectionId b = open();
  const ConnectionId c = open();
  for (const ConnectionId id : {a, b, c}) EXPECT_EQ(check_in(id), std::nullopt);
  pool_.close(b);
  EXPECT_EQ(pool_.idle_count(kBackend), 2u);
  EXPECT_EQ(pool_.close_oldest_idle(kBackend), a);
  EXPECT_EQ(pool_.close_oldest_idle(kBackend), c);
  EXPECT_EQ(pool_.close_oldest_idle(kBackend), std::nullopt);
  EXPECT_EQ(deadlines_.size(), 0u);
}

TEST_F(ConnectionPoolTest, IgnoresTheCloseOfAnUnknownId) {
  const ConnectionId a = open();
  pool_.close(a);
  const ConnectionId fresh = open();
  EXPECT_EQ(fresh.slot, a.slot);
  pool_.close(a);
  pool_.close(ConnectionId{});
  EXPECT_EQ(pool_.size(), 1u);
  EXPECT_EQ(check_in(fresh), std::nullopt);
  EXPECT_TRUE(pool_.is_idle(fresh));
}

TEST_F(ConnectionPoolTest, CheckingInTwiceIsABug) {
  const ConnectionId a = open();
  EXPECT_EQ(check_in(a), std::nullopt);
  EXPECT_DEATH(static_cast<void>(check_in(a)), "idle");
}

// -- The end of a connection's life

TEST_F(ConnectionPoolTest, ExpiresAfterItsIdleTimeoutOrAtTheEndOfItsLife) {
  config_ = {.idle_timeout = 10s, .max_age = 25s};
  const ConnectionId a = open();
  now_ += 14s;
  EXPECT_EQ(pool_.check_in(now_, a, config_), std::nullopt);
  EXPECT_EQ(expiry(), Instant{24s}) << "idle for 10 s";
  EXPECT_EQ(check_out(), a);
  now_ += 2s;
  EXPECT_EQ(pool_.check_in(now_, a, config_), std::nullopt);
  EXPECT_EQ(expiry(), Instant{25s}) << "its age comes first";
}

TEST_F(ConnectionPoolTest, IsNotIdleAgainFromItsMaxAgeOn) {
  config_ = {.idle_timeout = 10s, .max_age = 25s};
  const ConnectionId a = open();
  const ConnectionId b = open();
  now_ += 25s - 1ns;
  EXPECT_EQ(pool_.check_in(now_, a, config_), std::nullopt);
  EXPECT_EQ(expiry(), Instant{25s});
  now_ += 1ns;
  EXPECT_EQ(pool_.check_in(now_, b, config_), b);
  EXPECT_EQ(pool_.idle_count(kBackend), 1u) << "a, whose deadline is due";
  EXPECT_FALSE(pool_.is_idle(b));
}

TEST_F(ConnectionPoolTest, LivesForAsLongAsItLikesWithoutAMaxAge) {
  config_ = {.idle_timeout = 10s, .max_age = 0s};
  const ConnectionId a = open();
  now_ += 10'000h;
  EXPECT_EQ(pool_.check_in(now_, a, config_), std::nullopt);
  EXPECT_EQ(expiry(), now_ + 10s);
}

TEST_F(ConnectionPoolTest, ServesSoManyRequestsAndNoMore) {
  config_ = {.idle_timeout = 10s, .max_requests = 3};
  const ConnectionId a = open();
  for (int served = 1; served < 3; ++served) {
    EXPECT_EQ(pool_.check_in(now_, a, config_), std::nullopt) << served;
    EXPECT_EQ(check_out(), a);
  }
  EXPECT_EQ(pool_.check_in(now_, a, config_), a);
  EXPECT_EQ(pool_.size(), 0u);
  EXPECT_EQ(deadlines_.size(), 0u);
}

TEST_F(ConnectionPoolTest, ASpareHasServedNobodyYet) {
  config_ = {.idle_timeout = 10s, .max_requests = 1};
  const ConnectionId spare = pool_.open_spare(now_, kBackend);
  EXPECT_EQ(check_out(), ConnectionId{}) << "not while it is opening";
  EXPECT_EQ(pool_.check_in(now_, spare, config_), std::nullopt);
  EXPECT_EQ(check_out(), spare);
  EXPECT_EQ(pool_.check_in(now_, spare, config_), spare);
}

TEST_F(ConnectionPoolTest, KnowsWhoseItIsUntilItIsGone) {
  const ConnectionId a = open();
  EXPECT_EQ(pool_.backend_of(a), kBackend);
  pool_.close(a);
  EXPECT_EQ(pool_.backend_of(a), std::nullopt);
  EXPECT_EQ(pool_.backend_of(ConnectionId{}), std::nullopt);
}

TEST_F(ConnectionPoolTest, BehavesLikeAVectorOfIdleOnes) {
  Prng prng{17};
  std::vector<ConnectionId> idle;  // Oldest first.
  std::vector<ConnectionId> busy;
  for (int step = 0; step < 20'000; ++step) {
    const std::uint64_t choice = prng.below(10);
    if (choice < 3) {
      busy.push_back(open());
    } else if (choice < 6 && !busy.empty()) {
      const auto cap = static_cast<std::uint32_t>(4 + prng.below(4));
      const ConnectionId done = busy.back();
      busy.pop_back();
      idle.push_back(done);
      std::optional<ConnectionId> oldest;
      if (idle.size() > cap) oldest = idle.front(), idle.erase(idle.begin());
      ASSERT_EQ(check_in(done, cap), oldest);
    } else if (choice < 8) {
      const ConnectionId newest = idle.empty() ? ConnectionId{} : idle.back();
      if (newest) idle.pop_back(), busy.push_back(newest);
      ASSERT_EQ(check_out(), newest);
    } else if (!idle.empty()) {
      const auto victim = idle.begin() + static_cast<std::ptrdiff_t>(prng.below(idle.size()));
      pool_.close(*victim);
      idle.erase(victim);
    }
    ASSERT_EQ(pool_.idle_count(kBackend), idle.size());
    ASSERT_EQ(pool_.size(), idle.size() + busy.size());
    ASSERT_EQ(deadlines_.size(), idle.size());
  }
  auto listed = pool_.idle_connections();
  std::sort(idle.begin(), idle.end());
  std::sort(listed.begin(), listed.end());
  EXPECT_EQ(listed, idle);
}

}  // namespace
}  // namespace lb
