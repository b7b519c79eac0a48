#include "lbsim/experiment/statistics.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

#include "lbcore/assert.h"

namespace lb::experiment {
namespace {

struct Moments {
  double mean = 0;
  double standard_error = 0;  // Of the mean; 0 for a single value.
};

Moments moments_of(std::span<const double> values) {
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  if (values.size() < 2) return {mean, 0};
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / (count - 1) / count)};
}

// Two-sided p of the paired t test. Differences that are all the same leave nothing to chance.
double p_of(const Moments& moments, double degrees) {
  if (moments.standard_error == 0) return moments.mean == 0 ? 1 : 0;
  const double t = std::abs(moments.mean) / moments.standard_error;
  return 2 * boost::math::cdf(boost::math::complement(boost::math::students_t(degrees), t));
}

double half_width(const Moments& moments, double degrees, double level) {
  return t_quantile(1 - level / 2, degrees) * moments.standard_error;
}

}  // namespace

double t_quantile(double probability, double degrees_of_freedom) {
  return boost::math::quantile(boost::math::students_t(degrees_of_freedom), probability);
}

Estimate estimate(std::span<const double> values) {
  LB_ASSERT(!values.empty());
  const Moments moments = moments_of(values);
  if (values.size() < 2) return {moments.mean, std::nullopt};
  return {moments.mean,
          half_width(moments, static_cast<double>(values.size() - 1), 1 - kConfidence)};
}

std::vector<Difference> paired_differences(std::span<const double> first,
                                           std::span<const std::vector<double>> others) {
  std::vector<Moments> moments;
  for (const std::vector<double>& other : others) {
    LB_ASSERT(!first.empty() && other.size() == first.size());
    std::vector<double> differences;
    for (std::size_t i = 0; i < first.size(); ++i) differences.push_back(other[i] - first[i]);
    moments.push_back(moments_of(differences));
  }
  std::vector<Difference> out;
  for (const Moments& each : moments) out.push_back({.mean = each.mean});
  if (first.size() < 2) return out;
  const auto degrees = static_cast<double>(first.size() - 1);
  std::vector<double> p;
  for (const Moments& each : moments) p.push_back(p_of(each, degrees));
  const std::vector<Holm> corrected = holm(p);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].half_width = half_width(moments[i], degrees, corrected[i].level);
    out[i].p = p[i];
    out[i].p_holm = corrected[i].p;
    out[i].significant = corrected[i].p <= 1 - kConfidence;
  }
  return out;
}

std::vector<Holm> holm(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  // The smallest p is tested at alpha/m, the next at alpha/(m - 1) and so on, until one fails; it
  // and all after it have failed at its level.
  constexpr double kAlpha = 1 - kConfidence;
  std::vector<Holm> out(p.size());
  double largest = 0;
  double level = kAlpha;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const auto left = static_cast<double>(order.size() - rank);
    if (largest <= kAlpha) level = kAlpha / left;
    largest = std::max(largest, std::min(1.0, left * p[order[rank]]));
    out[order[rank]] = {largest, level};
  }
  return out;
}

}  // namespace lb::experiment
