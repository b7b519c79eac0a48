#include "tests/validation/law.h"

#include <algorithm>
#include <cmath>

#include "lbcore/assert.h"
#include "tests/validation/theory.h"

namespace lb::validation {
namespace {

template <class Row>
void append(std::vector<Row>& rows, const std::vector<Row>& more) {
  rows.insert(rows.end(), more.begin(), more.end());
}

}  // namespace

Measure measure(const Setup& setup, Reading reading) {
  return [=](std::uint64_t seed) { return reading(observe(setup, seed)); };
}

Measure ratio(const Measure& above, const Measure& below) {
  return [=](std::uint64_t seed) { return above(seed) / below(seed); };
}

Interval simulated(const Measure& measure) {
  std::vector<double> values;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) values.push_back(measure(seed));
  return interval_of(values);
}

bool holds(const Law& law, const Interval& found) {
  const double off = std::abs(found.mean - law.theory);
  return off <= found.half_width + law.bias * law.theory &&
         found.half_width <= law.precision * law.theory;
}

bool holds(const Claim& claim, const Interval& found) {
  return found.mean - found.half_width >= claim.least;
}

bool found_out(const Mistake& mistake, const Law& law, const Interval& found) {
  Law wrong = law;
  wrong.theory = mistake.value;
  return !holds(wrong, found);
}

Law law_of(const std::vector<Law>& laws, const Mistake& mistake) {
  const auto law = std::find_if(laws.begin(), laws.end(), [&](const Law& candidate) {
    return candidate.system == mistake.system && candidate.figure == mistake.figure;
  });
  LB_ASSERT(law != laws.end());
  return *law;
}

Setup planned(Setup setup, double rho, double c2, double precision, double rate) {
  // Twenty runs know their own spread only within 16 % (one standard error), so the half-width is
  // planned at two thirds of its bound, three standard errors below.
  const double standard_error = precision / 1.5 / student_factor(kSeeds);
  const double requests = relative_variance(rho, c2) / (standard_error * standard_error);
  setup.arrivals = poisson(rate);
  setup.seconds = std::ceil(requests / kSeeds / rate);
  setup.warmup_seconds = std::ceil(10 * relaxation_time(rho) * kServiceMs / 1000);
  return setup;
}

std::vector<Law> all_laws() {
  std::vector<Law> laws = one_queue_laws();
  append(laws, general_laws());
  append(laws, many_queues_laws());
  append(laws, order_laws());
  append(laws, loop_laws());
  append(laws, policy_laws());
  append(laws, hashing_laws());
  return laws;
}

std::vector<Claim> all_claims() {
  std::vector<Claim> claims = order_claims();
  append(claims, stability_claims());
  append(claims, hashing_claims());
  return claims;
}

}  // namespace lb::validation
