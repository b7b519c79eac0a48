// Goal: of several reasons the one that comes first in the stated order is given, always.
// Method: all combinations of facts, next to the order written out a second time on purpose.
#include "lbcore/exclusion.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace lb {
namespace {

// Every reason that applies.
std::vector<Exclusion> reasons(const BackendFacts& facts) {
  std::vector<Exclusion> all;
  if (facts.ejected) all.push_back(Exclusion::ejected);
  if (facts.probed && facts.health == HealthState::unknown) all.push_back(Exclusion::unknown);
  if (facts.probed && facts.health == HealthState::unhealthy) all.push_back(Exclusion::unhealthy);
  if (facts.state == AdminState::draining) all.push_back(Exclusion::draining);
  if (facts.state == AdminState::disabled) all.push_back(Exclusion::disabled);
  if (facts.removed) all.push_back(Exclusion::removed);
  return all;
}

TEST(Exclusion, TheFirstReasonInTheOrderIsGiven) {
  const std::vector<Exclusion> order = {Exclusion::removed,   Exclusion::disabled,
                                        Exclusion::draining,  Exclusion::unknown,
                                        Exclusion::unhealthy, Exclusion::ejected};
  for (const AdminState state : {AdminState::enabled, AdminState::draining, AdminState::disabled}) {
    for (const HealthState health :
         {HealthState::unknown, HealthState::healthy, HealthState::unhealthy}) {
      for (unsigned bits = 0; bits < 8; ++bits) {
        const BackendFacts facts{.removed = (bits & 1U) != 0,
                                 .state = state,
                                 .probed = (bits & 2U) != 0,
                                 .health = health,
                                 .ejected = (bits & 4U) != 0};
        const std::vector<Exclusion> all = reasons(facts);
        Exclusion expected = Exclusion::none;
        for (const Exclusion each : order) {
          const bool applies = std::find(all.begin(), all.end(), each) != all.end();
          if (expected == Exclusion::none && applies) expected = each;
        }
        EXPECT_EQ(exclusion_of(facts), expected)
            << to_string(state) << ' ' << to_string(health) << ' ' << bits;
      }
    }
  }
}

TEST(Exclusion, WithoutAHealthCheckHealthSaysNothing) {
  EXPECT_EQ(exclusion_of({.probed = false, .health = HealthState::unhealthy}), Exclusion::none);
  EXPECT_EQ(exclusion_of({.probed = false, .ejected = true}), Exclusion::ejected);
}

TEST(Exclusion, EveryOneHasANameOfItsOwn) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < kExclusionCount; ++i) {
    names.insert(std::string{to_string(static_cast<Exclusion>(i))});
  }
  EXPECT_EQ(names.size(), kExclusionCount);
  EXPECT_EQ(names.count("?"), 0u);
  EXPECT_EQ(to_string(Exclusion::lower_priority), "lower_priority");
}

}  // namespace
}  // namespace lb
