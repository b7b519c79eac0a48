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

  // Uniform in the open interval (0, 1), with 53 bits: never 0, so a logarithm of it is finite.
  double unit();

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace lb
