// IMPLEMENTATION  Gauss-Seidel on the balance equations: each state's probability is what flows
//   into it over the rate of leaving it. Sweeps go up and down in turn, so that mass moves through
//   the whole chain in one of them, and end when none of them moves more than 1e-14 of it.
#include "tests/validation/ordered_queues.h"

#include <algorithm>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <map>

namespace lb::validation {
namespace {

struct Flow {
  std::size_t from = 0;
  double rate = 0;
};

struct State {
  Lengths lengths;
  std::vector<Flow> in;
  double out = 0;
  double probability = 0;
};

void list_states(int queues, int length_max, Lengths& prefix, std::vector<State>& states) {
  if (static_cast<int>(prefix.size()) == queues) {
    states.push_back({prefix, {}, 0, 0});
    return;
  }
  const int most = prefix.empty() ? length_max : prefix.back();
  for (int length = 0; length <= most; ++length) {
    prefix.push_back(length);
    list_states(queues, length_max, prefix, states);
    prefix.pop_back();
  }
}

class Chain {
 public:
  Chain(int queues, double rho, const JoinRule& rule, int length_max) {
    Lengths prefix;
    list_states(queues, length_max, prefix, states_);
    for (std::size_t i = 0; i < states_.size(); ++i) index_[states_[i].lengths] = i;
    for (std::size_t i = 0; i < states_.size(); ++i) {
      const Lengths lengths = states_[i].lengths;
      const std::vector<double> chances = rule(lengths);
      for (std::size_t q = 0; q < lengths.size(); ++q) {
        if (lengths[q] < length_max) connect(i, q, +1, rho * queues * chances[q]);
        if (lengths[q] > 0) connect(i, q, -1, 1);
      }
      states_[i].probability = 1 / static_cast<double>(states_.size());
    }
  }

  [[nodiscard]] const std::vector<State>& solve() {
    constexpr int kSweepsMax = 20'000;
    for (int n = 0; n < kSweepsMax; ++n) {
      double moved = 0;
      for (State& state : states_) moved += settle(state);
      for (auto state = states_.rbegin(); state != states_.rend(); ++state) moved += settle(*state);
      if (normalise(), moved < 1e-14) break;
    }
    return states_;
  }

 private:
  void connect(std::size_t from, std::size_t queue, int change, double rate) {
    if (rate == 0) return;
    Lengths lengths = states_[from].lengths;
    lengths[queue] += change;
    std::sort(lengths.rbegin(), lengths.rend());
    states_[index_.at(lengths)].in.push_back({from, rate});
    states_[from].out += rate;
  }

  double settle(State& state) {
    double inflow = 0;
    for (const Flow& flow : state.in) inflow += flow.rate * states_[flow.from].probability;
    const double before = state.probability;
    state.probability = inflow / state.out;
    return std::abs(state.probability - before);
  }

  void normalise() {
    double sum = 0;
    for (const State& state : states_) sum += state.probability;
    for (State& state : states_) state.probability /= sum;
  }

  std::vector<State> states_;
  std::map<Lengths, std::size_t> index_;
};

}  // namespace

std::vector<double> join_shorter_of_two(const Lengths& lengths) {
  const auto n = static_cast<double>(lengths.size());
  std::vector<double> chances;
  // Longest first, so the shorter of a pair is the later one: q of the pairs end with number q.
  for (std::size_t q = 0; q < lengths.size(); ++q) {
    chances.push_back(static_cast<double>(q) / (n * (n - 1) / 2));
  }
  return chances;
}

std::vector<double> join_shorter_of_two_draws(const Lengths& lengths) {
  const auto n = static_cast<double>(lengths.size());
  std::vector<double> chances;
  for (std::size_t q = 0; q < lengths.size(); ++q) {
    chances.push_back((2 * static_cast<double>(q) + 1) / (n * n));
  }
  return chances;
}

std::vector<double> join_shortest(const Lengths& lengths) {
  std::vector<double> chances(lengths.size());
  chances.back() = 1;
  return chances;
}

std::vector<double> join_idle(const Lengths& lengths) {
  const auto idle = std::count(lengths.begin(), lengths.end(), 0);
  if (idle == 0) return join_any(lengths);
  std::vector<double> chances(lengths.size());
  std::fill(chances.end() - idle, chances.end(), 1 / static_cast<double>(idle));
  return chances;
}

std::vector<double> join_any(const Lengths& lengths) {
  return std::vector<double>(lengths.size(), 1 / static_cast<double>(lengths.size()));
}

OrderedQueues::OrderedQueues(int queues, double rho, const JoinRule& rule, int length_max)
    : joins_behind_(static_cast<std::size_t>(length_max)) {
  Chain chain(queues, rho, rule, length_max);
  for (const State& state : chain.solve()) {
    const std::vector<double> chances = rule(state.lengths);
    for (std::size_t q = 0; q < chances.size(); ++q) {
      const double share = state.probability * chances[q];
      if (state.lengths[q] == length_max) {
        lost_ += share;
      } else {
        joins_behind_[static_cast<std::size_t>(state.lengths[q])] += share;
      }
    }
  }
  for (double& share : joins_behind_) share /= 1 - lost_;
}

double OrderedQueues::mean() const {
  double sum = 0;
  for (std::size_t i = 0; i < joins_behind_.size(); ++i) {
    sum += joins_behind_[i] * static_cast<double>(i + 1);
  }
  return sum;
}

double OrderedQueues::longer(double t) const {
  double sum = 0;
  for (std::size_t i = 0; i < joins_behind_.size(); ++i) {
    sum += joins_behind_[i] * boost::math::gamma_q(static_cast<double>(i + 1), t);
  }
  return sum;
}

}  // namespace lb::validation
