#include "lbsim/scenario/config_change.h"

#include <algorithm>

namespace lb::scenario {
namespace {

void change(const Reload& reload, std::vector<ClusterConfig>& clusters) {
  clusters = reload.config.clusters;
}

void change(const AddBackend& add, std::vector<ClusterConfig>& clusters) {
  ClusterConfig* cluster = find_cluster(clusters, add.cluster);
  if (cluster != nullptr) cluster->backends.push_back(add.backend);
}

void change(const RemoveBackend& remove, std::vector<ClusterConfig>& clusters) {
  ClusterConfig* cluster = find_cluster(clusters, remove.cluster);
  if (cluster == nullptr) return;
  std::erase_if(cluster->backends,
                [&](const BackendConfig& backend) { return backend.id == remove.id; });
}

void change(const SetBackends& set, std::vector<ClusterConfig>& clusters) {
  ClusterConfig* cluster = find_cluster(clusters, set.cluster);
  if (cluster != nullptr) cluster->backends = set.backends;
}

}  // namespace

bool change_clusters(const Event& event, std::vector<ClusterConfig>& clusters) {
  return std::visit(
      [&]<class What>(const What& what) {
        if constexpr (requires { change(what, clusters); }) {
          change(what, clusters);
          return true;
        }
        return false;
      },
      event.what);
}

ClusterConfig* find_cluster(std::vector<ClusterConfig>& clusters, std::string_view name) {
  const auto found =
      std::find_if(clusters.begin(), clusters.end(),
                   [&](const ClusterConfig& cluster) { return cluster.name == name; });
  return found == clusters.end() ? nullptr : &*found;
}

}  // namespace lb::scenario
