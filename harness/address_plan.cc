#include "harness/address_plan.h"

#include <algorithm>
#include <variant>

#include "lbcore/load_question.h"

namespace lb::harness {
namespace {

// A fake backend tells a probe from work by its path alone. In the simulator a probe never takes a
// place, so where a load asks for the very path of a probe, the probe gets another one.
constexpr const char* kOwnHealthPath = "/.lbharness/health";
constexpr const char* kOwnLoadPath = "/.lbharness/load";

}  // namespace

AddressPlan::AddressPlan(const scenario::Scenario& scenario, std::string access_log)
    : scenario_(scenario), access_log_(std::move(access_log)) {
  for (const auto& member : scenario.all_backends()) backends_.try_emplace(member.backend.id);
  plan(scenario.config);
  for (const scenario::Event& event : scenario.events) {
    if (const auto* reload = std::get_if<scenario::Reload>(&event.what)) plan(reload->config);
  }
}

void AddressPlan::plan(const config::DaemonConfig& config) {
  for (const auto& listener : config.listeners) listeners_.try_emplace(listener.name);
  for (const ClusterConfig& cluster : config.clusters) {
    proxy_protocols_.try_emplace(cluster.name, cluster.proxy_protocol);
    if (cluster.health_check && cluster.health_check->type == ProbeType::http) {
      health_paths_.try_emplace(cluster.name,
                                unless_work(cluster.health_check->path, kOwnHealthPath));
    }
    if (const auto question = load_question(cluster.strategy)) {
      load_paths_.try_emplace(cluster.name, unless_work(question->path, kOwnLoadPath));
    }
  }
}

std::uint16_t AddressPlan::listener_port(const std::string& listener) const {
  return listeners_.at(listener).port();
}

std::uint16_t AddressPlan::backend_port(const std::string& backend) const {
  return backends_.at(backend).port();
}

std::string AddressPlan::health_path(const std::string& cluster) const {
  const auto found = health_paths_.find(cluster);
  return found == health_paths_.end() ? std::string{} : found->second;
}

std::string AddressPlan::load_path(const std::string& cluster) const {
  const auto found = load_paths_.find(cluster);
  return found == load_paths_.end() ? std::string{} : found->second;
}

config::DaemonConfig AddressPlan::localize(config::DaemonConfig config) const {
  for (auto& listener : config.listeners) {
    listener.bind = loopback_address(listener_port(listener.name));
  }
  for (ClusterConfig& cluster : config.clusters) {
    for (BackendConfig& backend : cluster.backends) backend = localize(std::move(backend));
    // One path for a cluster over all reloads, because its backends know only one.
    if (cluster.health_check && cluster.health_check->type == ProbeType::http) {
      cluster.health_check->path = health_path(cluster.name);
    }
    localize_strategy(cluster);
  }
  config.admin = config::AdminConfig{.bind = loopback_address(admin_port())};
  config.log.access = access_log_;
  return config;
}

BackendConfig AddressPlan::localize(BackendConfig backend) const {
  backend.address = loopback_address(backend_port(backend.id));
  return backend;
}

void AddressPlan::localize_strategy(ClusterConfig& cluster) const {
  std::visit(
      [&]<class Config>(Config& strategy) {
        if constexpr (AsksForLoad<Config>) strategy.path = load_path(cluster.name);
      },
      cluster.strategy);
}

std::string AddressPlan::unless_work(const std::string& path, const char* own_path) const {
  const bool is_work =
      std::any_of(scenario_.load.begin(), scenario_.load.end(),
                  [&](const scenario::Load& load) { return load.request.path == path; });
  return is_work ? own_path : path;
}

std::string loopback_address(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

}  // namespace lb::harness
