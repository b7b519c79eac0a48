// The certificates, keys and authorities that a configuration names, read and made ready for use.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lbcore/config/daemon_config.h"
#include "lbnet/tls/client_context.h"
#include "lbnet/tls/server_context.h"

namespace lb::daemon {

// By the names of listeners and clusters; those without TLS are not there.
struct TlsContexts {
  std::map<std::string, std::shared_ptr<const net::tls::ServerContext>> listeners;
  std::map<std::string, std::shared_ptr<const net::tls::ClientContext>> clusters;

  [[nodiscard]] std::shared_ptr<const net::tls::ServerContext> of_listener(
      const std::string& name) const;
  [[nodiscard]] std::shared_ptr<const net::tls::ClientContext> of_cluster(
      const std::string& name) const;
};

struct LoadedTls {
  TlsContexts contexts;
  std::vector<config::Problem> problems;  // Empty when the contexts may be used. No positions.
  std::vector<config::Problem> warnings;
};

// Reads all of the files anew. Names are relative to the folder of `config_file`, or to where we
// are when that is empty. What of `last` has not changed goes on: see the contexts.
[[nodiscard]] LoadedTls load_tls(const config::DaemonConfig& config, const std::string& config_file,
                                 const TlsContexts& last);

}  // namespace lb::daemon
