#include "lbcore/prng.h"

#include "lbcore/hash.h"

namespace lb {

Prng::Prng(std::uint64_t seed) : state_{} {
  for (std::uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15ULL;
    word = mix(seed);
  }
}

}  // namespace lb
