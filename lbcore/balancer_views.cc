// What others are told, and what can be seen from outside.
#include <algorithm>

#include "lbcore/balancer_state.h"

namespace lb {

void BalancerCounters::add(const BalancerCounters& other) {
  for (const auto member :
       {&BalancerCounters::requests, &BalancerCounters::attempts, &BalancerCounters::retries,
        &BalancerCounters::retries_denied, &BalancerCounters::queued,
        &BalancerCounters::breakers_opened, &BalancerCounters::sessions_moved,
        &BalancerCounters::connections_opened, &BalancerCounters::connections_reused}) {
    this->*member += other.*member;
  }
  for (std::size_t i = 0; i < kOutcomeCount; ++i) outcomes.counts[i] += other.outcomes.counts[i];
}

std::vector<BackendLoad> Balancer::own_load() const {
  std::vector<BackendLoad> loads;
  for (const BackendSlot slot : slots_by_id_) {
    const Backend& backend = backends_[slot];
    if (backend.own_in_flight > 0) loads.push_back({backend.id, backend.own_in_flight});
  }
  return loads;
}

std::size_t Balancer::in_progress() const { return requests_.size(); }

std::vector<Tally> Balancer::take_tallies(Instant now) {
  std::vector<Tally> tallies = tallies_;  // A copy, so that counting goes on without allocating.
  forget_tallies();
  std::sort(tallies.begin(), tallies.end(),
            [](const Tally& a, const Tally& b) { return a.backend < b.backend; });
  if (!tallies.empty()) told(now, input::TalliesTaken{}, tallies);
  return tallies;
}

Tally& Balancer::tally_of(Backend& backend) {
  if (backend.tally == Backend::kNoTally) {
    backend.tally = static_cast<std::uint32_t>(tallies_.size());
    tallies_.push_back({.backend = backend.id});
  }
  return tallies_[backend.tally];
}

void Balancer::forget_tally(Backend& backend) {
  if (backend.tally == Backend::kNoTally) return;
  find_backend(tallies_.back().backend)->tally = backend.tally;
  tallies_[backend.tally] = tallies_.back();
  tallies_.pop_back();
  backend.tally = Backend::kNoTally;
}

void Balancer::forget_tallies() {
  for (const Tally& tally : tallies_) find_backend(tally.backend)->tally = Backend::kNoTally;
  tallies_.clear();
}

std::vector<BackendStatus> Balancer::backends() const {
  std::vector<BackendStatus> all;
  all.reserve(slots_by_id_.size());
  for (const BackendSlot slot : slots_by_id_) {
    const Backend& backend = backends_[slot];
    const Exclusion why = excluded_by(backend);
    all.push_back({.id = backend.id,
                   .weight = backend.weight,
                   .health = backend.health,
                   .ejected = backend.ejected,
                   .removed = backend.removed,
                   .eligible = why == Exclusion::none,
                   .exclusion = why,
                   .breaker = backend.breaker.state(),
                   .ramp_percent = backend.ramp_percent,
                   .in_flight = backend.own_in_flight,
                   .idle_connections = pool_.idle_count(slot),
                   .picked = backend.picked,
                   .failures = backend.failures,
                   .errors = backend.errors,
                   .outcomes = backend.outcomes});
  }
  return all;
}

// Why it would not be picked. A backend that is in the choice because of a panic is not excluded.
Exclusion Balancer::excluded_by(const Backend& backend) const {
  if (!backend.place) {
    const Exclusion why = standing(backend);
    return why == Exclusion::none ? Exclusion::lower_priority : why;
  }
  if (is_open(backend)) return Exclusion::none;
  return breaker_admits(backend) ? Exclusion::at_limit : Exclusion::breaker_open;
}

Explanation Balancer::explain(Instant now, const RequestInput& input) const {
  Explanation explanation;
  explanation.panicking = eligible_.panicking();
  Prng unused = prng_;
  for (const BackendSlot slot : slots_by_id_) {
    const Backend& backend = backends_[slot];
    Explanation::Candidate candidate{.backend = backend.id,
                                     .exclusion = excluded_by(backend),
                                     .priority = backend.priority,
                                     .weight = backend.weight,
                                     .in_flight = backend.in_flight()};
    if (backend.place) {
      candidate.effective_weight = eligible_.effective_weight(backend.place);
      candidate.score = eligible_.score(backend.place, input.key, now, unused);
    }
    explanation.candidates.push_back(candidate);
  }
  Request request;
  request.key = input.key;
  if (config_.affinity) request.session = input.session;
  if (const BackendSlot slot = session_of(request); slot != kNoSlot) {
    explanation.kind = Start::Kind::assigned;
    explanation.picked = backends_[slot].id;
    explanation.reason = PickReason::sticky;
    return explanation;
  }
  const Room there = somebody_waits() ? Room::later : room();
  if (there == Room::later && queue_.size() < config_.limits.queue) {
    explanation.kind = Start::Kind::queued;
  }
  if (there != Room::now) return explanation;
  // Copies pick, so that looking leaves no trace; the draws are what took one generator from where
  // it was to where the other one went.
  EligibleSet eligible = eligible_.clone();
  Prng prng = prng_;
  const EligibleSet::Choice choice = eligible.pick(input.key, {}, now, prng);
  for (Prng replay = prng_; replay != prng;) explanation.draws.push_back(replay.next());
  explanation.kind = Start::Kind::assigned;
  explanation.picked = backends_[choice.slot].id;
  explanation.reason = choice.reason;
  return explanation;
}

}  // namespace lb
