// How long things take: the distributions a scenario may name, and draws from them that have the
// same bits on every compiler and machine.
#pragma once

#include <memory>
#include <variant>
#include <vector>

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
struct Uniform {
  Duration min{};
  Duration max{};
  bool operator==(const Uniform&) const = default;
};
// Bounded: the tail x^-alpha above `min`, cut off at `max`. REQUIRES: 0 < min < max, and alpha from
// above 0 to 16.
struct Pareto {
  Duration min{};
  Duration max{};
  double alpha = 1;
  bool operator==(const Pareto&) const = default;
};
// Of a whole shape k it is the Erlang distribution, the sum of k exponentials. REQUIRES: shape > 0.
struct Gamma {
  Duration mean{};
  double shape = 1;
  bool operator==(const Gamma&) const = default;
};
// One of two constants.
struct Bimodal {
  Duration fast{};
  Duration slow{};
  double slow_ratio = 0;  // This share of the draws is `slow`.
  bool operator==(const Bimodal&) const = default;
};
// What was measured: each of the values is as likely as the others.
class Empirical {
 public:
  Empirical() : Empirical(std::vector<Duration>{Duration{}}) {}
  explicit Empirical(std::vector<Duration> values);  // REQUIRES: not empty.

  [[nodiscard]] const std::vector<Duration>& sorted() const { return *sorted_; }
  bool operator==(const Empirical& other) const { return *sorted_ == *other.sorted_; }

 private:
  std::shared_ptr<const std::vector<Duration>> sorted_;  // Shared: copies of a scenario are cheap.
};

using Distribution =
    std::variant<Constant, Exponential, Lognormal, Uniform, Pareto, Gamma, Bimodal, Empirical>;

// One draw of the generator for each sample, none for a constant; a gamma takes two a round of
// its rejection (about 1.05 rounds), and one more where its shape is below 1. Never negative.
[[nodiscard]] Duration sample(const Distribution& distribution, Prng& prng);

// The expectation of a sample, in nanoseconds: exact but for rounding.
[[nodiscard]] double mean_ns(const Distribution& distribution);

// Quantile of the standard normal distribution; 0 < p < 1. Algorithm AS 241, PPND16 (Wichura,
// Applied Statistics 37, 1988), relative error about 1e-16.
[[nodiscard]] double normal_quantile(double p);

}  // namespace lb::scenario
