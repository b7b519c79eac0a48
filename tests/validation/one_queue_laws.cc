// One queue: M/M/1, M/D/1, M/G/1, M/M/c, and those that refuse.
#include <cmath>

#include "tests/validation/law.h"
#include "tests/validation/theory.h"

namespace lb::validation {
namespace {

constexpr const char* kSection = "One queue";
constexpr const char* kLognormal = R"({"lognormal": {"mean": "10ms", "sigma": 1}})";

// The time in an M/M/1 system is exponential, so one formula gives all four figures.
void add_mm1(std::vector<Law>& laws, double rho, double precision) {
  const Setup setup = planned({}, rho, 1, precision, rate_of(rho));
  const double mean = kServiceMs * mm1_mean(rho);
  const std::string system = "M/M/1, rho = " + std::to_string(rho).substr(0, 4);
  laws.push_back({kSection, system, "mean, ms", "1/(mu - lambda); Kleinrock 3.2", mean, precision,
                  kWarmupBias, measure(setup, &Observed::mean_ms)});
  const auto add = [&](const char* name, double p, double Observed::*figure) {
    laws.push_back({kSection, system, name, "the time is exponential; Kleinrock 3.2",
                    exponential_quantile(mean, p), kQuantileSpread * precision,
                    kHistogramBias + kWarmupBias, measure(setup, figure)});
  };
  add("p50, ms", 0.5, &Observed::p50_ms);
  add("p90, ms", 0.9, &Observed::p90_ms);
  add("p99, ms", 0.99, &Observed::p99_ms);
}

void add_md1(std::vector<Law>& laws) {
  constexpr double kRho = 0.8;
  constexpr double kPrecision = 0.025;
  const Setup setup =
      planned({.service = R"({"constant": "10ms"})"}, kRho, 0.5, kPrecision, rate_of(kRho));
  laws.push_back({kSection, "M/D/1, rho = 0.80", "mean, ms", "Pollaczek-Khinchine; Kleinrock ch. 5",
                  kServiceMs * mg1_mean(kRho, 0), kPrecision, kWarmupBias,
                  measure(setup, &Observed::mean_ms)});
  const auto add = [&](const char* name, double p, double Observed::*figure) {
    const auto tail = [](double t) { return md1_waits_longer(kRho, t); };
    laws.push_back({kSection, "M/D/1, rho = 0.80", name, "Erlang 1909, and one service",
                    kServiceMs * (1 + quantile_of(tail, p)), kQuantileSpread * kPrecision,
                    kHistogramBias + kWarmupBias, measure(setup, figure)});
  };
  add("p50, ms", 0.5, &Observed::p50_ms);
  add("p99, ms", 0.99, &Observed::p99_ms);
}

void add_dm1(std::vector<Law>& laws) {
  constexpr double kRho = 0.8;
  constexpr double kPrecision = 0.025;
  Setup setup = planned({}, kRho, 0.5, kPrecision, rate_of(kRho));
  setup.arrivals = R"({"constant": {"rate": 80}})";
  const double mean = kServiceMs * constant_arrivals_mean(kRho);
  laws.push_back({kSection, "D/M/1, rho = 0.80", "mean, ms",
                  "sigma = e^(-(1 - sigma)/rho); Kleinrock ch. 6", mean, kPrecision, kWarmupBias,
                  measure(setup, &Observed::mean_ms)});
  laws.push_back({kSection, "D/M/1, rho = 0.80", "p99, ms",
                  "the time is exponential; Kleinrock ch. 6", exponential_quantile(mean, 0.99),
                  kQuantileSpread * kPrecision, kHistogramBias + kWarmupBias,
                  measure(setup, &Observed::p99_ms)});
}

void add_mg1(std::vector<Law>& laws) {
  constexpr double kRho = 0.8;
  constexpr double kPrecision = 0.04;
  const double cs2 = std::exp(1.0) - 1;  // Of a lognormal time with sigma 1.
  const Setup setup =
      planned({.service = kLognormal}, kRho, (1 + cs2) / 2, kPrecision, rate_of(kRho));
  laws.push_back({kSection, "M/G/1, lognormal with sigma 1, rho = 0.80", "mean, ms",
                  "Pollaczek-Khinchine; Kleinrock ch. 5", kServiceMs * mg1_mean(kRho, cs2),
                  kPrecision, kWarmupBias, measure(setup, &Observed::mean_ms)});
}

// The same system twice: places of one backend behind its queue, and backends with one place each
// behind the queue of the balancer. Only a third of the time here is waiting, which is what the
// plan is for: the intervals may be half as wide.
void add_mmc(std::vector<Law>& laws) {
  constexpr int kServers = 8;
  constexpr double kRho = 0.85;
  constexpr double kLoad = kServers * kRho;
  const auto add = [&](const Setup& shape, const std::string& system) {
    const Setup setup = planned(shape, kRho, 1, 0.05, kServers * rate_of(kRho));
    laws.push_back({kSection, system, "mean, ms", "Erlang C; Kleinrock 3.5",
                    kServiceMs * mmc_mean(kServers, kLoad), 0.025, kWarmupBias,
                    measure(setup, &Observed::mean_ms)});
    const auto tail = [=](double t) { return mmc_longer(kServers, kLoad, t); };
    laws.push_back({kSection, system, "p99, ms", "Erlang C; Kleinrock 3.5",
                    kServiceMs * quantile_of(tail, 0.99), 0.04, kHistogramBias + kWarmupBias,
                    measure(setup, &Observed::p99_ms)});
  };
  add({.concurrency = kServers}, "M/M/8, one backend, rho = 0.85");
  add({.backends = kServers,
       .cluster = R"(, "limits": {"max_in_flight_per_backend": 1, "queue": 1000000,)"
                  R"( "queue_timeout": "60s"})"},
      "M/M/8, 8 backends behind the balancer's queue, rho = 0.85");
}

// Refusals come in bursts. The variance of their share is that of independent ones, some six times
// (its asymptotic value: Srikant and Whitt, TOMACS 6(1), 1996): two million requests leave a
// standard error of 0.5 % of a share near 0.12.
void add_refusing(std::vector<Law>& laws) {
  Setup loss{.concurrency = 10, .queue = 0, .arrivals = poisson(10 * rate_of(0.8))};
  loss.seconds = 125;
  loss.warmup_seconds = 1;  // A hundred service times, and no queue to fill.
  laws.push_back({kSection, "M/M/10/10, 8 erlang", "refused", "Erlang B; Kleinrock 3.7",
                  erlang_b(10, 8), 0.02, kWarmupBias, measure(loss, &Observed::error_ratio)});
  loss.service = kLognormal;
  laws.push_back({kSection, "M/G/10/10, lognormal, 8 erlang", "refused",
                  "Erlang B knows only the mean service; Kleinrock 3.7", erlang_b(10, 8), 0.02,
                  kWarmupBias, measure(loss, &Observed::error_ratio)});
  Setup finite{.queue = 4, .arrivals = poisson(rate_of(0.9))};
  finite.seconds = 1100;
  finite.warmup_seconds = 1;
  laws.push_back({kSection, "M/M/1/5, rho = 0.90", "refused", "Kleinrock 3.6", mm1k_refused(0.9, 5),
                  0.025, kWarmupBias, measure(finite, &Observed::error_ratio)});
  laws.push_back({kSection, "M/M/1/5, rho = 0.90", "mean of the accepted, ms", "Kleinrock 3.6",
                  kServiceMs * mm1k_mean(0.9, 5), 0.01, kWarmupBias,
                  measure(finite, &Observed::mean_ms)});
}

// More than three servers can do, and a queue in the balancer that keeps nobody above 30 ms.
void add_impatient(std::vector<Law>& laws) {
  Setup setup{.backends = 3, .arrivals = poisson(3 * rate_of(1.1))};
  setup.cluster = R"(, "limits": {"max_in_flight_per_backend": 1, "queue": 1000000,)"
                  R"( "queue_timeout": "30ms"})";
  setup.seconds = 250;
  setup.warmup_seconds = 1;
  laws.push_back({kSection, "M/M/3 + D, 3.3 erlang, queue_timeout 30 ms", "gave up waiting",
                  "Barrer 1957", impatient_leave(3, 3.3, 3), 0.03, kWarmupBias,
                  measure(setup, &Observed::error_ratio)});
}

}  // namespace

std::vector<Law> one_queue_laws() {
  std::vector<Law> laws;
  add_mm1(laws, 0.5, 0.015);
  add_mm1(laws, 0.8, 0.03);
  add_mm1(laws, 0.95, 0.09);
  add_md1(laws);
  add_dm1(laws);
  add_mg1(laws);
  add_mmc(laws);
  add_refusing(laws);
  add_impatient(laws);
  return laws;
}

}  // namespace lb::validation
