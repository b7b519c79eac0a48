// Goal: deadlines come back by instant and then in the order they were set, whichever list or
// ordered set they were kept in.
// Method: small cases by hand, every order of eight instants, then many random steps against a
// std::multimap.
#include "lbcore/deadline_table.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>

#include "lbcore/prng.h"

namespace lb {
namespace {

Instant at(int nanoseconds) { return Instant{Duration{nanoseconds}}; }

std::vector<std::uint64_t> expire_all(DeadlineTable& table, Instant now) {
  std::vector<std::uint64_t> subjects;
  while (const auto expired = table.pop_expired(now)) subjects.push_back(expired->subject);
  return subjects;
}

TEST(DeadlineTable, IsEmptyAtFirst) {
  DeadlineTable table;
  EXPECT_EQ(table.earliest(), std::nullopt);
  EXPECT_FALSE(table.pop_expired(Instant::max()));
}

TEST(DeadlineTable, ExpiresAtTheInstantAndNotBefore) {
  DeadlineTable table;
  table.set(DeadlineKind::connect, at(10), 7);
  EXPECT_EQ(table.earliest(), at(10));
  EXPECT_FALSE(table.pop_expired(at(9)));
  const auto expired = table.pop_expired(at(10));
  ASSERT_TRUE(expired);
  EXPECT_EQ(expired->kind, DeadlineKind::connect);
  EXPECT_EQ(expired->at, at(10));
  EXPECT_EQ(expired->subject, 7u);
  EXPECT_EQ(table.size(), 0u);
}

TEST(DeadlineTable, ExpiresInTheOrderTheyWereSetAtOneInstant) {
  DeadlineTable table;
  table.set(DeadlineKind::idle, at(5), 1);
  table.set(DeadlineKind::connect, at(5), 2);
  table.set(DeadlineKind::idle, at(5), 3);
  table.set(DeadlineKind::connect, at(4), 4);
  EXPECT_EQ(expire_all(table, at(5)), (std::vector<std::uint64_t>{4, 1, 2, 3}));
}

TEST(DeadlineTable, ForgetsWhatIsCancelled) {
  DeadlineTable table;
  DeadlineId first = table.set(DeadlineKind::idle, at(5), 1);
  DeadlineId second = table.set(DeadlineKind::idle, at(6), 2);
  table.cancel(first);
  EXPECT_EQ(first, DeadlineId{});
  EXPECT_EQ(table.earliest(), at(6));
  table.cancel(first);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(expire_all(table, at(9)), (std::vector<std::uint64_t>{2}));
  table.cancel(second);  // Expired: ignored.
  EXPECT_EQ(second, DeadlineId{});
}

TEST(DeadlineTable, OneInPlaceOfAnotherKeepsItsIdAndComesAfterThoseAtTheSameInstant) {
  DeadlineTable table;
  DeadlineId id = table.set(DeadlineKind::idle, at(5), 1);
  table.set(DeadlineKind::connect, at(7), 2);
  const DeadlineId before = id;
  table.replace(id, DeadlineKind::response, at(7), 3);
  EXPECT_EQ(id, before);
  EXPECT_EQ(table.earliest(), at(7));
  EXPECT_EQ(expire_all(table, at(7)), (std::vector<std::uint64_t>{2, 3}));
  table.replace(id, DeadlineKind::idle, at(9), 4);  // Expired: a new one.
  EXPECT_NE(id, before);
  EXPECT_EQ(expire_all(table, at(9)), (std::vector<std::uint64_t>{4}));
}

TEST(DeadlineTable, AnExpiredIdDoesNotCancelItsSuccessor) {
  DeadlineTable table;
  DeadlineId old = table.set(DeadlineKind::idle, at(1), 1);
  expire_all(table, at(1));
  EXPECT_FALSE(table.contains(old));
  const DeadlineId fresh = table.set(DeadlineKind::idle, at(2), 2);
  table.cancel(old);
  EXPECT_TRUE(table.contains(fresh));
}

TEST(DeadlineTable, SortsEveryOrderOfEightInstants) {
  std::vector<int> order(8);
  std::iota(order.begin(), order.end(), 0);
  do {
    DeadlineTable table;
    for (const int n : order) {
      table.set(DeadlineKind::backoff, at(n), static_cast<std::uint64_t>(n));
    }
    ASSERT_EQ(expire_all(table, at(7)), (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  } while (std::next_permutation(order.begin(), order.end()));
}

// Falling instants: each one belongs before all the others, far from the end of the list.
TEST(DeadlineTable, SortsWhatDoesNotFitNearTheEnd) {
  DeadlineTable table;
  for (int n = 100; n > 0; --n) {
    table.set(DeadlineKind::response, at(n), static_cast<std::uint64_t>(n));
  }
  EXPECT_EQ(table.earliest(), at(1));
  const auto subjects = expire_all(table, at(100));
  ASSERT_EQ(subjects.size(), 100u);
  EXPECT_TRUE(std::is_sorted(subjects.begin(), subjects.end()));
}

TEST(DeadlineTable, KeepsADeadlineAtTheEndOfTime) {
  DeadlineTable table;
  table.set(DeadlineKind::idle, Instant::max(), 1);
  EXPECT_EQ(table.earliest(), Instant::max());
  EXPECT_EQ(expire_all(table, Instant::max()), (std::vector<std::uint64_t>{1}));
}

// What takes the place of one in the middle of the heap may belong above it: in another branch.
TEST(DeadlineTable, KeepsItsOrderWhenOneIsTakenFromTheMiddle) {
  DeadlineTable table;
  for (int n = 0; n < 20; ++n) table.set(DeadlineKind::backoff, at(1000 + n), 1000);
  std::map<int, DeadlineId> ids;  // None of these fits near the end of the list.
  for (const int when : {10, 100, 11, 101, 102, 12, 13, 103, 104, 105, 106, 14, 15, 16, 17}) {
    ids[when] = table.set(DeadlineKind::backoff, at(when), static_cast<std::uint64_t>(when));
  }
  table.cancel(ids.at(101));
  EXPECT_EQ(expire_all(table, at(999)), (std::vector<std::uint64_t>{10, 11, 12, 13, 14, 15, 16, 17,
                                                                    100, 102, 103, 104, 105, 106}));
}

// A multimap keeps equal keys in the order they were inserted: the specification in one line.
TEST(DeadlineTable, BehavesLikeAMultimap) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Prng prng{seed};
    DeadlineTable table;
    std::multimap<Instant, std::uint64_t> model;
    std::map<std::uint64_t, DeadlineId> ids;
    int now = 0;
    for (std::uint64_t step = 0; step < 3000; ++step) {
      const std::uint64_t choice = prng.below(10);
      if (choice < 6) {
        // Mostly one timeout for each kind, sometimes any: both ways of keeping them are used.
        const auto kind = static_cast<DeadlineKind>(prng.below(kDeadlineKindCount));
        const int timeout = prng.below(4) == 0 ? static_cast<int>(prng.below(300))
                                               : 20 * (1 + static_cast<int>(kind));
        model.emplace(at(now + timeout), step);
        ids[step] = table.set(kind, at(now + timeout), step);
      } else if (choice < 8 && !model.empty()) {
        const auto victim = std::next(model.begin(), static_cast<int>(prng.below(model.size())));
        DeadlineId& id = ids[victim->second];
        model.erase(victim);
        if (choice == 6) {
          table.cancel(id);
          continue;
        }
        const auto kind = static_cast<DeadlineKind>(prng.below(kDeadlineKindCount));
        const int timeout = static_cast<int>(prng.below(300));
        model.emplace(at(now + timeout), step);
        table.replace(id, kind, at(now + timeout), step);
        ids[step] = id;
      } else {
        now += static_cast<int>(prng.below(15));
        std::vector<std::uint64_t> due;
        while (!model.empty() && model.begin()->first <= at(now)) {
          due.push_back(model.begin()->second);
          model.erase(model.begin());
        }
        ASSERT_EQ(expire_all(table, at(now)), due) << "seed " << seed << " step " << step;
      }
      ASSERT_EQ(table.size(), model.size());
      ASSERT_EQ(table.earliest(),
                model.empty() ? std::nullopt : std::optional<Instant>{model.begin()->first});
    }
  }
}

}  // namespace
}  // namespace lb
