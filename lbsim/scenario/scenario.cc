#include "lbsim/scenario/scenario.h"

#include <set>

#include "lbsim/scenario/scenario_fields.h"

namespace lb::scenario {
namespace {

std::string word_of(FaultKind wanted) {
  for (const auto& [kind, word] : config::EnumWords<FaultKind>::words) {
    if (kind == wanted) return word;
  }
  return {};
}

}  // namespace

const Behaviour& Scenario::behaviour(const std::string& backend) const {
  static const Behaviour kDefault;
  auto found = backends.find(backend);
  if (found == backends.end()) found = backends.find("*");
  return found == backends.end() ? kDefault : found->second;
}

std::vector<Scenario::Member> Scenario::all_backends() const {
  std::vector<Member> all;
  std::set<std::pair<std::string, std::string>> seen;
  const auto add = [&](const std::string& cluster, const BackendConfig& backend) {
    if (seen.insert({cluster, backend.id}).second) all.push_back({cluster, backend});
  };
  const auto add_clusters = [&](const config::DaemonConfig& daemon) {
    for (const ClusterConfig& cluster : daemon.clusters) {
      for (const BackendConfig& backend : cluster.backends) add(cluster.name, backend);
    }
  };
  add_clusters(config);
  for (const Event& event : events) {
    if (const auto* reload = std::get_if<Reload>(&event.what)) add_clusters(reload->config);
    if (const auto* join = std::get_if<AddBackend>(&event.what)) add(join->cluster, join->backend);
    if (const auto* set = std::get_if<SetBackends>(&event.what)) {
      for (const BackendConfig& backend : set->backends) add(set->cluster, backend);
    }
  }
  for (const Autoscaler& scaler : autoscalers) {
    for (std::uint32_t n = 1; n <= scaler.max; ++n) add(scaler.cluster, scaler.backend(n));
  }
  return all;
}

std::string describe_event(const Event& event) {
  if (const auto* fault = std::get_if<Fault>(&event.what)) {
    std::string text = word_of(fault->kind) + ' ' + fault->backend;
    if (fault->daemons.size() == 1) text += " from daemon ";
    if (fault->daemons.size() > 1) text += " from daemons ";
    for (const std::uint32_t daemon : fault->daemons) {
      text += (daemon == fault->daemons.front() ? "" : ", ") + std::to_string(daemon);
    }
    return text;
  }
  if (const auto* fault = std::get_if<DaemonFault>(&event.what)) {
    const std::string word = fault->drain > Duration::zero() ? "drain" : word_of(fault->kind);
    return word + " daemon " + std::to_string(fault->daemon);
  }
  if (const auto* add = std::get_if<AddBackend>(&event.what)) return "add " + add->backend.id;
  if (const auto* set = std::get_if<SetBackends>(&event.what)) {
    return "set backends of " + set->cluster;
  }
  if (const auto* remove = std::get_if<RemoveBackend>(&event.what)) return "remove " + remove->id;
  return "reload";
}

std::string for_client(std::string_view text, std::uint32_t client) {
  constexpr std::string_view kMark = "{client}";
  std::string out;
  for (std::size_t mark; (mark = text.find(kMark)) != std::string_view::npos;) {
    out.append(text, 0, mark).append(std::to_string(client));
    text.remove_prefix(mark + kMark.size());
  }
  return out.append(text);
}

std::string client_address(std::size_t load_index, std::uint32_t client) {
  // 127.<load + 1>.x.y: the kernel accepts any address of 127/8 as a source on loopback.
  return "127." + std::to_string(load_index % 250 + 1) + '.' + std::to_string(client / 250 % 250) +
         '.' + std::to_string(client % 250 + 1);
}

}  // namespace lb::scenario
