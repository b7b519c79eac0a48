// Repetition: events that come more than once, and when. Both worlds play the events it makes, so
// neither knows of it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lbcore/prng.h"
#include "lbcore/time.h"

namespace lb::scenario {

struct Repetition {
  std::optional<Duration> every;       // At equal distances,
  Duration jitter{};                   // each later by anything up to this;
  std::optional<Duration> mean_every;  // or at random, without a memory.
  std::optional<Duration> until;       // Not at this time or later; the end of the run otherwise.
  std::optional<std::uint32_t> count;  // In all.
};

// More would be a mistake in the file, and not a story.
inline constexpr std::size_t kOccurrencesMax = 100'000;

// The times of what happens at `at` for the first time, before `end`, in order for all but a jitter
// above `every`; kOccurrencesMax + 1 of them when there are more. One draw of the generator for
// each that is at random.
[[nodiscard]] std::vector<Duration> occurrences(const Repetition& repetition, Duration at,
                                                Duration end, Prng prng);

}  // namespace lb::scenario
