#include "lbcore/control.h"

#include <algorithm>

#include "lbcore/assert.h"

namespace lb {
namespace {

std::uint64_t subject_of(ClusterId cluster, BackendId backend) {
  return (std::uint64_t{cluster.value} << 32U) | backend.value;
}

}  // namespace

void Control::handle_config(Instant now, const std::vector<ClusterConfig>& clusters) {
  std::vector<Cluster> last = std::move(clusters_);
  clusters_.clear();
  for (const ClusterConfig& config : clusters) {
    const auto id =
        cluster_ids_
            .try_emplace(config.name, ClusterId{static_cast<std::uint32_t>(cluster_ids_.size())})
            .first->second;
    const auto before = std::find_if(last.begin(), last.end(),
                                     [&](const Cluster& cluster) { return cluster.id == id; });
    Cluster& cluster = clusters_.emplace_back(Cluster{id, config, {}, {}, {}, {}});
    Cluster* known = before == last.end() ? nullptr : &*before;
    adopt_targets(now, cluster, known);
    adopt_outlier(now, cluster, known);
  }
  for (Cluster& cluster : last) {  // What was not adopted is gone.
    for (Target& target : cluster.targets) stop_probing(cluster, target);
    deadlines_.cancel(cluster.outlier_deadline);
  }
}

void Control::adopt_targets(Instant now, Cluster& next, Cluster* last) {
  const bool was_probed = last != nullptr && last->config.health_check.has_value();
  const bool same_check = was_probed && last->config.health_check == next.config.health_check;
  std::map<std::pair<std::string, std::string>, Target*> known;
  if (last != nullptr) {
    for (Target& target : last->targets) {
      known.emplace(std::pair{target.config.id, target.config.address}, &target);
    }
  }
  for (const BackendConfig& config : next.config.backends) {
    Target target;
    const auto before = known.find({config.id, config.address});
    const bool is_new = before == known.end();
    if (is_new) {
      target.id = BackendId{backend_id_next_++};
      const auto& check = next.config.health_check;
      if (check && check->initial_state == InitialState::healthy) target.health.assume_healthy();
    } else {
      target = std::exchange(*before->second, Target{});
      known.erase(before);
    }
    const bool was_disabled = target.config.state == AdminState::disabled;
    const bool served = !is_new && !was_probed && !was_disabled;
    if (served && next.config.health_check) target.health.assume_healthy();
    target.config = config;
    next.targets.push_back(std::move(target));
    Target& stored = next.targets.back();
    const bool probed = next.config.health_check && config.state != AdminState::disabled;
    if (probed && (is_new || !same_check || was_disabled)) {
      start_probe(now, next, stored);
    } else if (!probed) {
      stop_probing(next, stored);
    }
  }
}

void Control::adopt_outlier(Instant now, Cluster& next, Cluster* last) {
  const auto& config = next.config.outlier_ejection;
  if (last != nullptr && last->outlier) {
    next.outlier = std::move(last->outlier);
    next.outlier_at = last->outlier_at;
    next.outlier_deadline = std::exchange(last->outlier_deadline, {});
  }
  if (!config && next.outlier) {  // Nobody would ever bring them back.
    for (const Target& target : next.targets) {
      auto ejection = next.outlier->ejection(target.id);
      if (!ejection) continue;
      ejection->ejected = false;
      push_ejection(next, *ejection);
    }
    next.outlier.reset();
    deadlines_.cancel(next.outlier_deadline);
  }
  if (!config) return;
  if (!next.outlier) next.outlier.emplace(now, *config);
  std::vector<OutlierDetector::Member> members;
  for (const Target& target : next.targets) {
    members.push_back({target.id, in_service(next, target)});
  }
  next.outlier->handle_config(now, *config);
  next.outlier->handle_members(members);
  after_outlier(next);
}

// Passes on what the detector decided, and sees that it is called again in time.
void Control::after_outlier(Cluster& cluster) {
  while (const auto change = cluster.outlier->poll_change()) push_ejection(cluster, *change);
  const Instant at = cluster.outlier->poll_timeout();
  if (cluster.outlier_deadline && cluster.outlier_at == at) return;
  deadlines_.cancel(cluster.outlier_deadline);
  cluster.outlier_at = at;
  cluster.outlier_deadline =
      deadlines_.set(DeadlineKind::outlier, at, subject_of(cluster.id, BackendId{}));
}

void Control::push_ejection(const Cluster& cluster, const EjectionChange& change) {
  actions_.push({.kind = ControlAction::Kind::ejection_changed,
                 .probe = {cluster.id, change.backend, 0},
                 .ejection = change});
}

void Control::handle_tallies(Instant now, ClusterId cluster_id, std::uint32_t /*worker*/,
                             std::span<const Tally> tallies) {
  Cluster* cluster = find(cluster_id);
  if (cluster == nullptr || !cluster->outlier) return;
  cluster->outlier->handle_tallies(now, tallies);
  after_outlier(*cluster);
}

void Control::stop_probing(const Cluster& cluster, Target& target) {
  deadlines_.cancel(target.deadline);
  if (!target.probing) return;
  target.probing = false;
  actions_.push({.kind = ControlAction::Kind::abandon_probe,
                 .probe = {cluster.id, target.id, target.probe_number}});
}

void Control::start_probe(Instant now, Cluster& cluster, Target& target) {
  stop_probing(cluster, target);  // A changed health check overtakes the probe under way.
  target.probing = true;
  ++target.probe_number;
  target.deadline = deadlines_.set(DeadlineKind::probe, now + cluster.config.health_check->timeout,
                                   subject_of(cluster.id, target.id));
  actions_.push({.kind = ControlAction::Kind::start_probe,
                 .probe = {cluster.id, target.id, target.probe_number}});
}

void Control::handle_probe_result(Instant now, const ProbeId& probe,
                                  std::optional<ProbeResult> result) {
  const auto [cluster, target] = find(probe.cluster, probe.backend);
  if (target == nullptr || !target->probing || target->probe_number != probe.number) return;
  conclude_probe(now, *cluster, *target, result, false);
}

void Control::conclude_probe(Instant now, Cluster& cluster, Target& target,
                             std::optional<ProbeResult> result, bool silent) {
  const HealthCheckConfig& check = *cluster.config.health_check;
  deadlines_.cancel(target.deadline);
  target.probing = false;
  const HealthState from = target.health.state();
  if (result &&
      target.health.record(*result, damped(check.thresholds, target.flaps, check.flap_damping))) {
    const HealthState to = target.health.state();
    const bool fell = from == HealthState::healthy && to == HealthState::unhealthy;
    if (fell && check.flap_damping) target.flaps.record_fall(now, *check.flap_damping);
    actions_.push({.kind = ControlAction::Kind::health_changed,
                   .probe = {cluster.id, target.id, target.probe_number},
                   .from = from,
                   .to = to,
                   .silent = silent});
    if (cluster.outlier) cluster.outlier->handle_in_service(target.id, in_service(cluster, target));
  }
  target.deadline =
      deadlines_.set(DeadlineKind::probe, now + wait_between_probes(check, target.health.state()),
                     subject_of(cluster.id, target.id));
}

Duration Control::wait_between_probes(const HealthCheckConfig& check, HealthState state) {
  const bool unhealthy = state == HealthState::unhealthy;
  const Duration wait =
      unhealthy ? check.unhealthy_interval.value_or(check.interval) : check.interval;
  if (check.jitter_percent == 0) return wait;
  // In two parts: 100 times a wait of years would overflow.
  const Duration cut_max =
      wait / 100 * check.jitter_percent + wait % 100 * check.jitter_percent / 100;
  const auto cut = prng_.below(static_cast<std::uint64_t>(cut_max.count()) + 1);
  return wait - Duration{static_cast<std::int64_t>(cut)};
}

void Control::handle_timeout(Instant now) {
  while (const auto expired = deadlines_.pop_expired(now)) {
    const ClusterId cluster_id{static_cast<std::uint32_t>(expired->subject >> 32U)};
    if (expired->kind == DeadlineKind::outlier) {
      Cluster* cluster = find(cluster_id);
      LB_ASSERT(cluster != nullptr && cluster->outlier.has_value());
      cluster->outlier_deadline = {};
      cluster->outlier->handle_timeout(now);
      after_outlier(*cluster);
      continue;
    }
    const auto [cluster, target] =
        find(cluster_id, BackendId{static_cast<std::uint32_t>(expired->subject)});
    LB_ASSERT(target != nullptr);
    probe_deadline_passed(now, *cluster, *target);
  }
}

void Control::probe_deadline_passed(Instant now, Cluster& cluster, Target& target) {
  if (!target.probing) return start_probe(now, cluster, target);
  actions_.push({.kind = ControlAction::Kind::abandon_probe,
                 .probe = {cluster.id, target.id, target.probe_number}});
  conclude_probe(now, cluster, target, ProbeResult::fail, true);
}

std::vector<ClusterPlan> Control::plans() const {
  std::vector<ClusterPlan> plans;
  for (const Cluster& cluster : clusters_) {
    ClusterPlan& plan = plans.emplace_back(ClusterPlan{cluster.id, cluster.config, {}, {}, {}});
    for (const Target& target : cluster.targets) {
      plan.backend_ids.push_back(target.id);
      plan.health.push_back(target.health.state());
      if (cluster.outlier) plan.ejected.push_back(facts_of(cluster, target).ejected);
    }
  }
  return plans;
}

bool Control::knows_all() const {
  for (const Cluster& cluster : clusters_) {
    for (const Target& target : cluster.targets) {
      if (target.probing && target.health.state() == HealthState::unknown) return false;
    }
  }
  return true;
}

Health Control::health(ClusterId cluster, BackendId backend) const {
  const Target* target = find(cluster, backend).second;
  return target == nullptr ? Health{} : target->health;
}

BackendStanding Control::standing(ClusterId cluster_id, BackendId backend) const {
  const auto [cluster, target] = find(cluster_id, backend);
  if (target == nullptr) return {};
  return {.health = target->health.state(),
          .ejection = cluster->outlier ? cluster->outlier->ejection(backend) : std::nullopt,
          .exclusion = exclusion_of(facts_of(*cluster, *target))};
}

const EjectionCounters* Control::ejection_counters(ClusterId cluster_id) const {
  const Cluster* cluster = find(cluster_id);
  return cluster == nullptr || !cluster->outlier ? nullptr : &cluster->outlier->counters();
}

BackendFacts Control::facts_of(const Cluster& cluster, const Target& target) {
  return {.state = target.config.state,
          .probed = cluster.config.health_check.has_value(),
          .health = target.health.state(),
          .ejected = cluster.outlier && cluster.outlier->ejection(target.id).has_value()};
}

// Nothing but an ejection keeps it from serving.
bool Control::in_service(const Cluster& cluster, const Target& target) {
  BackendFacts facts = facts_of(cluster, target);
  facts.ejected = false;
  return exclusion_of(facts) == Exclusion::none;
}

const BackendConfig& Control::backend_config(const ProbeId& probe) const {
  const Target* target = find(probe.cluster, probe.backend).second;
  LB_ASSERT(target != nullptr);
  return target->config;
}

const HealthCheckConfig& Control::health_check(const ProbeId& probe) const {
  const Cluster* cluster = find(probe.cluster, probe.backend).first;
  LB_ASSERT(cluster != nullptr && cluster->config.health_check.has_value());
  return *cluster->config.health_check;
}

bool Control::exists(const ProbeId& probe) const {
  return find(probe.cluster, probe.backend).second != nullptr;
}

// Ids are handed out in order, so a backend stands as far behind the first as its id is above that
// one's, until some leave. Then a search along all of them is cheap enough up to 10,000 probes a
// second, which are rare next to requests.
std::pair<const Control::Cluster*, const Control::Target*> Control::find(
    ClusterId cluster_id, BackendId backend_id) const {
  const Cluster* cluster = find(cluster_id);
  if (cluster == nullptr) return {nullptr, nullptr};
  const std::vector<Target>& targets = cluster->targets;
  const std::size_t guess = targets.empty() ? 0 : backend_id.value - targets.front().id.value;
  if (guess < targets.size() && targets[guess].id == backend_id) return {cluster, &targets[guess]};
  for (const Target& target : targets) {
    if (target.id == backend_id) return {cluster, &target};
  }
  return {nullptr, nullptr};
}

const Control::Cluster* Control::find(ClusterId cluster_id) const {
  for (const Cluster& cluster : clusters_) {
    if (cluster.id == cluster_id) return &cluster;
  }
  return nullptr;
}

Control::Cluster* Control::find(ClusterId cluster) {
  return const_cast<Cluster*>(std::as_const(*this).find(cluster));
}

std::pair<Control::Cluster*, Control::Target*> Control::find(ClusterId cluster, BackendId backend) {
  const auto [c, t] = std::as_const(*this).find(cluster, backend);
  return {const_cast<Cluster*>(c), const_cast<Target*>(t)};
}

}  // namespace lb
