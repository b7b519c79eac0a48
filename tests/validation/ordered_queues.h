// OrderedQueues: a few queues with one exponential server each, a Poisson stream, and a rule that
// sees how many each holds. Solved exactly, as a Markov chain over the lengths in falling order:
// the queues are alike, so who is who does not matter, nor who gets a request when some are level.
#pragma once

#include <functional>
#include <vector>

namespace lb::validation {

using Lengths = std::vector<int>;  // Longest first.

// Given lengths, the chance of each to get the next request. They sum to 1.
using JoinRule = std::function<std::vector<double>(const Lengths&)>;

// Two different queues, each pair as likely, and the shorter one of them.
[[nodiscard]] std::vector<double> join_shorter_of_two(const Lengths& lengths);
// The same with draws that may name one queue twice, as in Mitzenmacher's analysis.
[[nodiscard]] std::vector<double> join_shorter_of_two_draws(const Lengths& lengths);
[[nodiscard]] std::vector<double> join_shortest(const Lengths& lengths);
// One that is empty, each of them as likely; any of all where none is.
[[nodiscard]] std::vector<double> join_idle(const Lengths& lengths);
[[nodiscard]] std::vector<double> join_any(const Lengths& lengths);

class OrderedQueues {
 public:
  // `rho` requests per server and service time. No queue grows above `length_max`: the chain is cut
  // there, and who would join such a queue is lost.
  OrderedQueues(int queues, double rho, const JoinRule& rule, int length_max);

  // The truncation error: the share of requests that the cut loses.
  [[nodiscard]] double lost() const { return lost_; }
  // Of those not lost, in service times.
  [[nodiscard]] double mean() const;
  [[nodiscard]] double longer(double t) const;

 private:
  double lost_ = 0;
  std::vector<double> joins_behind_;  // The share of requests that find so many before them.
};

}  // namespace lb::validation
