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
            (std::vector<std::string_view>{
                "round_robin", "weighted_round_robin", "random", "least_request",
                "least_connections", "least_ewma_latency", "least_dynamic_score", "peak_ewma",
                "prequal", "ip_hash", "ring_hash", "maglev", "rendezvous", "first"}));
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
  EXPECT_EQ(picks["random"], "CACCCAAAACAC");
  EXPECT_EQ(picks["least_request"], "CCAACBAAAACC");
  EXPECT_EQ(picks["least_connections"], "ABCABCABCABC");
  EXPECT_EQ(picks["least_ewma_latency"], "ABCABCABCABC");
  EXPECT_EQ(picks["least_dynamic_score"], "ABCABCABCABC");
  EXPECT_EQ(picks["peak_ewma"], "CCAACBAAAACC");
  EXPECT_EQ(picks["prequal"], "CCACAACBCCCA");
  EXPECT_EQ(picks["ip_hash"], "ABCACCCACAAA");
  EXPECT_EQ(picks["ring_hash"], "CBCABBAAABCA");
  EXPECT_EQ(picks["maglev"], "ACACACAAABCA");
  EXPECT_EQ(picks["rendezvous"], "CCACABCBCACA");
  EXPECT_EQ(picks["first"], "AAAAAAAAAAAA");
}

TEST(Registry, StrategiesGiveTheirReason) {
  const std::map<std::string_view, PickReason> reasons{
      {"round_robin", PickReason::in_turn},
      {"weighted_round_robin", PickReason::in_turn},
      {"random", PickReason::drawn},
      {"least_request", PickReason::least_loaded},
      {"least_connections", PickReason::least_loaded},
      {"least_ewma_latency", PickReason::unexplored},
      {"least_dynamic_score", PickReason::unexplored},
      {"peak_ewma", PickReason::unexplored},
      {"prequal", PickReason::drawn},
      {"ip_hash", PickReason::hashed},
      {"ring_hash", PickReason::hashed},
      {"maglev", PickReason::hashed},
      {"rendezvous", PickReason::hashed},
      {"first", PickReason::first_open}};
  for (const StrategyConfig& config : all_strategies()) {
    StrategyAtWork strategy{config, with_weights({1, 1})};
    const PickReason reason = strategy.pick().reason;
    EXPECT_EQ(reason, reasons.at(strategy_name(config))) << strategy_name(config);
    EXPECT_EQ(strategy.strategy().uses_key(), reason == PickReason::hashed);
  }
}

// A strategy with what is around it, to be copied as a whole.
struct AtWork {
  std::unique_ptr<Strategy> strategy;
  std::vector<BackendView> views;
  Prng prng{1};
  std::uint64_t started = 0;

  [[nodiscard]] AtWork clone() const { return {strategy->clone(), views, prng, started}; }

  std::string picks(int count) {
    OpenSet open;
    open.reset(views.size());
    std::string letters;
    for (int n = 0; n < count; ++n) {
      const PickContext context{views, open, started, mix(started), Instant{}, prng};
      const std::size_t index = strategy->pick(context).index;
      ++views[index].in_flight, ++started;
      strategy->load_changed(views, index, Instant{});
      while (strategy->poll_load_probe()) EXPECT_TRUE(strategy->asks_load());
      letters += static_cast<char>('A' + index);
    }
    return letters;
  }
};

TEST(Registry, ACloneGoesOnLikeTheOriginalAndLeavesNoTraceInIt) {
  for (const StrategyConfig& config : all_strategies()) {
    for (const std::vector<std::uint32_t>& weights :
         {std::vector<std::uint32_t>{1, 1, 1, 1, 1}, {3, 1, 2, 7, 5}}) {
      SCOPED_TRACE(strategy_name(config));
      AtWork original{make_strategy(config), with_weights(weights)};
      original.strategy->rebuild(original.views, Instant{});
      original.picks(17);
      AtWork copy = original.clone();
      const std::string expected = copy.picks(40);
      copy.strategy->rebuild(copy.views, Instant{});
      copy.picks(5);
      EXPECT_EQ(original.picks(40), expected);
    }
  }
}

TEST(Registry, KnowsWhatTheKeyIsMadeFrom) {
  const KeyExpression client_ip;
  const KeyExpression user{KeyExpression::Source::header, "x-user"};
  for (const StrategyConfig& config : all_strategies()) {
    EXPECT_TRUE(key_expression(config) == client_ip) << strategy_name(config);
  }
  EXPECT_TRUE(key_expression(RingHashConfig{.key = user}) == user);
  EXPECT_TRUE(key_expression(MaglevConfig{.key = user}) == user);
  EXPECT_TRUE(key_expression(RendezvousConfig{.key = user}) == user);
}

}  // namespace
}  // namespace lb
