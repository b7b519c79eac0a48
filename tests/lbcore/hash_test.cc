// Goal: the hash has the same bits on every compiler and machine, and all of them count.
// Method: figures from an independent implementation (Python integers), then every input bit.
#include "lbcore/hash.h"

#include <gtest/gtest.h>

#include <bit>
#include <set>

namespace lb {
namespace {

TEST(Hash, MixIsTheFinaliserOfSplitMix64) {
  EXPECT_EQ(mix(0), 0u);
  EXPECT_EQ(mix(1), 0x5692161d100b05e5u);
  EXPECT_EQ(mix(0x9e3779b97f4a7c15u), 0xe220a8397b1dcdafu);  // SplitMix64's first from seed 0.
}

TEST(Hash, OfBytesIsMixedFnv1a) {
  EXPECT_EQ(hash_bytes(""), 0xf52a15e9a9b5e89bu);
  EXPECT_EQ(hash_bytes("a"), 0x2c0bdbf481420f8u);
  EXPECT_EQ(hash_bytes("127.0.0.1"), 0x360fa4ade68d5adau);
  EXPECT_EQ(hash_bytes("\xff\x80"), 0xce476189e98c0818u) << "bytes above 127 are not negative";
}

TEST(Hash, CombineDependsOnTheOrder) {
  EXPECT_EQ(combine(0, 0), 0xe220a8397b1dcdafu);
  EXPECT_EQ(combine(1, 2), 0x7018eb47a52c2595u);
  EXPECT_EQ(combine(2, 1), 0xd04ba4a2b36a25f3u);
}

TEST(Hash, EveryInputBitChangesManyOutputBits) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    const int changed = std::popcount(mix(12345) ^ mix(12345 ^ (std::uint64_t{1} << bit)));
    EXPECT_GE(changed, 16) << "bit " << bit;
  }
}

TEST(Hash, IsKnownAtCompileTime) {
  static_assert(hash_bytes("a") == 0x2c0bdbf481420f8ULL);
  static_assert(combine(1, 2) != combine(2, 1));
}

// Two clients that differ in one digit must not land on neighbouring positions.
TEST(Hash, NeighbouringAddressesSpreadOverTheHighBits) {
  std::set<std::uint64_t> tops;
  for (int host = 0; host < 64; ++host) {
    tops.insert(hash_bytes("10.0.0." + std::to_string(host)) >> 56U);
  }
  EXPECT_GE(tops.size(), 48u) << "64 balls in 256 bins fill 57 on average";
}

}  // namespace
}  // namespace lb
