// Goal: chance has the same bits everywhere, is uniform, and stays inside its bounds.
// Method: first outputs from an independent implementation (Python integers), chi-square over
// every small bound with a stated seed, and the exact ends of the unit interval.
#include "lbcore/prng.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <vector>

namespace lb {
namespace {

TEST(Prng, GivesTheKnownFirstOutputsOfXoshiro256PlusPlus) {
  const std::map<std::uint64_t, std::array<std::uint64_t, 4>> known{
      {0, {0x53175d61490b23df, 0x61da6f3dc380d507, 0x5c0fdf91ec9a7bfc, 0x2eebf8c3bbe5e1a}},
      {1, {0xcfc5d07f6f03c29b, 0xbf424132963fe08d, 0x19a37d5757aaf520, 0xbf08119f05cd56d6}},
      {42, {0xd0764d4f4476689f, 0x519e4174576f3791, 0xfbe07cfb0c24ed8c, 0xb37d9f600cd835b8}},
      {~0ULL, {0x56ccf8ce948e27b2, 0xe68588432e5a5b90, 0xe3e9b5a48119ca8b, 0x460f19495532ae73}}};
  for (const auto& [seed, outputs] : known) {
    Prng prng{seed};
    for (const std::uint64_t output : outputs) EXPECT_EQ(prng.next(), output) << "seed " << seed;
  }
}

TEST(Prng, BelowGivesTheKnownDraws) {
  Prng prng{42};
  for (const std::uint64_t draw : {8u, 3u, 9u, 7u, 7u, 5u, 1u, 6u, 2u, 9u, 5u, 8u}) {
    EXPECT_EQ(prng.below(10), draw);
  }
}

// With this bound nearly every second number has to be thrown away.
TEST(Prng, BelowRejectsWhatWouldBias) {
  Prng prng{42};
  const std::uint64_t bound = (std::uint64_t{1} << 63U) + 1;
  EXPECT_EQ(prng.below(bound), 2940605065665682376u);
  EXPECT_EQ(prng.below(bound), 9074821957992740550u);
  EXPECT_EQ(prng.below(bound), 6466834469879552732u);
}

TEST(Prng, BelowOneIsZero) {
  Prng prng{7};
  for (int n = 0; n < 100; ++n) EXPECT_EQ(prng.below(1), 0u);
}

TEST(PrngDeathTest, BelowZeroIsABug) {
  Prng prng{7};
  EXPECT_DEATH(static_cast<void>(prng.below(0)), "bound > 0");
}

// Seed 2026. For k - 1 degrees of freedom chi-square exceeds k + 5 sqrt(2k) + 10 less than once in
// a million; a bias of 2 % in one value would give far more.
TEST(Prng, BelowIsUniformForEverySmallBound) {
  Prng prng{2026};
  for (std::uint64_t bound = 2; bound <= 64; ++bound) {
    const std::uint64_t expected = 2000;
    std::vector<std::uint64_t> seen(bound);
    for (std::uint64_t n = 0; n < expected * bound; ++n) ++seen.at(prng.below(bound));
    double chi_square = 0;
    for (const std::uint64_t count : seen) {
      const double off = static_cast<double>(count) - static_cast<double>(expected);
      chi_square += off * off / static_cast<double>(expected);
    }
    const auto k = static_cast<double>(bound);
    EXPECT_LT(chi_square, k + 5 * std::sqrt(2 * k) + 10) << "bound " << bound;
  }
}

// The last of 2^53 steps used to be rounded up to 1, of which the quantile is infinite.
TEST(Prng, UnitStaysInsideTheOpenInterval) {
  EXPECT_GT(Prng::unit_of(0), 0.0);
  EXPECT_LT(Prng::unit_of(~0ULL), 1.0);
  EXPECT_EQ(Prng::unit_of(0), 0x1.0p-53);
  EXPECT_EQ(Prng::unit_of(~0ULL), 1.0 - 0x1.0p-53);
}

TEST(Prng, UnitIsSymmetricAndRises) {
  double last = 0;
  for (std::uint64_t n = 0; n < 4096; ++n) {
    const std::uint64_t bits = n << 52U;
    EXPECT_GT(Prng::unit_of(bits), last);
    EXPECT_EQ(Prng::unit_of(bits) + Prng::unit_of(~bits), 1.0);
    last = Prng::unit_of(bits);
  }
}

TEST(Prng, UnitIsOneDraw) {
  Prng one{9};
  Prng other{9};
  const double unit = one.unit();
  EXPECT_EQ(unit, Prng::unit_of(other.next()));
  EXPECT_EQ(one.next(), other.next());
}

}  // namespace
}  // namespace lb
