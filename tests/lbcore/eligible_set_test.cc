// Goal: who may be picked, and which part of the requests each priority gets, is Envoy's documented
// arithmetic to the percent; and a pick is open, untried and thinned out as it should be.
// Method: a set built from short words; with a hash strategy a key names its percent, so that 100
// picks show the whole table; with the others the draws are drawn a second time.
#include "lbcore/eligible_set.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace lb {
namespace {

using Percents = std::vector<std::uint32_t>;

class EligibleSetTest : public testing::Test {
 protected:
  using Member = EligibleSet::Member;
  using Place = EligibleSet::Place;
  using Ids = std::vector<std::uint32_t>;

  EligibleSetTest() { set.use(RoundRobinConfig{}); }

  // A member for each letter: w is well, u is unhealthy, ? was never probed.
  void add(const std::string& letters, std::uint32_t priority = 0) {
    for (const char letter : letters) {
      const auto id = static_cast<std::uint32_t>(members.size());
      members.push_back({.slot = 100 + id,
                         .id = BackendId{id},
                         .priority = priority,
                         .well = letter == 'w',
                         .may_panic = letter != '?'});
    }
  }
  // A priority with so many of a hundred well.
  void add_level(std::uint32_t well, std::uint32_t priority) {
    add(std::string(well, 'w') + std::string(100 - well, 'u'), priority);
  }
  void rebuild(std::uint32_t panic_threshold = 0) {
    places = set.rebuild(members, panic_threshold, Instant{});
  }
  Ids eligible() const {
    Ids ids;
    for (std::uint32_t i = 0; i < places.size(); ++i) {
      if (places[i]) ids.push_back(i);
    }
    return ids;
  }

  std::uint32_t pick(HashKey key = 0, const std::vector<Place>& tried = {}) {
    return set.pick(key, tried, Instant{}, prng).slot - 100;
  }
  Ids picks(int count) {
    Ids ids;
    for (int n = 0; n < count; ++n) ids.push_back(pick());
    return ids;
  }
  // A key for each percent of the requests.
  static const std::vector<HashKey>& keys() {
    static const std::vector<HashKey> all = [] {
      std::map<std::uint64_t, HashKey> by_percent;
      for (HashKey key = 1; by_percent.size() < 100; ++key) {
        by_percent.try_emplace(mix(key) % 100, key);
      }
      std::vector<HashKey> in_order;
      for (const auto& [percent, key] : by_percent) in_order.push_back(key);
      return in_order;
    }();
    return all;
  }
  // Which part of them each priority gets, when priorities 0, 1, … have so many of a hundred well.
  Percents loads(const Percents& well, std::uint32_t panic_threshold = 0) {
    set.use(IpHashConfig{});
    members.clear();
    for (std::uint32_t p = 0; p < well.size(); ++p) add_level(well[p], p);
    rebuild(panic_threshold);
    Percents loads(well.size());
    if (!set.any()) return loads;
    for (const HashKey key : keys()) ++loads[members[pick(key)].priority];
    return loads;
  }

