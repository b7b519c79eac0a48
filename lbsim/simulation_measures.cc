// Who looks on: what a report says of the inside of the world.
#include "lbcore/assert.h"
#include "lbsim/simulation.h"

namespace lb::sim {

// How everything stands at the end of an interval, for the report.
void Simulation::look() {
  scenario::TimeSeriesCollector& series = *collector_.over_time();
  scenario::TimeSeriesCollector::Snapshot snapshot;
  for (const Brain& brain : brains_) {
    if (!brain.balancer) continue;
    snapshot.queued += brain.balancer->queue_length();
    for (const BackendStatus& status : brain.balancer->backends()) {
      const std::size_t place = places_[brain.daemon->backend_of_id[status.id.value]];
      if (place >= snapshot.backends.size()) snapshot.backends.resize(place + 1);
      auto& backend = snapshot.backends[place];
      backend.in_flight += status.in_flight;
      // Of several workers the last that has something to say.
      if (backend.state.empty() || status.exclusion != Exclusion::none) {
        backend.state =
            status.exclusion == Exclusion::none ? "eligible" : to_string(status.exclusion);
      }
    }
  }
  series.look(snapshot);
  if (now_.time_since_epoch() + series.interval() <= scenario_.duration) {
    push(series.interval(), {.kind = EventKind::look});
  }
}

// How everything stands where a part of the run begins or ends that somebody asks about.
void Simulation::start_cuts() {
  const std::vector<Duration>& times = collector_.cut_times();
  for (std::uint32_t i = 0; i < times.size(); ++i) push(times[i], {.kind = EventKind::cut, .a = i});
}

void Simulation::cut(std::uint32_t number) {
  LB_ASSERT(number == next_cut_);
  next_cut_ = number + 1;
  const Duration at = collector_.cut_times()[number];
  scenario::Cut cut{
      .balancer = total(), .levels = true, .queued = queued_.read(at), .backends = {}};
  cut.backends.resize(backends_.size());
  for (std::uint32_t backend = 0; backend < backends_.size(); ++backend) {
    Weights& weights = weights_[backend];
    const Presence& presence = presence_[backend];
    const std::uint64_t brains = presence.brains * static_cast<std::uint64_t>(at.count());
    cut.backends[places_[backend]] = {.in_flight = weights.in_flight.read(at),
                                      .waiting = weights.waiting.read(at),
                                      .busy = weights.busy.integral(at),
                                      .places = presence.places.integral(at),
                                      .out = brains - presence.in_use.integral(at),
                                      .brains = brains};
  }
  collector_.cut(number, std::move(cut));
}

// Who is in the configuration now.
void Simulation::note_presence() {
  std::vector<bool> present(backends_.size());
  for (const ClusterConfig& cluster : config_.clusters) {
    for (const BackendConfig& backend : cluster.backends) present[backend_index(backend.id)] = true;
  }
  for (std::uint32_t backend = 0; backend < backends_.size(); ++backend) {
    weights_[backend].present = present[backend];
    const BackendModel& model = backends_[backend];
    presence_[backend].places.set(since_start(), present[backend] ? model.places() : model.busy());
  }
}

// Little's law and conservation. What was sent has ended, once; and the number of requests in the
// system, added up over time as it changed, is the time that they say they have spent there.
void Simulation::finish_measures() {
  while (next_cut_ < collector_.cut_times().size()) cut(next_cut_);
  LB_ASSERT(collector_.count() == sent_);
  LB_ASSERT(in_system_.value() == 0 && queued_.value() == 0);
  LB_ASSERT(in_system_.integral(since_start()) == collector_.time_in_system());
  for (const Weights& weights : weights_) LB_ASSERT(weights.in_flight.value() == 0);
}

void Simulation::observe_all() {
  for (std::uint32_t brain = 0; brain < brains_.size(); ++brain) observe(brain);
  for (std::size_t backend = 0; !observed_ && backend < backends_.size(); ++backend) {
    if (presence_[backend].in_use.value() > 0) continue;
    collector_.follow_standing().note({}, places_[backend], to_string(Exclusion::removed));
  }
  observed_ = true;
}

// Which backends a brain has in its choice now. One without room, or behind others by its priority,
// is not out; and a breaker that lets trials through is not open.
void Simulation::observe(std::uint32_t index) {
  Brain& brain = brains_[index];
  if (!brain.balancer) return;  // Its daemon is gone: what it knew last is all that is known.
  std::vector<Exclusion> now(backends_.size(), Exclusion::removed);
  for (const BackendStatus& status : brain.balancer->backends()) {
    Exclusion why = status.exclusion;
    if (why == Exclusion::breaker_open && status.breaker != BreakerState::open) {
      why = Exclusion::none;
    }
    if (why == Exclusion::at_limit || why == Exclusion::lower_priority) why = Exclusion::none;
    Exclusion& own = now[brain.daemon->backend_of_id[status.id.value]];
    if (why == Exclusion::none || own == Exclusion::removed) own = why;
  }
  brain.standing.resize(backends_.size(), Exclusion::removed);
  for (std::uint32_t backend = 0; backend < backends_.size(); ++backend) {
    if (now[backend] == brain.standing[backend]) continue;
    Level& in_use = presence_[backend].in_use;
    if (brain.standing[backend] == Exclusion::none) in_use.fall(since_start());
    if (now[backend] == Exclusion::none) in_use.rise(since_start());
    brain.standing[backend] = now[backend];
    collector_.follow_standing().note(since_start(), places_[backend],
                                      in_use.value() > 0 ? "eligible" : to_string(now[backend]));
  }
}

// One that opened lets trials through after a time, whoever asks then.
void Simulation::observe_breakers(std::uint32_t index) {
  Brain& brain = brains_[index];
  const std::uint64_t opened = brain.balancer->counters().breakers_opened;
  if (opened == brain.breakers_opened) return;
  brain.breakers_opened = opened;
  observe(index);
  const auto& breaker = brain.balancer->config().circuit_breaker;
  // A nanosecond later the brain has done it, in whatever order the two come.
  if (breaker) {
    push(breaker->open_time + Duration{1}, {.kind = EventKind::observe, .a = index});
  }
}

std::vector<scenario::BalancerTotals> Simulation::totals() const {
  std::vector<scenario::BalancerTotals> daemons(daemons_.size());
  for (const Daemon& daemon : daemons_) daemons[daemon.number] = daemon.past;
  for (const Brain& brain : brains_) {
    if (!brain.balancer) continue;
    daemons[brain.daemon->number].add(totals_of(brain.balancer->counters()));
  }
  return daemons;
}

// Of all of them: names are written once.
scenario::BalancerTotals Simulation::total() const {
  BalancerCounters counters;
  for (const Brain& brain : brains_) {
    if (brain.balancer) counters.add(brain.balancer->counters());
  }
  scenario::BalancerTotals total = totals_of(counters);
  for (const Daemon& daemon : daemons_) total.add(daemon.past);
  return total;
}

}  // namespace lb::sim
