// One queue with other services and other arrivals than exponential ones.
#include <cmath>

#include "tests/validation/bursts.h"
#include "tests/validation/law.h"
#include "tests/validation/theory.h"

namespace lb::validation {
namespace {

constexpr const char* kSection = "Other services and arrivals";
constexpr const char* kBimodal =
    R"({"bimodal": {"fast": "5ms", "slow": "55ms", "slow_ratio": 0.1}})";
constexpr double kRho = 0.7;
constexpr double kPrecision = 0.03;

// The mean time of M/G/1 by Pollaczek and Khinchine, for services with mean 10 ms.
void add_mg1(std::vector<Law>& laws, const std::string& name, const std::string& service,
             double cs2) {
  const Setup setup = planned({.service = service}, kRho, (1 + cs2) / 2, kPrecision, rate_of(kRho));
  laws.push_back({kSection, "M/G/1, " + name + ", rho = 0.70", "mean, ms",
                  "Pollaczek-Khinchine; Kleinrock ch. 5", kServiceMs * mg1_mean(kRho, cs2),
                  kPrecision, kWarmupBias, measure(setup, &Observed::mean_ms)});
}

// The k-th moment of a Pareto time that is cut off at `max`.
double pareto_moment(double min, double max, double alpha, double k) {
  return alpha * std::pow(min, alpha) / (1 - std::pow(min / max, alpha)) *
         (std::pow(max, k - alpha) - std::pow(min, k - alpha)) / (k - alpha);
}

// Its mean is not a round number, so its rate is not either.
void add_pareto(std::vector<Law>& laws) {
  constexpr double kMin = 4;
  constexpr double kMax = 200;
  constexpr double kAlpha = 1.5;
  const double mean = pareto_moment(kMin, kMax, kAlpha, 1);
  const double cs2 = pareto_moment(kMin, kMax, kAlpha, 2) / (mean * mean) - 1;
  const Setup setup =
      planned({.service = R"({"pareto": {"min": "4ms", "max": "200ms", "alpha": 1.5}})"}, kRho,
              (1 + cs2) / 2, kPrecision, kRho * 1000 / mean);
  laws.push_back({kSection, "M/G/1, bounded Pareto 1.5, rho = 0.70", "mean, ms",
                  "Pollaczek-Khinchine; Kleinrock ch. 5", mean * mg1_mean(kRho, cs2), kPrecision,
                  kWarmupBias, measure(setup, &Observed::mean_ms)});
}

// Gaps that are Erlang-4 by themselves; round robin makes the same ones out of Poisson arrivals.
void add_erlang_gaps(std::vector<Law>& laws) {
  constexpr int kStages = 4;
  Setup setup = planned({}, kRho, (1 + 1.0 / kStages) / 2, kPrecision, rate_of(kRho));
  setup.arrivals = R"({"renewal": {"gap": {"gamma": {"mean": "1ms", "shape": 4}}, "rate": 70}})";
  const double mean = kServiceMs * erlang_arrivals_mean(kStages, kRho);
  laws.push_back({kSection, "E4/M/1, rho = 0.70", "mean, ms",
                  "sigma = A*(mu (1 - sigma)); Kleinrock ch. 6", mean, kPrecision, kWarmupBias,
                  measure(setup, &Observed::mean_ms)});
  laws.push_back({kSection, "E4/M/1, rho = 0.70", "p99, ms",
                  "the time is exponential; Kleinrock ch. 6", exponential_quantile(mean, 0.99),
                  kQuantileSpread * kPrecision, kHistogramBias + kWarmupBias,
                  measure(setup, &Observed::p99_ms)});
}

// Bursts: 120 requests a second for 100 ms, 40 for 300 ms, in the mean. The squared coefficient of
// variation of counts over a long time is 1 + 2 * 1200 / 60 * 0.075 s = 4 (Fischer and
// Meier-Hellstern 1993), which is what the length of the run is planned by.
void add_bursts(std::vector<Law>& laws) {
  Setup setup = planned({}, 0.6, (4.0 + 1) / 2, kPrecision, rate_of(0.6));
  setup.arrivals = R"({"mmpp": {"states": [{"rate": 120, "mean_stay": "100ms"},)"
                   R"( {"rate": 40, "mean_stay": "300ms"}]}})";
  const double mean = kServiceMs * mmpp_mean({.rate = 1.2, .stay = 10}, {.rate = 0.4, .stay = 30});
  laws.push_back({kSection, "MMPP/M/1, 120 and 40 requests/s", "mean, ms",
                  "matrix-geometric; Neuts 1981", mean, kPrecision, kWarmupBias,
                  measure(setup, &Observed::mean_ms)});
}

// Sharing one core the mean time knows only the mean service: 1 / (1 - rho), as with M/M/1.
void add_sharing(std::vector<Law>& laws, const std::string& name, const std::string& service,
                 double cs2) {
  Setup shape{.service = service, .concurrency = 1'000'000};
  shape.more_behaviour = R"(, "discipline": "processor_sharing", "cores": 1)";
  const Setup setup = planned(shape, kRho, (1 + cs2) / 2, kPrecision, rate_of(kRho));
  laws.push_back({kSection, "M/G/1 processor sharing, " + name + ", rho = 0.70", "mean, ms",
                  "1/(mu - lambda), whatever the service; Kleinrock II, ch. 4",
                  kServiceMs * mm1_mean(kRho), kPrecision, kWarmupBias,
                  measure(setup, &Observed::mean_ms)});
}

}  // namespace

std::vector<Law> general_laws() {
  std::vector<Law> laws;
  add_mg1(laws, "uniform from 0 to 20 ms", R"({"uniform": {"min": "0ms", "max": "20ms"}})",
          1.0 / 3);
  add_mg1(laws, "gamma with shape 0.5", R"({"gamma": {"mean": "10ms", "shape": 0.5}})", 2);
  add_mg1(laws, "bimodal, 5 ms and a tenth 55 ms", kBimodal, 2.25);
  add_pareto(laws);
  add_sharing(laws, "constant", R"({"constant": "10ms"})", 0);
  add_sharing(laws, "exponential", exponential(kServiceMs), 1);
  add_sharing(laws, "bimodal", kBimodal, 2.25);
  add_erlang_gaps(laws);
  add_bursts(laws);
  return laws;
}

}  // namespace lb::validation
