// A queue whose arrivals come in bursts: MMPP/M/1.
#pragma once

namespace lb::validation {

struct Phase {
  double rate = 0;  // Of a Poisson stream, in requests per mean service time.
  double stay = 0;  // Mean of the exponential time it lasts, in service times.
};

// Mean time in the system when arrivals alternate between two phases, by the matrix-geometric
// method (Neuts, Matrix-Geometric Solutions in Stochastic Models, 1981): with n requests the phases
// have probabilities pi_0 R^n, where A0 + R A1 + R^2 A2 = 0 for the rates up, within and down a
// level. REQUIRES: below one request per service time in the mean.
[[nodiscard]] double mmpp_mean(const Phase& first, const Phase& second);

}  // namespace lb::validation
