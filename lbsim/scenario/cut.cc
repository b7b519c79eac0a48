#include "lbsim/scenario/cut.h"

namespace lb::scenario {
namespace {

double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::uint64_t BalancerTotals::outcome(const std::string& name) const {
  const auto found = outcomes.find(name);
  return found == outcomes.end() ? 0 : found->second;
}

std::uint64_t BalancerTotals::refused() const {
  return outcome("no_backend") + outcome("over_limit") + outcome("queue_timeout");
}

double BalancerTotals::refused_ratio() const { return ratio(refused(), requests); }

double BalancerTotals::retry_ratio() const { return ratio(retries, requests); }

// Of all that ended, those that never reached a cluster too.
double BalancerTotals::outcome_ratio(const std::string& name) const {
  std::uint64_t all = 0;
  for (const auto& [_, count] : outcomes) all += count;
  return ratio(outcome(name), all);
}

void BalancerTotals::add(const BalancerTotals& other) {
  requests += other.requests;
  attempts += other.attempts;
  retries += other.retries;
  connections_opened += other.connections_opened;
  connections_reused += other.connections_reused;
  for (const auto& [outcome, count] : other.outcomes) outcomes[outcome] += count;
}

BalancerTotals BalancerTotals::since(const BalancerTotals& earlier) const {
  BalancerTotals now = *this;
  now.requests -= earlier.requests;
  now.attempts -= earlier.attempts;
  now.retries -= earlier.retries;
  now.connections_opened -= earlier.connections_opened;
  now.connections_reused -= earlier.connections_reused;
  for (auto& [name, count] : now.outcomes) count -= earlier.outcome(name);
  return now;
}

}  // namespace lb::scenario
