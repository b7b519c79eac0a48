// Goal: every strategy can be found by name and constructed, and behaves as a Strategy must.
// Method: the whole registry; a new strategy is covered by being listed there.
#include "lbcore/strategy/registry.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/testing/backends.h"

namespace lb {
namespace {

using testing::StrategyAtWork;
using testing::with_weights;

TEST(Registry, NamesTheStrategiesInTheOrderOfTheDocumentation) {
  std::vector<std::string_view> names;
  for (const StrategyConfig& config : all_strategies()) names.push_back(strategy_name(config));
  EXPECT_EQ(names,
            (std::vector<std::string_view>{"round_robin", "weighted_round_robin", "random",
                                           "least_request", "least_connections", "ip_hash"}));
}

TEST(Registry, ConstructsEveryStrategy) {
  for (const StrategyConfig& config : all_strategies()) {
    SCOPED_TRACE(strategy_name(config));
    ASSERT_NE(make_strategy(config), nullptr);
    for (std::size_t n : {2u, 3u, 17u}) {
      StrategyAtWork strategy{config, with_weights(std::vector<std::uint32_t>(n, 3))};
      for (HashKey key = 0; key < 100; ++key) ASSERT_LT(strategy.pick(mix(key)).index, n);
    }
  }
}

// Pinned: an unstated change of any pick shows here, in one line for each strategy.
TEST(Registry, PicksAreTheSameOnEveryMachine) {
  std::map<std::string_view, std::string> picks;
  for (const StrategyConfig& config : all_strategies()) {
    StrategyAtWork strategy{config, with_weights({3, 1, 2}), 42};
    std::string& letters = picks[strategy_name(config)];
    for (HashKey key = 0; key < 12; ++key) {
      letters += static_cast<char>('A' + strategy.pick(mix(key)).index);
    }
  }
  EXPECT_EQ(picks["round_robin"], "ABCABCABCABC");
  EXPECT_EQ(picks["weighted_round_robin"], "ACABCAACABCA");
  EXPECT_EQ(picks["random"], "CACCCBABACBC");
  EXPECT_EQ(picks["least_request"], "CCAABCAAABAB");
  EXPECT_EQ(picks["least_connections"], "ABCABCABCABC");
  EXPECT_EQ(picks["ip_hash"], "AACAAACCCBCC");
}

TEST(Registry, StrategiesGiveTheirReason) {
  const std::map<std::string_view, PickReason> reasons{
      {"round_robin", PickReason::in_turn},
      {"weighted_round_robin", PickReason::in_turn},
      {"random", PickReason::drawn},
      {"least_request", PickReason::least_loaded},
      {"least_connections", PickReason::least_loaded},
      {"ip_hash", PickReason::hashed}};
  for (const StrategyConfig& config : all_strategies()) {
    StrategyAtWork strategy{config, with_weights({1, 1})};
    EXPECT_EQ(strategy.pick().reason, reasons.at(strategy_name(config))) << strategy_name(config);
  }
}

}  // namespace
}  // namespace lb
