// Many queues: splits that see nothing of them, and choices that do.
#include "tests/validation/law.h"
#include "tests/validation/ordered_queues.h"
#include "tests/validation/theory.h"

namespace lb::validation {
namespace {

constexpr const char* kSection = "Many queues";

// A Poisson stream split at random is a Poisson stream for each: every queue is an M/M/1.
void add_random(std::vector<Law>& laws) {
  constexpr double kRho = 0.8;
  const Setup setup =
      planned({.backends = 10, .strategy = "random"}, kRho, 1, 0.03, 10 * rate_of(kRho));
  const double mean = kServiceMs * mm1_mean(kRho);
  laws.push_back({kSection, "random, 10 queues, rho = 0.80", "mean, ms", "M/M/1", mean, 0.03,
                  kWarmupBias, measure(setup, &Observed::mean_ms)});
  laws.push_back({kSection, "random, 10 queues, rho = 0.80", "p99, ms", "M/M/1",
                  exponential_quantile(mean, 0.99), kQuantileSpread * 0.03,
                  kHistogramBias + kWarmupBias, measure(setup, &Observed::p99_ms)});
}

// Every fourth request of a Poisson stream: gaps that are sums of four exponential ones.
void add_round_robin(std::vector<Law>& laws) {
  constexpr double kRho = 0.8;
  constexpr int kQueues = 4;
  constexpr double kPrecision = 0.025;
  const Setup setup = planned({.backends = kQueues, .strategy = "round_robin"}, kRho,
                              (1 + 1.0 / kQueues) / 2, kPrecision, kQueues * rate_of(kRho));
  const double mean = kServiceMs * erlang_arrivals_mean(kQueues, kRho);
  const std::string system = "round_robin, 4 queues, rho = 0.80";
  laws.push_back({kSection, system, "mean, ms",
                  "E4/M/1, sigma = A*(mu (1 - sigma)); Kleinrock ch. 6", mean, kPrecision,
                  kWarmupBias, measure(setup, &Observed::mean_ms)});
  laws.push_back({kSection, system, "p99, ms", "the time is exponential; Kleinrock ch. 6",
                  exponential_quantile(mean, 0.99), kQuantileSpread * kPrecision,
                  kHistogramBias + kWarmupBias, measure(setup, &Observed::p99_ms)});
}

// Weights 3 and 1 for a backend that is four times as fast as the other: two M/M/1 queues, with
// 0.75 * 0.25 and 0.25 * 1 of the load of the slow one.
void add_unequal(std::vector<Law>& laws) {
  constexpr double kLoad = 3;  // Requests per service time of the slow one: rho 0.5625 and 0.75.
  Setup shape{.backends = 1, .strategy = "random"};
  shape.backend_keys = R"(, "weight": 3)";
  shape.more_backends = R"(, {"id": "b2", "address": "10.0.0.2:80"})";
  shape.behaviours = R"(, "b1": {"service_time": )" + exponential(kServiceMs / 4) +
                     R"(, "concurrency": 1, "queue": 1000000})";
  const Setup setup = planned(shape, 0.75, 1, 0.03, rate_of(kLoad));
  const double fast = 0.25 * mm1_mean(0.75 * kLoad / 4);
  const double slow = mm1_mean(0.25 * kLoad);
  laws.push_back({kSection, "random, weights 3 and 1, speeds 4 and 1", "mean, ms",
                  "two M/M/1 queues, by their shares", kServiceMs * (0.75 * fast + 0.25 * slow),
                  0.03, kWarmupBias, measure(setup, &Observed::mean_ms)});
}

void add_exact(std::vector<Law>& laws, const char* strategy, const char* name, JoinRule rule) {
  constexpr double kRho = 0.8;
  // The chain loses less than 1e-9 of the requests at this length, as a test checks.
  const OrderedQueues exact(3, kRho, rule, 40);
  const Setup setup =
      planned({.backends = 3, .strategy = strategy}, kRho, 1, 0.03, 3 * rate_of(kRho));
  const std::string system = std::string{strategy} + ", 3 queues, rho = 0.80";
  const std::string formula = std::string{name} + ": Markov chain, solved";
  laws.push_back({kSection, system, "mean, ms", formula, kServiceMs * exact.mean(), 0.02,
                  kWarmupBias, measure(setup, &Observed::mean_ms)});
  const auto tail = [&](double t) { return exact.longer(t); };
  laws.push_back({kSection, system, "p99, ms", formula, kServiceMs * quantile_of(tail, 0.99), 0.04,
                  kHistogramBias + kWarmupBias, measure(setup, &Observed::p99_ms)});
}

// The limit of many queues. With n of them it is wrong by the order of 1/n (Gast, SIGMETRICS 2017);
// at rho 0.9 about 4/n service times, which is 0.4 % of the mean here.
void add_mean_field(std::vector<Law>& laws) {
  constexpr double kRho = 0.9;
  constexpr int kQueues = 500;
  constexpr double kFiniteBias = 0.004;
  Setup setup{.backends = kQueues, .strategy = "least_request"};
  setup.arrivals = poisson(kQueues * rate_of(kRho));
  setup.seconds = 3;
  setup.warmup_seconds = 1;  // A hundred service times; the limit forgets in some ten.
  const std::string system = "least_request, 500 queues, rho = 0.90";
  laws.push_back({kSection, system, "mean, ms", "sum of lambda^(2^i - 2); Mitzenmacher 2001",
                  kServiceMs * two_choices_mean(kRho), 0.02, kFiniteBias + kWarmupBias,
                  measure(setup, &Observed::mean_ms)});
  const auto tail = [](double t) { return two_choices_longer(kRho, t); };
  laws.push_back({kSection, system, "p99, ms", "s_i = lambda^(2^i - 1); Vvedenskaya et al. 1996",
                  kServiceMs * quantile_of(tail, 0.99), 0.02,
                  kFiniteBias + kHistogramBias + kWarmupBias, measure(setup, &Observed::p99_ms)});
}

// How many requests there are, as somebody sees who looks at fixed times, against what clients say:
// how many answers came and how long each took. Two hundred looks at ten queues with one request
// each in the mean, and a variance of two, have a standard error of 3 %, and twenty runs of 0.7 %.
void add_little(std::vector<Law>& laws) {
  Setup setup{.backends = 10, .strategy = "random", .arrivals = poisson(10 * rate_of(0.5))};
  setup.seconds = 98;
  setup.warmup_seconds = 2;
  setup.watched = true;
  const std::string system = "random, 10 queues, rho = 0.50, watched";
  laws.push_back({kSection, system, "in flight", "n rho / (1 - rho); Kleinrock 3.2", 10, 0.05,
                  kWarmupBias, measure(setup, &Observed::in_flight)});
  laws.push_back({kSection, system, "in flight / (throughput x mean)", "Little's law", 1, 0.05,
                  kWarmupBias, measure(setup, [](const Observed& seen) {
                    return seen.in_flight / (seen.throughput * seen.mean_ms / 1000);
                  })});
}

}  // namespace

std::vector<Law> many_queues_laws() {
  std::vector<Law> laws;
  add_random(laws);
  add_little(laws);
  add_round_robin(laws);
  add_unequal(laws);
  add_exact(laws, "least_request", "shorter of two different queues", join_shorter_of_two);
  add_exact(laws, "least_connections", "shortest queue", join_shortest);
  add_mean_field(laws);
  return laws;
}

}  // namespace lb::validation
