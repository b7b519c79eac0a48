// Theory: what queueing theory says. All times are in units of the mean service time, all rates in
// requests per mean service time. Services are exponential where nothing else is said, arrivals are
// Poisson, and queues are first come, first served.
//
// "Kleinrock" is L. Kleinrock, Queueing Systems, volume I, 1975.
#pragma once

#include <functional>
#include <vector>

namespace lb::validation {

// The time that a share `p` of all does not exceed, when a share tail(t) takes longer than t.
// REQUIRES: tail() falls from 1 to 0.
[[nodiscard]] double quantile_of(const std::function<double(double)>& tail, double p);

// When the time in the system is exponential with this mean, as in M/M/1 and GI/M/1.
[[nodiscard]] double exponential_quantile(double mean, double p);

// -- One queue

// M/M/1, mean time in the system: 1 / (1 - rho). Kleinrock, section 3.2.
[[nodiscard]] double mm1_mean(double rho);

// M/G/1, mean time in the system by Pollaczek and Khinchine: 1 + rho (1 + cs2) / (2 (1 - rho)),
// with cs2 the squared coefficient of variation of the service time. Kleinrock, chapter 5.
[[nodiscard]] double mg1_mean(double rho, double cs2);

// M/D/1, share that waits longer than t (Erlang 1909):
// 1 - (1 - rho) sum over k <= t of (rho (k - t))^k e^(-rho (k - t)) / k!.
// The sum alternates: good to 1e-6 while rho t stays below 20.
[[nodiscard]] double md1_waits_longer(double rho, double t);

// M/M/c with offered load a: share that has to wait (Erlang C), mean time in the system, and share
// that is in the system for longer than t. Kleinrock, section 3.5.
[[nodiscard]] double erlang_c(int servers, double a);
[[nodiscard]] double mmc_mean(int servers, double a);
[[nodiscard]] double mmc_longer(int servers, double a, double t);

// M/M/c/c with offered load a: share that is refused (Erlang B). Kleinrock, section 3.7.
[[nodiscard]] double erlang_b(int servers, double a);

// M/M/c with customers who leave the queue after `patience`, of constant length: share that does.
// The workload found by arrivals has density a p_(c-1) e^(-(c - a) x) up to the patience, and falls
// by e^(-c x) beyond, where nobody joins. Barrer, Operations Research 5(5), 1957.
[[nodiscard]] double impatient_leave(int servers, double a, double patience);

// M/M/1/K: at most `places` in the system, the one in service included. Share that is refused, and
// mean time in the system of the others. Kleinrock, section 3.6.
[[nodiscard]] double mm1k_refused(double rho, int places);
[[nodiscard]] double mm1k_mean(double rho, int places);

// GI/M/1 whose gaps are the sum of n exponential ones (Erlang-n): mean time in the system
// 1 / (1 - sigma) with sigma = A*(1 - sigma), A* the Laplace transform of the gap. That time is
// exponential. Kleinrock, chapter 6.
[[nodiscard]] double erlang_arrivals_mean(int n, double rho);

// D/M/1: the same with gaps that are all alike: sigma = e^(-(1 - sigma) / rho).
[[nodiscard]] double constant_arrivals_mean(double rho);

// -- Closed loops

// `clients` that think for an exponential time with mean `think`, then queue for one of `servers`.
// Mean time in the system. Kleinrock, sections 3.8 and 3.10 (machine repair).
[[nodiscard]] double finite_source_mean(int clients, double think, int servers);

// The same for one server by mean value analysis: R(n) = 1 + L(n - 1), X(n) = n / (R(n) + think),
// L(n) = X(n) R(n). Reiser and Lavenberg, JACM 27(2), 1980.
[[nodiscard]] double mva_mean(int clients, double think);

// -- Power of two choices among infinitely many queues, each offered rho
// In the limit a share rho^(2^i - 1) of the queues holds at least i. Vvedenskaya, Dobrushin and
// Karpelevich, 1996; Mitzenmacher, TPDS 12(10), 2001.

[[nodiscard]] double two_choices_mean(double rho);
[[nodiscard]] double two_choices_longer(double rho, double t);

// -- How long to simulate

// The relative asymptotic variance of the mean time in a GI/G/1 queue, counted in requests, in
// heavy traffic: 4 c2 / (1 - rho)^2 with c2 = (ca2 + cs2) / 2, the mean of the squared coefficients
// of variation of gaps and services. The relative variance of a mean over n requests is this
// over n. Whitt, Management Science 35(11), 1989, in which it is 4 rho^2 c2 / (1 - rho)^2; leaving
// out rho^2 covers what light traffic adds.
[[nodiscard]] double relative_variance(double rho, double c2);

// The time in which a started M/M/1 queue forgets e-fold how it began: 1 / (1 - sqrt(rho))^2
// (Morse 1955).
[[nodiscard]] double relaxation_time(double rho);

}  // namespace lb::validation
