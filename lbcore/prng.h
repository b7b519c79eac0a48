// Prng: the only source of chance in the project. Seeded, integer draws, same bits everywhere.
//
// The generator is xoshiro256++ (Blackman, Vigna: "Scrambled linear pseudorandom number
// generators", TOMS 2021), its state filled by SplitMix64 as its authors advise.
#pragma once

#include <array>
#include <cstdint>

namespace lb {

class Prng {
 public:
  explicit Prng(std::uint64_t seed);

  // 64 uniform bits. About 1 ns.
  std::uint64_t next();

  // Uniform in [0, bound), without bias (Lemire: "Fast random integer generation in an interval",
  // TOMACS 2019). REQUIRES: bound > 0.
  std::uint64_t below(std::uint64_t bound);

  // Uniform in the open interval (0, 1), with 52 bits: never 0, so a logarithm of it is finite.
  double unit() { return unit_of(next()); }

  // The point of (0, 1) that 64 bits name. 52 of them, because the middle of one of 2^53 steps is
  // not a double above 1/2: the last one would be rounded up to 1.
  [[nodiscard]] static constexpr double unit_of(std::uint64_t bits) {
    return (static_cast<double>(bits >> 12U) + 0.5) * 0x1.0p-52;
  }

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace lb
