#include "tests/validation/theory.h"

#include <boost/math/special_functions/factorials.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <boost/math/tools/roots.hpp>
#include <cmath>

namespace lb::validation {
namespace {

double root(const std::function<double(double)>& f, double low, double high) {
  std::uintmax_t steps = 200;
  const auto [below, above] = boost::math::tools::toms748_solve(
      f, low, high, boost::math::tools::eps_tolerance<double>(40), steps);
  return (below + above) / 2;
}

}  // namespace

double quantile_of(const std::function<double(double)>& tail, double p) {
  double high = 1;
  while (tail(high) > 1 - p) high *= 1.5;
  return root([&](double t) { return tail(t) - (1 - p); }, 0, high);
}

double exponential_quantile(double mean, double p) { return -mean * std::log(1 - p); }

double mm1_mean(double rho) { return 1 / (1 - rho); }

double mg1_mean(double rho, double cs2) { return 1 + rho * (1 + cs2) / (2 * (1 - rho)); }

double md1_waits_longer(double rho, double t) {
  double sum = 0;
  for (int k = 0; k <= static_cast<int>(t); ++k) {
    const double x = rho * (k - t);
    sum += std::pow(x, k) * std::exp(-x) / boost::math::factorial<double>(static_cast<unsigned>(k));
  }
  return 1 - (1 - rho) * sum;
}

double erlang_b(int servers, double a) {
  double refused = 1;
  for (int c = 1; c <= servers; ++c) refused = a * refused / (c + a * refused);
  return refused;
}

double erlang_c(int servers, double a) {
  const double refused = erlang_b(servers, a);
  const double rho = a / servers;
  return refused / (1 - rho * (1 - refused));
}

double mmc_mean(int servers, double a) { return 1 + erlang_c(servers, a) / (servers - a); }

double mmc_longer(int servers, double a, double t) {
  // The wait is zero, or with Erlang C's chance exponential with rate c - a; then the service.
  const double rate = servers - a;
  const double waits = erlang_c(servers, a);
  const double two_stages =
      rate == 1 ? (1 + t) * std::exp(-t) : (rate * std::exp(-t) - std::exp(-rate * t)) / (rate - 1);
  return (1 - waits) * std::exp(-t) + waits * two_stages;
}

double impatient_leave(int servers, double a, double patience) {
  double weight = 1;  // Of the state with n in service and nobody waiting.
  double idle = 0;    // Of all states in which a server is.
  for (int n = 0; n < servers; ++n) {
    idle += weight;
    if (n < servers - 1) weight *= a / (n + 1);
  }
  const double drift = servers - a;
  const double at_patience = std::exp(-drift * patience);
  const double below = a * weight * (drift == 0 ? patience : (1 - at_patience) / drift);
  const double above = a * weight * at_patience / servers;
  return above / (idle + below + above);
}

double mm1k_refused(double rho, int places) {
  double sum = 0;
  for (int n = 0; n <= places; ++n) sum += std::pow(rho, n);
  return std::pow(rho, places) / sum;
}

double mm1k_mean(double rho, int places) {
  double sum = 0;
  double in_system = 0;
  for (int n = 0; n <= places; ++n) {
    sum += std::pow(rho, n);
    in_system += n * std::pow(rho, n);
  }
  return in_system / sum / (rho * (1 - mm1k_refused(rho, places)));
}

double erlang_arrivals_mean(int n, double rho) {
  double sigma = 0.5;  // The iteration contracts on [0, 1): A* is convex, with slope below 1 there.
  for (int step = 0; step < 10'000; ++step) {
    sigma = std::pow(n * rho / (n * rho + 1 - sigma), n);
  }
  return 1 / (1 - sigma);
}

double constant_arrivals_mean(double rho) {
  double sigma = 0.5;
  for (int step = 0; step < 10'000; ++step) sigma = std::exp(-(1 - sigma) / rho);
  return 1 / (1 - sigma);
}

double finite_source_mean(int clients, double think, int servers) {
  double weight = 1;  // Of the state with `waiting` clients at the servers.
  double sum = 1;
  double in_system = 0;
  double thinking = clients;
  for (int waiting = 1; waiting <= clients; ++waiting) {
    weight *= (clients - waiting + 1) / think / std::min(waiting, servers);
    sum += weight;
    in_system += waiting * weight;
    thinking += (clients - waiting) * weight;
  }
  return in_system / (thinking / think);
}

double mva_mean(int clients, double think) {
  double in_system = 0;
  double response = 0;
  for (int n = 1; n <= clients; ++n) {
    response = 1 + in_system;
    in_system = n / (response + think) * response;
  }
  return response;
}

double two_choices_mean(double rho) {
  double sum = 0;
  for (int i = 1; i <= 30; ++i) sum += std::pow(rho, std::exp2(i) - 2);
  return sum;
}

double two_choices_longer(double rho, double t) {
  const auto holds = [&](int i) { return std::pow(rho, std::exp2(i) - 1); };
  double sum = 0;
  // Both of the two hold i or more with chance holds(i)^2; who joins behind i takes i + 1 services.
  for (int i = 0; i <= 30; ++i) {
    const double behind = holds(i) * holds(i) - holds(i + 1) * holds(i + 1);
    sum += behind * boost::math::gamma_q(i + 1.0, t);
  }
  return sum;
}

double relative_variance(double rho, double c2) { return 4 * c2 / ((1 - rho) * (1 - rho)); }

double relaxation_time(double rho) {
  const double gap = 1 - std::sqrt(rho);
  return 1 / (gap * gap);
}

}  // namespace lb::validation
