// Goal: clients take part as often as they weigh, for as long as a session lasts.
// Method: the alias table against every weight, by the area of its cells; counts over several
// seeds with a tolerance of five standard errors.
#include "lbsim/scenario/clients.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace lb::scenario {
namespace {

constexpr int kDraws = 200'000;

void expect_shares(const std::vector<double>& weights, auto&& draw) {
  double sum = 0;
  for (const double weight : weights) sum += weight;
  std::vector<int> counts(weights.size());
  for (int n = 0; n < kDraws; ++n) ++counts[draw()];
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double share = weights[i] / sum;
    EXPECT_NEAR(counts[i], kDraws * share, 5 * std::sqrt(kDraws * share * (1 - share)) + 1e-9) << i;
  }
}

TEST(AliasTable, DrawsInProportion) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    for (const std::vector<double>& weights :
         {std::vector<double>{1}, {1, 1, 1}, {0, 5}, {1, 2, 3, 4}, {1000, 1, 0.1, 0, 30}}) {
      const AliasTable table(weights);
      Prng prng{seed};
      expect_shares(weights, [&] { return table.draw(prng); });
    }
  }
}

TEST(ClientDraw, FollowsZipf) {
  for (const double exponent : {0.5, 1.0, 2.0}) {
    Clients clients{50};
    clients.zipf = exponent;
    std::vector<double> weights;
    for (int k = 1; k <= 50; ++k) weights.push_back(std::pow(k, -exponent));
    ClientDraw draw(clients);
    Prng prng{8};
    expect_shares(weights, [&] { return draw.draw(prng); });
  }
}

TEST(ClientDraw, IsOneDrawOfTheGeneratorWhenAllAreAlike) {
  ClientDraw draw(Clients{7});
  Prng prng{1};
  Prng same{1};
  for (int n = 0; n < 100; ++n) EXPECT_EQ(draw.draw(prng), same.below(7));
}

// A geometric number of requests of mean m has the variance m (m - 1).
TEST(ClientDraw, SessionsHaveTheirLength) {
  constexpr double kMean = 8;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Clients clients{5};
    clients.session = kMean;
    ClientDraw draw(clients);
    Prng prng{seed};
    std::map<std::uint32_t, int> requests;
    for (int n = 0; n < kDraws; ++n) ++requests[draw.draw(prng)];
    const auto sessions = static_cast<double>(requests.size());
    EXPECT_NEAR(kDraws / sessions, kMean, 5 * std::sqrt(kMean * (kMean - 1) / sessions)) << seed;
    // Those who come later have the places of those who left.
    std::uint32_t last = 0;
    for (const auto& [client, _] : requests) last = client;
    EXPECT_GT(last, 5000u);
  }
}

TEST(ClientDraw, ASessionOfOneRequestIsANewClientEachTime) {
  Clients clients{1};
  clients.session = 1;
  ClientDraw draw(clients);
  Prng prng{3};
  for (std::uint32_t n = 0; n < 100; ++n) EXPECT_EQ(draw.draw(prng), n);
}

}  // namespace
}  // namespace lb::scenario