  EligibleSet set;
  std::vector<Member> members;
  std::vector<Place> places;
  Prng prng{1};
};

// -- Who is eligible

TEST_F(EligibleSetTest, IsNobodyAtFirst) {
  EXPECT_FALSE(set.any());
  EXPECT_FALSE(set.any_open());
  EXPECT_FALSE(set.panicking());
  rebuild();
  EXPECT_FALSE(set.any());
  EXPECT_EQ(set.size(), 0u);
}

TEST_F(EligibleSetTest, IsWhoIsWell) {
  add("wu?w");
  rebuild();
  EXPECT_EQ(eligible(), (Ids{0, 3}));
  EXPECT_EQ(set.size(), 2u);
  EXPECT_EQ(picks(3), (Ids{0, 3, 0}));
}

TEST_F(EligibleSetTest, SaysHowManyThereWereAndWhetherThereWasAChoice) {
  add("ww");
  add("wwww", 1);
  rebuild();
  EligibleSet::Choice choice = set.pick(0, {}, Instant{}, prng);
  EXPECT_EQ(choice.candidates, 2u) << "of its priority";
  EXPECT_EQ(choice.reason, PickReason::in_turn);
  members[0].well = members[1].well = false;
  for (std::size_t i = 3; i < 6; ++i) members[i].well = false;
  rebuild();
  choice = set.pick(0, {}, Instant{}, prng);
  EXPECT_EQ(choice.candidates, 1u);
  EXPECT_EQ(choice.reason, PickReason::only_one);
}

// -- The share of each priority: the tables of Envoy's documentation ("Priority levels")

TEST_F(EligibleSetTest, SpillsToTheSecondPriorityAsEnvoyDocuments) {
  EXPECT_EQ(loads({100, 100}), (Percents{100, 0}));
  EXPECT_EQ(loads({72, 100}), (Percents{100, 0}));
  EXPECT_EQ(loads({71, 100}), (Percents{99, 1}));
  EXPECT_EQ(loads({50, 100}), (Percents{70, 30}));
  EXPECT_EQ(loads({25, 100}), (Percents{35, 65}));
  EXPECT_EQ(loads({0, 100}), (Percents{0, 100}));
}

TEST_F(EligibleSetTest, SharesWhatThereIsAsEnvoyDocuments) {
  EXPECT_EQ(loads({72, 72}), (Percents{100, 0}));
  EXPECT_EQ(loads({71, 71}), (Percents{99, 1}));
  EXPECT_EQ(loads({50, 50}), (Percents{70, 30}));
  EXPECT_EQ(loads({25, 25}), (Percents{50, 50}));
}

TEST_F(EligibleSetTest, SpillsOverThreePrioritiesAsEnvoyDocuments) {
  EXPECT_EQ(loads({100, 100, 100}), (Percents{100, 0, 0}));
  EXPECT_EQ(loads({72, 72, 100}), (Percents{100, 0, 0}));
  EXPECT_EQ(loads({71, 71, 100}), (Percents{99, 1, 0}));
  EXPECT_EQ(loads({50, 50, 100}), (Percents{70, 30, 0}));
  EXPECT_EQ(loads({25, 100, 100}), (Percents{35, 65, 0}));
  EXPECT_EQ(loads({25, 25, 100}), (Percents{35, 35, 30}));
  // 35, 35 and 28 of 98: the documentation rounds to 36, 36, 28; the rule is to round down and
  // to give the rest to the first.
  EXPECT_EQ(loads({25, 25, 20}), (Percents{37, 35, 28}));
}

TEST_F(EligibleSetTest, PanicsOnlyWhenAllTogetherCarryLess) {
  const auto panics = [&](const Percents& well) {
    loads(well, 50);
    std::vector<std::size_t> eligible_of(well.size());
    for (const std::uint32_t id : eligible()) ++eligible_of[members[id].priority];
    return eligible_of;
  };
  using Counts = std::vector<std::size_t>;
  // The tables of "Panic threshold": a priority that panics uses all its hundred.
  EXPECT_EQ(panics({72, 72}), (Counts{72, 0}));
  EXPECT_EQ(panics({71, 71}), (Counts{71, 71}));
  EXPECT_EQ(panics({50, 60}), (Counts{50, 60}));
  EXPECT_EQ(panics({25, 100}), (Counts{25, 100})) << "few are well, but the others carry it";
  EXPECT_EQ(panics({0, 100}), (Counts{0, 100}));
  EXPECT_FALSE(set.panicking());
  EXPECT_EQ(panics({25, 25}), (Counts{100, 100}));
  EXPECT_TRUE(set.panicking());
  EXPECT_EQ(panics({5, 65}), (Counts{100, 65})) << "one panics, the other does not";
  EXPECT_EQ(loads({25, 25}, 50), (Percents{50, 50}));
  EXPECT_EQ(loads({5, 65}, 50), (Percents{8, 92})) << "7 and 91 of 98, the rest to the first";
}

TEST_F(EligibleSetTest, PutsEverybodyOnTheFirstPriorityWhenNobodyIsWell) {
  EXPECT_EQ(loads({0, 0}, 50), (Percents{100, 0}));
  EXPECT_EQ(eligible().size(), 100u);
  EXPECT_EQ(loads({0, 0}, 0), (Percents{0, 0})) << "and on nobody when it never panics";
  EXPECT_FALSE(set.any());
}

TEST_F(EligibleSetTest, PanicsBelowTheThresholdAndNotAtIt) {
  for (const auto& [threshold, panicking] :
       std::map<std::uint32_t, bool>{{50, false}, {51, true}}) {
    loads({50}, threshold);
    EXPECT_EQ(set.panicking(), panicking);
    EXPECT_EQ(set.size(), panicking ? 100u : 50u);
  }
}

// 1.4 times three in four is more than enough, whatever the threshold.
TEST_F(EligibleSetTest, DoesNotPanicWhileItCanCarryAll) {
  loads({75}, 100);
  EXPECT_FALSE(set.panicking());
  loads({71}, 100);
  EXPECT_TRUE(set.panicking());
}

TEST_F(EligibleSetTest, APanicIncludesTheUnhealthyAndNeverTheUnprobed) {
  add("wu?u?");
  rebuild(50);
  EXPECT_TRUE(set.panicking());
  EXPECT_EQ(eligible(), (Ids{0, 1, 3}));
  EXPECT_EQ(picks(4), (Ids{0, 1, 3, 0}));
}

TEST_F(EligibleSetTest, ThereIsNoPanicWhereNobodyWasProbed) {
  add("???");
  rebuild(50);
  EXPECT_FALSE(set.any());
  EXPECT_FALSE(set.panicking()) << "nothing is known yet, so nothing is ignored";
}

TEST_F(EligibleSetTest, APriorityThatWasNeverProbedDoesNotBlockThePanicOfTheNext) {
  add("??");
  add("uu", 1);
  rebuild(50);
  EXPECT_EQ(eligible(), (Ids{2, 3}));
}

// 28 and 42 of 70 share without a rest; of 29 and 42 of 71 a percent is lost to rounding, and it
// goes to the first that has somebody well, not to the first that panics.
TEST_F(EligibleSetTest, WhatRoundingLosesGoesToAPriorityThatHasSomebodyWell) {
  EXPECT_EQ(loads({0, 20, 30}, 10), (Percents{0, 40, 60}));
  EXPECT_EQ(loads({0, 21, 30}, 10), (Percents{0, 41, 59}));
}

TEST_F(EligibleSetTest, OneOfVeryManyIsStillWorthTrying) {
  add("w" + std::string(199, 'u'));
  rebuild();
  EXPECT_EQ(eligible(), (Ids{0})) << "though 1.4 times one of 200 is no whole percent";
  add("u", 1);
  rebuild();
  EXPECT_EQ(eligible(), (Ids{0}));
}

TEST_F(EligibleSetTest, APriorityThatIsOutOfUseIsForgotten) {
  add("w");
  add("ww", 1);
  rebuild();
  EXPECT_EQ(picks(2), (Ids{0, 0}));
  members.erase(members.begin());
  rebuild();
  EXPECT_EQ(picks(2), (Ids{1, 2}));
  members.clear();
  rebuild();
  EXPECT_FALSE(set.any());
  EXPECT_FALSE(set.any_open());
}

TEST_F(EligibleSetTest, PrioritiesNeedNotBeConsecutive) {
  add("w", 15);
  add("u", 3);
  rebuild();
  EXPECT_EQ(picks(2), (Ids{0, 0}));
  members[1].well = true;
  rebuild();
  EXPECT_EQ(picks(2), (Ids{1, 1}));
}

TEST_F(EligibleSetTest, AHashKeepsItsPriorityWhileTheSharesAreTheSame) {
  loads({50, 100});
  std::map<HashKey, std::uint32_t> before;
  for (const HashKey key : keys()) before[key] = pick(key);
  for (const HashKey key : keys()) EXPECT_EQ(pick(key), before[key]);
  rebuild();
  for (const HashKey key : keys()) EXPECT_EQ(pick(key), before[key]);
}

TEST_F(EligibleSetTest, AHashChangesItsPriorityOnlyAsMuchAsTheSharesChange) {
  const auto priorities = [&](std::uint32_t well) {
    loads({well, 100});
    Percents of_key;
    for (const HashKey key : keys()) of_key.push_back(members[pick(key)].priority);
    return of_key;
  };
  const Percents before = priorities(50);  // 70 to 30.
  const Percents after = priorities(40);   // 56 to 44.
  int moved = 0;
  for (std::size_t i = 0; i < before.size(); ++i) moved += before[i] != after[i] ? 1 : 0;
  EXPECT_EQ(moved, 14);
}

TEST_F(EligibleSetTest, WithoutAHashThePriorityIsDrawn) {
  add_level(50, 0);
  add_level(100, 1);
  rebuild();
  Prng same{1};  // Round robin draws nothing itself.
  for (int n = 0; n < 1000; ++n) {
    const std::uint32_t expected = same.below(100) < 70 ? 0 : 1;
    ASSERT_EQ(members[pick()].priority, expected);
  }
}

TEST_F(EligibleSetTest, OnePriorityDrawsNothing) {
  add("wwu");
  rebuild();
  picks(10);
  EXPECT_EQ(prng, Prng{1});
}

TEST_F(EligibleSetTest, APriorityWithoutRoomLeavesItsShareToTheOthers) {
  add("wu");     // 70 %
  add("ww", 1);  // 30 %
  rebuild();
  set.set_open(places[0], false);
  EXPECT_EQ(picks(4), (Ids{2, 3, 2, 3}));
  set.set_open(places[2], false);
  EXPECT_EQ(picks(2), (Ids{3, 3}));
  set.set_open(places[0], true);
  set.set_open(places[3], false);
  EXPECT_EQ(picks(2), (Ids{0, 0}));
  EXPECT_TRUE(set.any_open());
  set.set_open(places[0], false);
  EXPECT_FALSE(set.any_open());
  EXPECT_TRUE(set.any());
}

// -- Open, and tried before

TEST_F(EligibleSetTest, RebuildTakesInWhoIsOpen) {
  add("wwww");
  members[0].open = false;
  members[2].open = false;
  rebuild();
  EXPECT_EQ(picks(3), (Ids{1, 3, 1}));
  members[0].open = true;
  rebuild();
  EXPECT_EQ(picks(3), (Ids{3, 0, 1}));
  for (Member& member : members) member.open = false;
  rebuild();
  EXPECT_FALSE(set.any_open());
}

TEST_F(EligibleSetTest, GoesToNobodyItHasTriedWhileThereIsAnother) {
  add("www");
  rebuild();
  EXPECT_EQ(pick(0, {places[0], places[1]}), 2u);
  EXPECT_EQ(pick(0, {places[0], places[2]}), 1u);
  EXPECT_EQ(pick(0, {places[0], places[1], places[2]}), 2u) << "all tried: as if none was";
  EXPECT_EQ(pick(0, {Place{}, places[0], places[0]}), 1u) << "empty and repeated ones are no harm";
  EXPECT_EQ(picks(3), (Ids{2, 0, 1})) << "all are open again";
}

TEST_F(EligibleSetTest, DoesNotOpenWhatWasClosedBeforeItWasTried) {
  add("www");
  rebuild();
  set.set_open(places[1], false);
  EXPECT_EQ(pick(0, {places[0], places[1]}), 2u);
  EXPECT_EQ(picks(3), (Ids{0, 2, 0}));
  EXPECT_EQ(pick(0, {places[0], places[2]}), 2u) << "b1 has no room, so one is tried again";
}

TEST_F(EligibleSetTest, GoesToAnotherPriorityWhenItHasTriedTheFirst) {
  add("wuu");     // 46 %
  add("www", 1);  // 54 %
  rebuild();
  for (int n = 0; n < 20; ++n) EXPECT_GE(pick(0, {places[0]}), 3u);
}

TEST_F(EligibleSetTest, AStrategyThatInsistsIsMovedOnToTheNext) {
  set.use(IpHashConfig{});
  add("www");
  rebuild();
  const HashKey key = 1;
  ASSERT_EQ(pick(key), 0u);
  EXPECT_EQ(set.pick(key, {}, Instant{}, prng).reason, PickReason::hashed);
  set.set_open(places[0], false);
  const EligibleSet::Choice moved = set.pick(key, {}, Instant{}, prng);
  EXPECT_EQ(moved.slot, 101u);
  EXPECT_EQ(moved.reason, PickReason::moved_on);
}

TEST_F(EligibleSetTest, TellsTheStrategyOfLoad) {
  set.use(LeastConnectionsConfig{});
  add("www");
  members[0].in_flight = 2;
  members[1].in_flight = 1;
  members[2].in_flight = 3;
  rebuild();
  EXPECT_EQ(pick(), 1u);
  set.set_in_flight(places[2], 0, Instant{});
  EXPECT_EQ(pick(), 2u);
}

// -- Slow start

TEST_F(EligibleSetTest, WeightsGrowTogetherWhileSomebodyStartsSlowly) {
  set.use(WeightedRoundRobinConfig{});
  add("www");
  members[0].weight = 3;
  members[1].weight = 2;
  rebuild();
  EXPECT_EQ(set.effective_weight(places[0]), 3u);
  members[1].ramp_percent = 25;
  rebuild();
  EXPECT_EQ(set.effective_weight(places[0]), 300u);
  EXPECT_EQ(set.effective_weight(places[1]), 50u);
  EXPECT_EQ(set.effective_weight(places[2]), 100u);
  std::map<std::uint32_t, int> counts;
  for (const std::uint32_t id : picks(450)) ++counts[id];
  EXPECT_EQ(counts, (std::map<std::uint32_t, int>{{0, 300}, {1, 50}, {2, 100}})) << "one cycle";
  members[1].ramp_percent = 100;
  rebuild();
  EXPECT_EQ(set.effective_weight(places[1]), 2u);
}

TEST_F(EligibleSetTest, ARampInOnePriorityIsNoneInAnother) {
  set.use(WeightedRoundRobinConfig{});
  add("ww");
  add("ww", 1);
  members[0].ramp_percent = 50;
  members[1].well = members[2].well = members[3].well = false;
  rebuild(100);
  EXPECT_EQ(set.effective_weight(places[0]), 50u);
  EXPECT_EQ(set.effective_weight(places[1]), 100u);
  members[0].well = members[1].well = false;
  members[2].well = members[3].well = true;
  rebuild();
  EXPECT_EQ(set.effective_weight(places[2]), 1u);
}

// Without weights one pick of the starting backend in four stands; for the others the strategy is
// asked again. The same draws, drawn a second time, say which.
TEST_F(EligibleSetTest, PicksOfAStartingBackendAreThinnedOut) {
  add("ww");
  members[1].ramp_percent = 25;
  rebuild();
  EXPECT_EQ(set.effective_weight(places[1]), 1u) << "its weight means nothing";
  Prng same{1};
  int turn = 0;
  int stood = 0;
  for (int n = 0; n < 2000; ++n) {
    const bool starting = turn == 1;
    const bool stands = starting && same.below(100) < 25;
    ASSERT_EQ(pick(), stands ? 1u : 0u) << n;
    stood += stands ? 1 : 0;
    turn = starting && !stands ? 1 : 1 - turn;  // Asked again it took the other, so it is next.
  }
  // The other gets its own turn and three more for each of them: one pick in five.
  EXPECT_NEAR(stood, 400, 60);
}

// The whole point of a key: no request of it goes elsewhere than the one before, and as the ramp
// rises a key moves to the starting backend once, and never back.
TEST_F(EligibleSetTest, WhereAKeyDecidesAStartingBackendGetsItsShareOfTheKeys) {
  constexpr HashKey kKeys = 4000;
  const Prng untouched = prng;
  for (const StrategyConfig& config : std::vector<StrategyConfig>{
           RingHashConfig{}, MaglevConfig{}, RendezvousConfig{}, IpHashConfig{}}) {
    set.use(config);
    members.clear();
    add("wwww");
    const auto owners = [&](std::uint32_t percent) {
      members[2].ramp_percent = percent;
      rebuild();
      EXPECT_EQ(set.effective_weight(places[2]), 1u) << "so that nothing has to be rebuilt";
      Ids ids;
      for (HashKey key = 0; key < kKeys; ++key) ids.push_back(pick(mix(key)));
      return ids;
    };
    const Ids at_rest = owners(100);
    Ids before = owners(1);
    for (const std::uint32_t percent : {10u, 25u, 60u, 99u, 100u}) {
      const Ids now = owners(percent);
      double got = 0;
      double whole = 0;
      for (HashKey key = 0; key < kKeys; ++key) {
        ASSERT_TRUE(now[key] == before[key] || now[key] == 2) << strategy_name(config);
        ASSERT_TRUE(now[key] == at_rest[key] || at_rest[key] == 2) << strategy_name(config);
        got += now[key] == 2 ? 1 : 0;
        whole += at_rest[key] == 2 ? 1 : 0;
      }
      EXPECT_NEAR(got / whole, percent / 100.0, 0.06) << "four standard deviations";
      before = now;
    }
    EXPECT_EQ(before, at_rest);
  }
  EXPECT_EQ(prng, untouched);
}

// Tables and rings take milliseconds to build, and turns start anew.
TEST_F(EligibleSetTest, ALevelThatStaysAsItIsIsLeftAlone) {
  set.use(WeightedRoundRobinConfig{});
  add("ww");
  add("ww", 1);
  members[0].weight = 3;
  const auto three_picks_around = [&](auto change) {
    set.use(WeightedRoundRobinConfig{});
    rebuild();
    Ids ids = picks(1);
    change();
    rebuild();
    const Ids more = picks(2);
    ids.insert(ids.end(), more.begin(), more.end());
    return ids;
  };
  const Ids undisturbed = three_picks_around([] {});
  EXPECT_EQ(undisturbed, (Ids{0, 0, 1})) << "the cycle goes on";
  EXPECT_EQ(three_picks_around([&] { members[3].well = false; }), undisturbed) << "not its own";
  EXPECT_EQ(three_picks_around([&] { set.use(WeightedRoundRobinConfig{}); }), (Ids{0, 0, 0}));
  EXPECT_EQ(three_picks_around([&] { members[1].weight = 2; }), (Ids{0, 0, 1}));
}

TEST_F(EligibleSetTest, SomebodyIsPickedThoughAllOfThemStart) {
  add("www");
  for (Member& member : members) member.ramp_percent = 1;
  rebuild();
  std::map<std::uint32_t, int> counts;
  for (const std::uint32_t id : picks(300)) ++counts[id];
  EXPECT_EQ(counts.size(), 3u);
  EXPECT_EQ(picks(1).size(), 1u);
}

TEST_F(EligibleSetTest, ThinningStopsWithTheLastWhoIsOpen) {
  add("www");
  members[1].ramp_percent = 1;
  rebuild();
  set.set_open(places[0], false);
  set.set_open(places[2], false);
  EXPECT_EQ(picks(5), (Ids{1, 1, 1, 1, 1}));
  EXPECT_EQ(prng, Prng{1}) << "there was nothing to decide";
}

// The set a pick leaves behind is the one it found, whatever it closed in between.
TEST_F(EligibleSetTest, ThinningClosesNobodyForGood) {
  add("wwww");
  for (const std::size_t i : {1u, 2u}) members[i].ramp_percent = 1;
  rebuild();
  set.set_open(places[3], false);
  picks(500);
  set.set_open(places[0], false);
  EXPECT_TRUE(set.any_open());
  EXPECT_GE(pick(), 1u);
  set.set_open(places[1], false);
  EXPECT_EQ(pick(), 2u);
  set.set_open(places[2], false);
  EXPECT_FALSE(set.any_open());
}

// -- Copies

TEST_F(EligibleSetTest, ACopyGoesOnByItself) {
  add("wwu");
  add("ww", 1);
  members[1].ramp_percent = 30;
  rebuild();
  picks(3);
  EligibleSet copy = set.clone();
  const Prng before = prng;
  const Ids expected = picks(20);
  prng = before;
  std::swap(set, copy);
  EXPECT_EQ(picks(20), expected);
  set.set_open(places[0], false);
  std::swap(set, copy);
  prng = before;
  EXPECT_EQ(set.size(), 4u);
  for (int n = 0; n < 20; ++n) set.set_open(places[0], true);  // It was not closed here.
}

}  // namespace
}  // namespace lb
