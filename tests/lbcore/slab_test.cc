// Goal: a slot that was used again is not taken for the entry that had it before.
// Method: small sequences by hand, then many random ones against a std::map.
#include "lbcore/slab.h"

#include <gtest/gtest.h>

#include <map>

#include "lbcore/ids.h"
#include "lbcore/prng.h"
#include "lbcore/subject.h"
#include "lbcore/time.h"

namespace lb {
namespace {

using TestId = SlotId<struct TestTag>;
using TestSlab = Slab<int, TestId>;

TEST(Slab, FindsWhatWasInserted) {
  TestSlab slab;
  const TestId seven = slab.insert(7);
  const TestId nine = slab.insert(9);
  EXPECT_EQ(slab.at(seven), 7);
  EXPECT_EQ(*slab.find(nine), 9);
  EXPECT_EQ(slab.size(), 2u);
  EXPECT_EQ(seven.slot, 0u);
  EXPECT_EQ(nine.slot, 1u);
}

TEST(Slab, GivesASlotAgainWithAnotherGeneration) {
  TestSlab slab;
  const TestId old = slab.insert(7);
  slab.erase(old);
  const TestId fresh = slab.insert(8);
  EXPECT_EQ(fresh.slot, old.slot);
  EXPECT_NE(fresh, old);
  EXPECT_FALSE(slab.contains(old));
  EXPECT_EQ(slab.find(old), nullptr);
  EXPECT_EQ(slab.at(fresh), 8);
}

TEST(Slab, KnowsNoEmptyId) {
  TestSlab slab;
  EXPECT_FALSE(slab.contains(TestId{}));
  EXPECT_FALSE(TestId{});
  EXPECT_TRUE(slab.insert(1));
}

TEST(SlabDeathTest, AStaleIdIsABug) {
  TestSlab slab;
  const TestId id = slab.insert(7);
  slab.erase(id);
  EXPECT_DEATH(slab.erase(id), "broken invariant");
  EXPECT_DEATH(static_cast<void>(slab.at(id)), "broken invariant");
}

TEST(Slab, BehavesLikeAMapOfLiveIds) {
  Prng prng{5};
  TestSlab slab;
  std::map<TestId, int> model;
  std::vector<TestId> dead;
  for (int step = 0; step < 20'000; ++step) {
    if (model.empty() || prng.below(5) < 3 - (model.size() > 50 ? 2u : 0u)) {
      ASSERT_TRUE(model.emplace(slab.insert(step), step).second) << "an id was given twice";
    } else {
      const auto victim = std::next(model.begin(), static_cast<int>(prng.below(model.size())));
      ASSERT_EQ(slab.at(victim->first), victim->second);
      slab.erase(victim->first);
      dead.push_back(victim->first);
      model.erase(victim);
    }
    ASSERT_EQ(slab.size(), model.size());
  }
  for (const TestId id : dead) EXPECT_FALSE(slab.contains(id));
  std::map<TestId, int> visited;
  std::uint32_t last_slot = 0;
  slab.for_each([&](TestId id, int value) {
    EXPECT_GE(id.slot, last_slot);
    last_slot = id.slot;
    visited.emplace(id, value);
  });
  EXPECT_EQ(visited, model);
}

TEST(Ids, OfDifferentKindsDoNotMix) {
  static_assert(!std::is_convertible_v<ClusterId, BackendId>);
  static_assert(!std::is_convertible_v<RequestId, ConnectionId>);
  static_assert(!std::is_convertible_v<std::uint32_t, BackendId>);
  static_assert(!std::is_convertible_v<BackendId, std::uint32_t>);
  EXPECT_LT(BackendId{1}, BackendId{2});
}

TEST(Ids, SurviveBeingPackedIntoASubject) {
  const RequestId id{.slot = 0x80000001U, .generation = 0xfffffffeU};
  EXPECT_EQ(subject_as<RequestId>(subject_of(id)), id);
}

template <class Clock>
concept CanBeRead = requires {
  Clock::now();
};

TEST(Time, CannotBeRead) {
  static_assert(!CanBeRead<Timeline>);
  static_assert(CanBeRead<std::chrono::steady_clock>);  // tidy: shows that the check can fail
  static_assert(!std::is_convertible_v<Duration, Instant>);
  EXPECT_EQ(Instant{} + Duration{5} - Instant{}, Duration{5});
}

}  // namespace
}  // namespace lb
