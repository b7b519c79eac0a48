#include "lbsim/scenario/unspoken.h"

#include <algorithm>
#include <string_view>

#include "lbsim/scenario/behaviour_text.h"

namespace lb::scenario {
namespace {

using config::Node;
using config::Problem;

class Notes {
 public:
  Notes(const Node& node, const std::string& path, std::vector<Problem>& simulated_only)
      : node_(node), path_(path), simulated_only_(simulated_only) {}

  // Of the element number `i` of a list.
  void add(const std::string& list, std::size_t i, const std::string& key, std::string_view words) {
    std::string path = path_.empty() ? "" : path_ + '.';
    path.append(list).append("[").append(std::to_string(i)).append("].").append(key);
    const Node* all = node_.find(list);
    const Node* found = all == nullptr ? nullptr : all->items[i].find(key);
    simulated_only_.push_back({(found == nullptr ? node_ : *found).at, path, std::string{words}});
  }

 private:
  const Node& node_;
  const std::string& path_;
  std::vector<Problem>& simulated_only_;
};

SentProxyHeader header_of(const std::string& cluster, const config::DaemonConfig& config,
                          SentProxyHeader otherwise) {
  const auto found = std::find_if(config.clusters.begin(), config.clusters.end(),
                                  [&](const auto& each) { return each.name == cluster; });
  return found == config.clusters.end() ? otherwise : found->proxy_protocol;
}

}  // namespace

void note_unspoken(const Node& node, const std::string& path, const config::DaemonConfig& config,
                   const config::DaemonConfig& first, std::vector<Problem>& simulated_only) {
  Notes notes(node, path, simulated_only);
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const config::ListenerConfig& listener = config.listeners[i];
    if (listener.tls) {
      notes.add("listeners", i, "tls",
                "only lbsim can play this; clients of lbharness speak no TLS");
    }
    if (listener.identity.proxy_protocol != AcceptedProxyHeader::none) {
      notes.add("listeners", i, "proxy_protocol",
                "only lbsim can play this; clients of lbharness send no PROXY header");
    }
  }
  for (std::size_t i = 0; i < config.clusters.size(); ++i) {
    const ClusterConfig& cluster = config.clusters[i];
    if (cluster.tls) notes.add("clusters", i, "tls", kSimulatedOnly);
    const SentProxyHeader before = header_of(cluster.name, first, cluster.proxy_protocol);
    if (cluster.proxy_protocol == before) continue;
    notes.add("clusters", i, "proxy_protocol",
              "only lbsim can play this; a fake backend expects the same all the time");
  }
}

}  // namespace lb::scenario
