#include "lbsim/scenario/distribution.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "lbcore/assert.h"
#include "lbcore/exact_math.h"

namespace lb::scenario {
namespace {

double horner(double x, const double* coefficients, int count) {
  double sum = coefficients[count - 1];
  for (int i = count - 2; i >= 0; --i) sum = sum * x + coefficients[i];
  return sum;
}

// The far tail of a wide distribution is longer than 64 bits hold: it stays at 285 years.
Duration from_double(double nanoseconds) {
  return Duration{static_cast<std::int64_t>(std::min(nanoseconds + 0.5, 9.0e18))};
}

}  // namespace

double normal_quantile(double p) {
  constexpr std::array<double, 8> kA{3.3871328727963666080e0,  1.3314166789178437745e+2,
                                     1.9715909503065514427e+3, 1.3731693765509461125e+4,
                                     4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                     3.3430575583588128105e+4, 2.5090809287301226727e+3};
  constexpr std::array<double, 8> kB{1.0,
                                     4.2313330701600911252e+1,
                                     6.8718700749205790830e+2,
                                     5.3941960214247511077e+3,
                                     2.1213794301586595867e+4,
                                     3.9307895800092710610e+4,
                                     2.8729085735721942674e+4,
                                     5.2264952788528545610e+3};
  constexpr std::array<double, 8> kC{1.42343711074968357734e0,  4.63033784615654529590e0,
                                     5.76949722146069140550e0,  3.64784832476320460504e0,
                                     1.27045825245236838258e0,  2.41780725177450611770e-1,
                                     2.27238449892691845833e-2, 7.74545014278341407640e-4};
  constexpr std::array<double, 8> kD{1.0,
                                     2.05319162663775882187e0,
                                     1.67638483018380384940e0,
                                     6.89767334985100004550e-1,
                                     1.48103976427480074590e-1,
                                     1.51986665636164571966e-2,
                                     5.47593808499534494600e-4,
                                     1.05075007164441684324e-9};
  constexpr std::array<double, 8> kE{6.65790464350110377720e0,  5.46378491116411436990e0,
                                     1.78482653991729133580e0,  2.96560571828504891230e-1,
                                     2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                     2.71155556874348757815e-5, 2.01033439929228813265e-7};
  constexpr std::array<double, 8> kF{1.0,
                                     5.99832206555887937690e-1,
                                     1.36929880922735805310e-1,
                                     1.48753612908506148525e-2,
                                     7.86869131145613259100e-4,
                                     1.84631831751005468180e-5,
                                     1.42151175831644588870e-7,
                                     2.04426310338993978564e-15};
  const double q = p - 0.5;
  if (q >= -0.425 && q <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * horner(r, kA.data(), 8) / horner(r, kB.data(), 8);
  }
  double r = std::sqrt(-exact_ln(q < 0 ? p : 1 - p));  // sqrt() is exact in IEEE 754.
  const bool near = r <= 5;
  r -= near ? 1.6 : 5;
  const double tail = near ? horner(r, kC.data(), 8) / horner(r, kD.data(), 8)
                           : horner(r, kE.data(), 8) / horner(r, kF.data(), 8);
  return q < 0 ? -tail : tail;
}

namespace {

double count_of(Duration duration) { return static_cast<double>(duration.count()); }

// x^exponent for x > 0; 0 where the result is too small for a double.
double power(double x, double exponent) {
  const double log = exponent * exact_ln(x);
  return log < -700 ? 0 : exact_exp(log);
}

// A gamma variate of scale 1: Marsaglia and Tsang, "A simple method for generating gamma
// variables", TOMS 26, 2000. Below shape 1 it is one of shape + 1 times u^(1/shape), as they
// advise.
double draw_gamma(double shape, Prng& prng) {
  if (shape < 1) {
    const double boost = power(prng.unit(), 1 / shape);
    return boost * draw_gamma(shape + 1, prng);
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = normal_quantile(prng.unit());
    const double ln_u = exact_ln(prng.unit());
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (ln_u < x * x / 2 + d - d * v + d * exact_ln(v)) return d * v;
  }
}

struct Sampler {
  Prng& prng;

  Duration operator()(const Constant& constant) const { return constant.value; }
  Duration operator()(const Exponential& exponential) const {
    return from_double(count_of(exponential.mean) * std::max(-quick_ln(prng.unit()), 0.0));
  }
  Duration operator()(const Lognormal& lognormal) const {
    const double sigma = lognormal.sigma;
    const double exponent = sigma * normal_quantile(prng.unit()) - sigma * sigma / 2;
    return from_double(count_of(lognormal.mean) * exact_exp(exponent));
  }
  Duration operator()(const Uniform& uniform) const {
    const double width = count_of(uniform.max) - count_of(uniform.min);
    return from_double(count_of(uniform.min) + width * prng.unit());
  }
  // By inversion: F(x) = (1 - (min/x)^alpha) / (1 - (min/max)^alpha).
  Duration operator()(const Pareto& pareto) const {
    const double beyond = power(count_of(pareto.min) / count_of(pareto.max), pareto.alpha);
    const double left = 1 - prng.unit() * (1 - beyond);
    return from_double(count_of(pareto.min) * power(left, -1 / pareto.alpha));
  }
  Duration operator()(const Gamma& gamma) const {
    return from_double(count_of(gamma.mean) / gamma.shape * draw_gamma(gamma.shape, prng));
  }
  Duration operator()(const Bimodal& bimodal) const {
    return prng.unit() < bimodal.slow_ratio ? bimodal.slow : bimodal.fast;
  }
  Duration operator()(const Empirical& empirical) const {
    const std::vector<Duration>& sorted = empirical.sorted();
    return sorted[static_cast<std::size_t>(static_cast<double>(sorted.size()) * prng.unit())];
  }
};

struct Mean {
  double operator()(const Constant& constant) const { return count_of(constant.value); }
  double operator()(const Exponential& exponential) const { return count_of(exponential.mean); }
  double operator()(const Lognormal& lognormal) const { return count_of(lognormal.mean); }
  double operator()(const Uniform& uniform) const {
    return (count_of(uniform.min) + count_of(uniform.max)) / 2;
  }
  double operator()(const Pareto& pareto) const {
    const double alpha = pareto.alpha;
    const double ratio = count_of(pareto.max) / count_of(pareto.min);
    const double density = count_of(pareto.min) * alpha / (1 - power(ratio, -alpha));
    return alpha == 1 ? density * exact_ln(ratio)
                      : density * (power(ratio, 1 - alpha) - 1) / (1 - alpha);
  }
  double operator()(const Gamma& gamma) const { return count_of(gamma.mean); }
  double operator()(const Bimodal& bimodal) const {
    return bimodal.slow_ratio * count_of(bimodal.slow) +
           (1 - bimodal.slow_ratio) * count_of(bimodal.fast);
  }
  double operator()(const Empirical& empirical) const {
    double sum = 0;
    for (const Duration value : empirical.sorted()) sum += count_of(value);
    return sum / static_cast<double>(empirical.sorted().size());
  }
};

}  // namespace

Empirical::Empirical(std::vector<Duration> values) {
  LB_ASSERT(!values.empty());
  std::sort(values.begin(), values.end());
  sorted_ = std::make_shared<const std::vector<Duration>>(std::move(values));
}

Duration sample(const Distribution& distribution, Prng& prng) {
  return std::visit(Sampler{prng}, distribution);
}

double mean_ns(const Distribution& distribution) { return std::visit(Mean{}, distribution); }

}  // namespace lb::scenario
