// Law and Claim: the rows of docs/validation.md. Each is a test; the page and the tests come from
// the same runs.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/validation/setup.h"
#include "tests/validation/statistics.h"

namespace lb::validation {

// One number out of one run with a seed of its own.
using Measure = std::function<double(std::uint64_t seed)>;
using Reading = std::function<double(const Observed&)>;

[[nodiscard]] Measure measure(const Setup& setup, Reading reading);

// Runs of every row. Twenty shorter runs say more than ten twice as long: Student's factor falls
// from 4.8 to 3.9, and each pays a warm-up of little length.
inline constexpr int kSeeds = 20;
[[nodiscard]] Interval simulated(const Measure& measure);

// Theory gives a number, and the simulation has to agree with it: the interval around the simulated
// mean, widened by what the method itself may get wrong, contains the theory's value; and the
// interval is narrow, so that a test cannot pass by being vague.
struct Law {
  std::string section;
  std::string system;
  std::string figure;
  std::string formula;
  double theory = 0;
  // Greatest half-width, as a share of `theory`; 0 when every run has to give exactly `theory`.
  double precision = 0;
  double bias = 0;  // Share of `theory`: histogram, finite warm-up, finite size.
  Measure measure;
};
[[nodiscard]] bool holds(const Law& law, const Interval& found);

// Theory gives an order, not a number: the figure is at least `least`, with its whole interval.
struct Claim {
  std::string section;
  std::string words;
  std::string source;
  std::string figure;
  double least = 0;
  Measure measure;
};
[[nodiscard]] bool holds(const Claim& claim, const Interval& found);

// Of two figures, seed by seed: runs with the same seed have the same arrivals.
[[nodiscard]] Measure ratio(const Measure& above, const Measure& below);

// A p99 spreads more than a mean, by about a half: so much wider may its interval be.
inline constexpr double kQuantileSpread = 1.5;

// Quantiles come from a histogram that is right within 0.1 %.
inline constexpr double kHistogramBias = 0.001;
// What a warm-up of ten relaxation times leaves of an empty start, at most.
inline constexpr double kWarmupBias = 0.0005;

// Sets how long a setup runs. `rho` is how busy each server is, `c2` the mean of the squared
// coefficients of variation of gaps and services, `precision` the greatest half-width that the mean
// may have, `rate` of all requests per second. The warm-up is ten relaxation times.
[[nodiscard]] Setup planned(Setup setup, double rho, double c2, double precision, double rate);

// What the value would be if the simulator made a certain mistake. The row, with the very same
// runs, must not hold for it: so it would be found.
struct Mistake {
  std::string system;  // Of a law, as its figure.
  std::string figure;
  std::string words;
  double value = 0;
};
[[nodiscard]] bool found_out(const Mistake& mistake, const Law& law, const Interval& found);

[[nodiscard]] std::vector<Law> all_laws();
[[nodiscard]] std::vector<Claim> all_claims();
[[nodiscard]] std::vector<Mistake> all_mistakes();
// REQUIRES: there is one.
[[nodiscard]] Law law_of(const std::vector<Law>& laws, const Mistake& mistake);

// The parts of all_laws() and all_claims(), in the order of the page.
[[nodiscard]] std::vector<Law> one_queue_laws();
[[nodiscard]] std::vector<Law> general_laws();
[[nodiscard]] std::vector<Law> many_queues_laws();
[[nodiscard]] std::vector<Law> loop_laws();
[[nodiscard]] std::vector<Law> policy_laws();
[[nodiscard]] std::vector<Law> hashing_laws();
[[nodiscard]] std::vector<Law> order_laws();
[[nodiscard]] std::vector<Claim> order_claims();
[[nodiscard]] std::vector<Claim> hashing_claims();
[[nodiscard]] std::vector<Claim> stability_claims();

}  // namespace lb::validation
