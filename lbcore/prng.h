// Prng: the only source of chance in the project. Seeded, integer draws, same bits everywhere.
//
// The generator is xoshiro256++ (Blackman, Vigna: "Scrambled linear pseudorandom number
// generators", TOMS 2021), its state filled by SplitMix64 as its authors advise.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "lbcore/assert.h"

namespace lb {

class Prng {
 public:
  explicit Prng(std::uint64_t seed);

  // 64 uniform bits. About 1 ns: in the header, because a call would cost as much again.
  std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t t = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // Uniform in [0, bound), without bias (Lemire: "Fast random integer generation in an interval",
  // TOMACS 2019). REQUIRES: bound > 0.
  std::uint64_t below(std::uint64_t bound) {
    LB_ASSERT(bound > 0);
    Wide product = static_cast<Wide>(next()) * bound;
    if (static_cast<std::uint64_t>(product) < bound) {
      const std::uint64_t threshold = (0 - bound) % bound;
      while (static_cast<std::uint64_t>(product) < threshold) {
        product = static_cast<Wide>(next()) * bound;
      }
    }
    return static_cast<std::uint64_t>(product >> 64U);
  }

  // Uniform in the open interval (0, 1), with 52 bits: never 0, so a logarithm of it is finite.
  double unit() { return unit_of(next()); }

  // The point of (0, 1) that 64 bits name. 52 of them, because the middle of one of 2^53 steps is
  // not a double above 1/2: the last one would be rounded up to 1.
  [[nodiscard]] static constexpr double unit_of(std::uint64_t bits) {
    return (static_cast<double>(bits >> 12U) + 0.5) * 0x1.0p-52;
  }

  bool operator==(const Prng&) const = default;  // They will draw the same.

 private:
  __extension__ using Wide = unsigned __int128;

  std::array<std::uint64_t, 4> state_;
};

}  // namespace lb
