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
    Cluster& cluster = clusters_.emplace_back(Cluster{id, config, {}});
    adopt_targets(now, cluster, before == last.end() ? nullptr : &*before);
  }
  for (Cluster& cluster : last) {  // What was not adopted is gone.
    for (Target& target : cluster.targets) stop_probing(cluster, target);
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

void Control::handle_probe_result(Instant now, const ProbeId& probe, ProbeResult result) {
  const auto [cluster, target] = find(probe.cluster, probe.backend);
  if (target == nullptr || !target->probing || target->probe_number != probe.number) return;
  conclude_probe(now, *cluster, *target, result);
}

void Control::conclude_probe(Instant now, Cluster& cluster, Target& target, ProbeResult result) {
  const HealthCheckConfig& check = *cluster.config.health_check;
  deadlines_.cancel(target.deadline);
  target.probing = false;
  const HealthState from = target.health.state();
  if (target.health.record(result, check.thresholds)) {
    actions_.push({.kind = ControlAction::Kind::health_changed,
                   .probe = {cluster.id, target.id, target.probe_number},
                   .from = from,
                   .to = target.health.state()});
  }
  target.deadline =
      deadlines_.set(DeadlineKind::probe, now + check.interval, subject_of(cluster.id, target.id));
}

void Control::handle_timeout(Instant now) {
  while (const auto expired = deadlines_.pop_expired(now)) {
    const auto [cluster, target] =
        find(ClusterId{static_cast<std::uint32_t>(expired->subject >> 32U)},
             BackendId{static_cast<std::uint32_t>(expired->subject)});
    LB_ASSERT(target != nullptr);
    if (!target->probing) {
      start_probe(now, *cluster, *target);
      continue;
    }
    actions_.push({.kind = ControlAction::Kind::abandon_probe,
                   .probe = {cluster->id, target->id, target->probe_number}});
    conclude_probe(now, *cluster, *target, ProbeResult::fail);
  }
}

std::vector<ClusterPlan> Control::plans() const {
  std::vector<ClusterPlan> plans;
  for (const Cluster& cluster : clusters_) {
    ClusterPlan& plan = plans.emplace_back(ClusterPlan{cluster.id, cluster.config, {}, {}});
    for (const Target& target : cluster.targets) {
      plan.backend_ids.push_back(target.id);
      plan.health.push_back(target.health.state());
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

// Targets are few tens to thousands and a probe is rare next to a request: a search by cluster and
// then along its backends is cheap enough up to 10,000 of them a second.
std::pair<const Control::Cluster*, const Control::Target*> Control::find(
    ClusterId cluster_id, BackendId backend_id) const {
  for (const Cluster& cluster : clusters_) {
    if (cluster.id != cluster_id) continue;
    for (const Target& target : cluster.targets) {
      if (target.id == backend_id) return {&cluster, &target};
    }
  }
  return {nullptr, nullptr};
}

std::pair<Control::Cluster*, Control::Target*> Control::find(ClusterId cluster, BackendId backend) {
  const auto [c, t] = std::as_const(*this).find(cluster, backend);
  return {const_cast<Cluster*>(c), const_cast<Target*>(t)};
}

}  // namespace lb
