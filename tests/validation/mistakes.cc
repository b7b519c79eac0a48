// Mistakes a simulator can make, and what theory says they would have led to.
#include "tests/validation/law.h"
#include "tests/validation/ordered_queues.h"
#include "tests/validation/theory.h"

namespace lb::validation {

std::vector<Mistake> all_mistakes() {
  const auto ms = [](double services) { return kServiceMs * services; };
  return {
      {"M/M/1, rho = 0.50", "mean, ms", "services 2 % longer", ms(1.02 * mm1_mean(0.51))},
      {"M/M/1, rho = 0.80", "mean, ms", "services 2 % longer", ms(1.02 * mm1_mean(0.816))},
      {"M/M/1, rho = 0.80", "mean, ms", "arrivals 1 % too often", ms(mm1_mean(0.808))},
      {"M/M/1, rho = 0.95", "mean, ms", "arrivals 1 % too often", ms(mm1_mean(0.9595))},
      {"M/M/1, rho = 0.80", "p99, ms", "services constant",
       ms(1 + quantile_of([](double t) { return md1_waits_longer(0.8, t); }, 0.99))},
      {"M/D/1, rho = 0.80", "mean, ms", "services 2 % longer", ms(1.02 * mg1_mean(0.816, 0))},
      {"M/G/1, lognormal with sigma 1, rho = 0.80", "mean, ms", "sigma 10 % greater",
       ms(mg1_mean(0.8, 2.353))},
      {"M/M/8, one backend, rho = 0.85", "mean, ms", "one server more", ms(mmc_mean(9, 6.8))},
      {"M/M/8, 8 backends behind the balancer's queue, rho = 0.85", "mean, ms", "one server fewer",
       ms(mmc_mean(7, 6.8))},
      {"M/M/10/10, 8 erlang", "refused", "one server more", erlang_b(11, 8)},
      {"M/M/10/10, 8 erlang", "refused", "arrivals 2 % too often", erlang_b(10, 8.16)},
      {"M/M/1/5, rho = 0.90", "refused", "one place more", mm1k_refused(0.9, 6)},
      {"round_robin, 4 queues, rho = 0.80", "mean, ms", "turns of three",
       ms(erlang_arrivals_mean(3, 0.8))},
      {"least_request, 3 queues, rho = 0.80", "mean, ms", "two draws that may be the same",
       ms(OrderedQueues(3, 0.8, join_shorter_of_two_draws, 40).mean())},
      {"least_connections, 3 queues, rho = 0.80", "mean, ms", "two of three compared",
       ms(OrderedQueues(3, 0.8, join_shorter_of_two, 40).mean())},
      {"least_request, 500 queues, rho = 0.90", "mean, ms", "services 2 % longer",
       ms(1.02 * two_choices_mean(0.918))},
      {"20 clients, thinking 150 ms, one server", "mean, ms", "one client more",
       ms(mva_mean(21, 15))},
      {"60 clients, thinking 150 ms, three servers", "mean, ms", "services 2 % longer",
       ms(1.02 * finite_source_mean(60, 15 / 1.02, 3))},
      {"frozen for a second, 100 requests/s", "requests above 2 ms", "one left out", 99},
      {"priorities: 5 of 10 well, then 10 of 10", "share of priority 0", "no overprovisioning",
       0.5},
  };
}

}  // namespace lb::validation
