// Autoscalers: backends that come and go with the load.
#include <algorithm>

#include "lbsim/scenario/config_change.h"
#include "lbsim/simulation.h"

namespace lb::sim {
namespace {

constexpr std::uint32_t kLooksPerInterval = 20;

}  // namespace

void Simulation::start_scalers() {
  for (const scenario::Autoscaler& config : scenario_.autoscalers) {
    scalers_.push_back({.config = &config, .rule = ScalingRule(config), .pending = {}});
    push(config.interval / kLooksPerInterval,
         {.kind = EventKind::scaler_looks, .a = static_cast<std::uint32_t>(scalers_.size() - 1)});
  }
}

void Simulation::scaler_looks(std::uint32_t index) {
  Scaler& scaler = scalers_[index];
  double utilisation = 0;
  std::uint32_t ready = 0;
  std::uint32_t present = 0;
  const ClusterConfig* cluster = scenario::find_cluster(config_.clusters, scaler.config->cluster);
  if (cluster != nullptr) {
    present = static_cast<std::uint32_t>(cluster->backends.size());
    for (const BackendConfig& backend : cluster->backends) {
      const BackendModel& model = backends_[backend_index(backend.id)];
      if (!model.up()) continue;
      ++ready;
      utilisation += model.utilisation();
    }
  }
  scaler.rule.look(utilisation, ready);
  if (++scaler.looks % kLooksPerInterval == 0 && cluster != nullptr) {
    const auto current = present + static_cast<std::uint32_t>(scaler.pending.size());
    scale(index, current, scaler.rule.decide(now_.time_since_epoch(), current));
  }
  push(scaler.config->interval / kLooksPerInterval, {.kind = EventKind::scaler_looks, .a = index});
}

// Down: first what has not started yet, then the youngest.
void Simulation::scale(std::uint32_t index, std::uint32_t current, std::uint32_t wanted) {
  Scaler& scaler = scalers_[index];
  if (wanted == current) return;
  note(Mark::scaled, wanted);
  if (collector_.over_time() != nullptr) {
    std::string what = "scale " + scaler.config->cluster;
    what.append(" from ").append(std::to_string(current)).append(" to ");
    collector_.over_time()->mark(since_start(), what.append(std::to_string(wanted)));
  }
  for (; current < wanted; ++current) {
    scaler.pending.push_back(++scaler.last_start);
    push(scaler.config->start_delay,
         {.kind = EventKind::scaler_starts, .a = index, .b = scaler.last_start});
  }
  for (; current > wanted; --current) {
    if (!scaler.pending.empty()) {
      scaler.pending.pop_back();
      continue;
    }
    const std::string& name = scaler.config->cluster;
    const std::string id = scenario::find_cluster(config_.clusters, name)->backends.back().id;
    play({.at = {}, .what = scenario::RemoveBackend{name, id}});
  }
}

// The one that was used longest ago of those that are not there, so that it has finished what it
// had.
void Simulation::scaler_starts(std::uint32_t index, std::uint32_t start) {
  Scaler& scaler = scalers_[index];
  if (std::erase(scaler.pending, start) == 0) return;  // It was not wanted any more.
  const ClusterConfig* cluster = scenario::find_cluster(config_.clusters, scaler.config->cluster);
  if (cluster == nullptr) return;
  for (std::uint32_t tries = 0; tries < scaler.config->max; ++tries) {
    scaler.last_backend = scaler.last_backend % scaler.config->max + 1;
    const BackendConfig next = scaler.config->backend(scaler.last_backend);
    const bool present =
        std::any_of(cluster->backends.begin(), cluster->backends.end(),
                    [&](const BackendConfig& backend) { return backend.id == next.id; });
    if (present) continue;
    backends_[backend_index(next.id)].start(now_.time_since_epoch());
    return play({.at = {}, .what = scenario::AddBackend{scaler.config->cluster, next}});
  }
}

}  // namespace lb::sim
