// A real lbd as a child process, from its configuration file to its orderly end.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>

#include "harness/errors.h"
#include "harness/interruption.h"
#include "harness/process.h"
#include "harness/temp_dir.h"
#include "lbcore/config/daemon_config.h"
#include "lbsim/scenario/report.h"

namespace lb::harness {

// What lbd counted over its whole life.
struct DaemonCounts {
  scenario::BalancerTotals totals;
  std::uint64_t refused_configs = 0;  // By HUP or by the admin API.
};

// Out of lbd's metrics in JSON.
[[nodiscard]] scenario::BalancerTotals totals_of(const config::Json& metrics);

class Daemon {
 public:
  // Writes `config`, which has an admin address, into `folder` and starts lbd with it; returns when
  // it says that it is ready. Throws HarnessError when it ends before, or is not ready in time.
  Daemon(const std::string& program, const TempDir& folder, const config::DaemonConfig& config,
         const Interruption& interruption);

  [[nodiscard]] const std::string& config_file() const { return config_file_; }
  [[nodiscard]] const boost::asio::ip::tcp::endpoint& admin() const { return admin_; }
  [[nodiscard]] int exit_descriptor() const { return process_.exit_descriptor(); }

  void reload(const config::DaemonConfig& config) const;

  // What lbd counted, once it is idle. Throws HarnessError when a cluster's requests and its
  // outcomes do not add up even then.
  [[nodiscard]] DaemonCounts counts(const Interruption& interruption);

  // Tells it to stop and requires that it does so well, within `patience`. Throws HarnessError.
  void stop(Duration patience, const Interruption& interruption);

  // The error when it has ended though nobody told it to.
  [[nodiscard]] HarnessError ended_early(int exit_code);

 private:
  void await_ready(const Interruption& interruption);
  [[nodiscard]] std::string last_words() const;

  std::string config_file_;
  std::string error_file_;
  boost::asio::ip::tcp::endpoint admin_;
  Process process_;
};

}  // namespace lb::harness
