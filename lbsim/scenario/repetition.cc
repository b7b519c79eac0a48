#include "lbsim/scenario/repetition.h"

#include <algorithm>

#include "lbsim/scenario/distribution.h"

namespace lb::scenario {

std::vector<Duration> occurrences(const Repetition& repetition, Duration at, Duration end,
                                  Prng prng) {
  if (!repetition.every && !repetition.mean_every) return {at};
  end = std::min(end, repetition.until.value_or(end));
  std::size_t left = repetition.count.value_or(kOccurrencesMax + 1);
  left = std::min(left, kOccurrencesMax + 1);
  std::vector<Duration> times;
  for (Duration base = at; base < end && left > 0; --left) {
    Duration time = base;
    if (repetition.jitter > Duration{}) {
      time += sample(Uniform{Duration{}, repetition.jitter}, prng);
    }
    if (time < end) times.push_back(time);
    base +=
        repetition.every ? *repetition.every : sample(Exponential{*repetition.mean_every}, prng);
  }
  return times;
}

}  // namespace lb::scenario
