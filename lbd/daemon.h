// Daemon: the control side. It owns the control brain, the workers' threads and the admin server,
// and passes facts between them; it decides nothing.
//
// Everything here runs on the control thread, the one that calls run(). Workers are told things by
// posting to them, in order, so all of them see the same history.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "lbcore/config/daemon_config.h"
#include "lbcore/control.h"
#include "lbd/listening_sockets.h"
#include "lbd/tls_files.h"
#include "lbnet/access_log.h"
#include "lbnet/metrics.h"
#include "lbnet/prober.h"
#include "lbnet/worker.h"

namespace lb::daemon {

class AdminServer;

enum ExitCode { kDone = 0, kBadInput = 2, kEnvironment = 3 };

struct ReloadCounters {
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::int64_t last_success_unix_seconds = 0;

  void note_time();  // Of a success, now.
};

class Daemon {
 public:
  // `config_file` is what HUP reads again; empty when there is none.
  Daemon(config::DaemonConfig config, std::string config_file);
  ~Daemon();

  // Opens everything, serves until told to stop, and returns the exit code. What cannot be opened
  // is said on standard error, and nothing has been started then.
  [[nodiscard]] int run();

  // -- For the admin server
  // Replaces the configuration; nothing is changed when it returns an error.
  [[nodiscard]] std::optional<std::string> apply(const config::DaemonConfig& next,
                                                 const std::string& cause);
  [[nodiscard]] const config::DaemonConfig& config() const { return config_; }
  [[nodiscard]] const std::string& config_hash() const { return config_hash_; }
  // Serving, and not about to stop.
  [[nodiscard]] bool ready() const { return open_ && !stopping_; }
  // A copy of what every worker counts; nothing when one does not answer within a second.
  [[nodiscard]] std::optional<std::vector<net::WorkerSnapshot>> snapshots();
  // Where the first worker would send a request with this key, and why. Likewise.
  [[nodiscard]] std::optional<Explanation> explain(ClusterId cluster, HashKey key);
  [[nodiscard]] const Control& control() const { return control_; }
  [[nodiscard]] const TlsContexts& tls() const { return tls_; }
  [[nodiscard]] const ReloadCounters& reloads() const { return reloads_; }
  // Of clients, at a time.
  [[nodiscard]] std::uint32_t connections_max() const { return connections_max_; }
  [[nodiscard]] std::uint64_t access_log_dropped() const { return access_log_->dropped(); }

 private:
  struct WorkerThread {
    std::unique_ptr<net::Worker> worker;
    std::thread thread;
  };

  [[nodiscard]] std::optional<std::string> open_all();
  void start_workers();
  void limit_connections();
  void open_when_known();
  [[nodiscard]] std::uint32_t worker_count() const;

  // Looks up and opens what `next` needs beyond what is there; throws nothing, changes nothing.
  [[nodiscard]] std::optional<std::string> prepare(const config::DaemonConfig& next,
                                                   std::map<std::string, net::Endpoint>& endpoints,
                                                   OpenedByListener& sockets,
                                                   TlsContexts& tls) const;
  [[nodiscard]] bool listens_on(const net::Endpoint& endpoint) const;
  [[nodiscard]] static std::optional<std::string> needs_restart(const config::DaemonConfig& last,
                                                                const config::DaemonConfig& next);
  // What a worker has to be told, on its thread.
  using Handout = std::function<void(net::Worker&)>;
  [[nodiscard]] Handout cluster_handout();
  void hand_out_listeners(const config::DaemonConfig& last, OpenedByListener sockets,
                          const Handout& clusters);
  [[nodiscard]] net::ListenerSetup listener_setup(const config::ListenerConfig& listener) const;

  void wait_for_signal();
  void reload_file();
  void stop();
  void worker_drained();
  void stop_when_idle();
  void flush_access_log();
  void after_control();
  void probe_ended(const ProbeId& probe, std::optional<ProbeResult> result,
                   const std::string& detail);
  void pass_on(std::uint32_t worker, net::WorkerReport report);
  void take_tallies(std::uint32_t worker,
                    const std::vector<std::pair<ClusterId, std::vector<Tally>>>& tallies);
  void log_ejection(const BackendConfig& backend, const EjectionChange& change) const;

  config::DaemonConfig config_;
  std::string config_hash_;
  std::string config_file_;
  boost::asio::io_context io_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer control_timer_;
  boost::asio::steady_timer shutdown_timer_;
  boost::asio::steady_timer flush_timer_;
  Control control_;
  std::string session_secret_;  // Signs the affinity cookies of clusters without a secret.
  std::optional<Instant> armed_;
  std::map<BackendId, std::string> probe_details_;  // What the last probe of each met with.
  net::Prober prober_;
  std::unique_ptr<net::AccessLog> access_log_;
  net::Admission admission_;
  std::uint32_t descriptors_ = 0;      // That the process may have,
  std::uint32_t own_descriptors_ = 0;  // and has without any connection.
  std::uint32_t connections_max_ = 0;
  std::vector<WorkerThread> workers_;
  std::size_t workers_undrained_ = 0;
  std::unique_ptr<AdminServer> admin_;
  std::map<std::string, net::Endpoint> endpoints_;  // By address as configured.
  ListeningSockets sockets_;
  TlsContexts tls_;
  struct ProbeWay {
    std::shared_ptr<const net::tls::ClientContext> tls;
    SentProxyHeader header = SentProxyHeader::none;
  };
  std::map<ClusterId, ProbeWay> probe_ways_;
  OpenedByListener unopened_;  // Listeners that wait for the first probes.
  bool open_ = false;
  bool stopping_ = false;
  ReloadCounters reloads_;
};

}  // namespace lb::daemon
