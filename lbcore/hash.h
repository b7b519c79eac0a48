// One 64-bit hash for keys, sub-seeds and digests: the same bits on every compiler and machine.
// Not for secrets and not against an attacker who chooses keys.
#pragma once

#include <cstdint>
#include <string_view>

namespace lb {

using HashKey = std::uint64_t;

// The finaliser of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
// generators", OOPSLA 2014): every input bit reaches every output bit.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 30U;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27U;
  x *= 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

[[nodiscard]] constexpr std::uint64_t combine(std::uint64_t seed, std::uint64_t value) {
  return mix(seed + 0x9e3779b97f4a7c15ULL + mix(value));
}

// FNV-1a over the bytes, then mixed, because FNV alone leaves the high bits of short keys weak.
[[nodiscard]] constexpr HashKey hash_bytes(std::string_view bytes) {
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (const char c : bytes) {
    h ^= static_cast<unsigned char>(c);
    h *= 0x100000001b3ULL;
  }
  return mix(h);
}

}  // namespace lb
