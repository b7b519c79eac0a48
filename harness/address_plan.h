// Which reserved loopback port stands for which address of a scenario, and the scenario's
// configurations with these put in. Nothing else of a configuration changes but where its access
// log goes, and the path of a health check or a load probe where it would be mistaken for work.
#pragma once

#include <map>
#include <string>

#include "harness/ports.h"
#include "lbsim/scenario/scenario.h"

namespace lb::harness {

class AddressPlan {
 public:
  // Reserves every port a run will need. The access log goes to `access_log`. Throws HarnessError.
  AddressPlan(const scenario::Scenario& scenario, std::string access_log);

  [[nodiscard]] std::uint16_t listener_port(const std::string& listener) const;
  [[nodiscard]] std::uint16_t backend_port(const std::string& backend) const;
  [[nodiscard]] std::uint16_t admin_port() const { return admin_.port(); }

  // The path that health checks of a backend's cluster ask for; empty when there are none.
  [[nodiscard]] std::string health_path(const std::string& cluster) const;

  // The path that a cluster's strategy asks its backends' load for; empty when it does not ask.
  [[nodiscard]] std::string load_path(const std::string& cluster) const;

  // What connections to a cluster's backends begin with.
  [[nodiscard]] SentProxyHeader proxy_protocol(const std::string& cluster) const {
    return proxy_protocols_.at(cluster);
  }

  [[nodiscard]] config::DaemonConfig localize(config::DaemonConfig config) const;
  [[nodiscard]] BackendConfig localize(BackendConfig backend) const;

 private:
  void plan(const config::DaemonConfig& config);
  void localize_strategy(ClusterConfig& cluster) const;
  [[nodiscard]] std::string unless_work(const std::string& path, const char* own_path) const;

  const scenario::Scenario& scenario_;
  std::string access_log_;
  PortReservation admin_;
  std::map<std::string, PortReservation> listeners_;
  std::map<std::string, PortReservation> backends_;
  std::map<std::string, std::string> health_paths_;  // By cluster, as localized.
  std::map<std::string, std::string> load_paths_;    // Likewise.
  std::map<std::string, SentProxyHeader> proxy_protocols_;
};

// "127.0.0.1:PORT"
[[nodiscard]] std::string loopback_address(std::uint16_t port);

}  // namespace lb::harness
