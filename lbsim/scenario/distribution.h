// How long things take: the distributions a scenario may name, and draws from them that have the
// same bits on every compiler and machine.
#pragma once

#include <variant>

#include "lbcore/prng.h"
#include "lbcore/time.h"

namespace lb::scenario {

struct Constant {
  Duration value{};
  bool operator==(const Constant&) const = default;
};
struct Exponential {
  Duration mean{};
  bool operator==(const Exponential&) const = default;
};
// Given by its own mean and the sigma of its logarithm: mean = exp(mu + sigma^2 / 2).
struct Lognormal {
  Duration mean{};
  double sigma = 0;
  bool operator==(const Lognormal&) const = default;
};

using Distribution = std::variant<Constant, Exponential, Lognormal>;

// One draw of the generator for each sample, none for a constant. Never negative.
[[nodiscard]] Duration sample(const Distribution& distribution, Prng& prng);

// Quantile of the standard normal distribution; 0 < p < 1. Algorithm AS 241, PPND16 (Wichura,
// Applied Statistics 37, 1988), relative error about 1e-16.
[[nodiscard]] double normal_quantile(double p);

}  // namespace lb::scenario
