// Goal: the newest idle connection is used first, the oldest goes first, and no handle is in two
// hands.
// Method: spoken out in small cases, then many random steps against a vector as the model.
#include "lbcore/connection_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "lbcore/prng.h"
#include "lbcore/subject.h"

namespace lb {
namespace {

class ConnectionPoolTest : public testing::Test {
 protected:
  static constexpr BackendSlot kBackend = 3;

  ConnectionId open() { return pool_.open(kBackend); }
  std::optional<ConnectionId> check_in(ConnectionId id, std::uint32_t max_idle = 10) {
    return pool_.check_in(id, Instant{} + (idle_timeout_ += Duration{1}), max_idle);
  }
  std::optional<ConnectionId> check_out() { return pool_.check_out(kBackend); }

  DeadlineTable deadlines_;
  ConnectionPool pool_{deadlines_};
  Duration idle_timeout_{};
};

TEST_F(ConnectionPoolTest, HasNothingToCheckOutAtFirst) {
  EXPECT_EQ(check_out(), std::nullopt);
  const ConnectionId busy = open();
  EXPECT_EQ(check_out(), std::nullopt) << "in use is not idle";
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
  EXPECT_EQ(check_out(), std::nullopt);
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
  const ConnectionId other = pool_.open(0);
  EXPECT_EQ(check_in(mine, 1), std::nullopt);
  EXPECT_EQ(check_in(other, 1), std::nullopt);
  EXPECT_EQ(pool_.check_out(1), std::nullopt);
  EXPECT_EQ(pool_.check_out(0), other);
  EXPECT_EQ(check_out(), mine);
  EXPECT_EQ(pool_.check_out(99), std::nullopt) << "a slot it never heard of";
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
      const auto newest = idle.empty() ? std::nullopt : std::optional{idle.back()};
      if (newest) idle.pop_back(), busy.push_back(*newest);
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
