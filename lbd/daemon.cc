#include "lbd/daemon.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <future>
#include <iostream>
#include <random>

#include "lbd/admin.h"
#include "lbd/connection_limits.h"
#include "lbd/log.h"
#include "lbd/options.h"
#include "lbnet/clock.h"
#include "lbnet/descriptors.h"

namespace lb::daemon {
namespace {

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}

// For affinity cookies of clusters that are not given a secret.
std::string random_secret() {
  return std::to_string(random_seed()) + '-' + std::to_string(random_seed());
}

// How long a worker may take to answer a question.
constexpr auto kPatience = std::chrono::seconds{1};

// Has `question` answered on the worker's thread.
template <class Question>
auto ask(net::Worker& worker, Question question) {
  using Answer = std::invoke_result_t<Question, net::Worker&>;
  auto promise = std::make_shared<std::promise<Answer>>();
  auto answer = promise->get_future();
  worker.post([&worker, promise, question] { promise->set_value(question(worker)); });
  return answer;
}

}  // namespace

Daemon::Daemon(config::DaemonConfig config, std::string config_file)
    : config_(std::move(config)),
      config_hash_(config::config_hash(config_)),
      config_file_(std::move(config_file)),
      io_(1),
      signals_(io_, SIGHUP, SIGTERM, SIGINT),
      control_timer_(io_),
      shutdown_timer_(io_),
      flush_timer_(io_),
      control_(random_seed()),
      session_secret_(random_secret()),
      prober_(io_, [this](const ProbeId& probe, std::optional<ProbeResult> result,
                          const std::string& detail) { probe_ended(probe, result, detail); }) {}

Daemon::~Daemon() = default;

// ---------------------------------------------------------------------------------------------
// Start and stop

int Daemon::run() {
  set_log_level(config_.log.level);
  std::signal(SIGPIPE, SIG_IGN);
  descriptors_ = raise_descriptor_limit();
  if (const auto error = open_all()) {
    std::cerr << "lbd: " << *error << '\n';
    discard(std::move(unopened_));
    return kEnvironment;
  }
  start_workers();
  own_descriptors_ = net::open_descriptors();
  limit_connections();
  reloads_.note_time();
  control_.handle_config(net::now(), config_.clusters);
  for (WorkerThread& each : workers_) {
    each.worker->post([worker = each.worker.get(), take = cluster_handout()] { take(*worker); });
  }
  log_event(LogLevel::info, "starting",
            {{"version", LBD_VERSION},
             {"pid", ::getpid()},
             {"workers", workers_.size()},
             {"config_hash", config_hash_}});
  wait_for_signal();
  flush_access_log();
  after_control();
  open_when_known();
  io_.run();
  for (WorkerThread& worker : workers_) worker.thread.join();
  log_event(LogLevel::info, "stopped");
  return kDone;
}

std::optional<std::string> Daemon::open_all() {
  if (const auto error = prepare(config_, endpoints_, unopened_, tls_)) return error;
  try {
    access_log_ = std::make_unique<net::AccessLog>(config_.log.access);
  } catch (const std::exception& error) {
    return "cannot write the access log: " + std::string{error.what()};
  }
  if (!config_.admin) return std::nullopt;
  const auto address = config::parse_address(config_.admin->bind);
  try {
    const net::Endpoint endpoint = net::resolve(address->host, address->port);
    if (!net::port_is_free(endpoint)) {
      return "admin: cannot listen on " + net::to_string(endpoint) + ": " + std::strerror(errno);
    }
    admin_ = std::make_unique<AdminServer>(*this, io_, endpoint);
  } catch (const boost::system::system_error& error) {
    return "admin: cannot listen on " + config_.admin->bind + ": " + error.code().message();
  }
  return std::nullopt;
}

std::uint32_t Daemon::worker_count() const {
  return config_.workers.count > 0 ? config_.workers.count
                                   : std::max(std::thread::hardware_concurrency(), 1U);
}

void Daemon::start_workers() {
  const std::uint64_t seed = random_seed();
  const std::uint32_t count = worker_count();
  workers_.resize(count);
  for (std::uint32_t index = 0; index < count; ++index) {
    net::WorkerOptions options;
    options.index = index;
    options.seed = seed;
    options.access_log = access_log_.get();
    options.admission = &admission_;
    options.load_exchange = config_.load_exchange;
    options.drained = [this] { boost::asio::post(io_, [this] { worker_drained(); }); };
    options.has_siblings = count > 1;
    options.share_load = [this](std::uint32_t from, net::WorkerReport report) {
      pass_on(from, std::move(report));
    };
    workers_[index].worker = std::make_unique<net::Worker>(options);
  }
  workers_undrained_ = count;
  // Signals are the control thread's.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (WorkerThread& each : workers_) {
    each.thread = std::thread([worker = each.worker.get()] { worker->run(); });
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Daemon::limit_connections() {
  const net::Admission::Limits limits =
      admission_limits(config_.limits, descriptors_, own_descriptors_);
  admission_.set(limits);
  connections_max_ = limits.connections;
  if (config_.limits.max_connections <= limits.connections) return;
  log_event(LogLevel::warning, "max_connections_lowered",
            {{"from", config_.limits.max_connections},
             {"to", limits.connections},
             {"reason", "a connection may take two descriptors, and the process may have " +
                            std::to_string(descriptors_) + "; raise its limit (ulimit -n)"}});
}

// Clients that come before the first probes are back wait in the kernel's queue: opened earlier,
// they would be refused for want of a backend known to be well.
void Daemon::open_when_known() {
  if (open_ || stopping_ || !control_.knows_all()) return;
  open_ = true;
  hand_out_listeners({}, std::exchange(unopened_, {}), [](net::Worker&) {});
  log_event(LogLevel::info, "ready");
}

void Daemon::wait_for_signal() {
  signals_.async_wait([this](boost::system::error_code error, int signal) {
    if (error) return;
    wait_for_signal();
    if (signal == SIGHUP) {
      reload_file();
    } else {
      stop();
    }
  });
}

// The first time: finish what is under way, for as long as the configuration allows. The second
// time: at once.
void Daemon::stop() {
  const bool at_once = stopping_;
  if (!stopping_) {
    stopping_ = true;
    log_event(LogLevel::info, "stopping",
              {{"grace", config::format_duration(config_.shutdown_timeout)}});
    shutdown_timer_.expires_after(config_.shutdown_timeout);
    shutdown_timer_.async_wait([this](boost::system::error_code error) {
      if (!error) stop();
    });
  }
  discard(std::exchange(unopened_, {}));
  sockets_.remove_all();
  for (WorkerThread& each : workers_) {
    each.worker->post([worker = each.worker.get(), at_once] { worker->stop(at_once); });
  }
}

void Daemon::worker_drained() {
  if (--workers_undrained_ > 0) return;
  for (WorkerThread& each : workers_) {
    each.worker->post([worker = each.worker.get()] { worker->end(); });
  }
  admin_.reset();
  control_timer_.cancel();
  shutdown_timer_.cancel();
  prober_.abandon_all();
  stop_when_idle();
}

// Abandoned probes still have to come to their end. Connections to the admin address need not.
void Daemon::stop_when_idle() {
  if (prober_.idle()) return io_.stop();
  boost::asio::post(io_, [this] { stop_when_idle(); });
}

// The access log is written in blocks; whoever follows it should not wait for one to fill.
void Daemon::flush_access_log() {
  flush_timer_.expires_after(std::chrono::seconds{1});
  flush_timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    access_log_->flush();
    flush_access_log();
  });
}

// ---------------------------------------------------------------------------------------------
// Health and load, passed on

void Daemon::probe_ended(const ProbeId& probe, std::optional<ProbeResult> result,
                         const std::string& detail) {
  if (stopping_ || !control_.exists(probe)) return;
  probe_details_[probe.backend] = detail;
  control_.handle_probe_result(net::now(), probe, result);
  after_control();
}

void Daemon::after_control() {
  while (const auto action = control_.poll_action()) {
    const ProbeId& probe = action->probe;
    // Also when its backend has left: nobody else would ever close the socket.
    if (action->kind == ControlAction::Kind::abandon_probe) prober_.abandon(probe);
    if (!control_.exists(probe)) continue;
    const BackendConfig& backend = control_.backend_config(probe);
    switch (action->kind) {
      case ControlAction::Kind::start_probe: {
        const net::Endpoint& endpoint = endpoints_.at(backend.address);
        const ProbeWay& way = probe_ways_[probe.cluster];
        prober_.start(probe, control_.health_check(probe), endpoint,
                      std::string{net::host_field(endpoint, backend.address)}, way.tls.get(),
                      way.header);
      } break;
      case ControlAction::Kind::abandon_probe:
        probe_details_[probe.backend] = "no answer in time";
        break;
      case ControlAction::Kind::health_changed:
        log_event(action->to == HealthState::healthy ? LogLevel::info : LogLevel::warning,
                  action->to == HealthState::healthy ? "backend_up" : "backend_down",
                  {{"backend", backend.id},
                   {"address", backend.address},
                   {"from", to_string(action->from)},
                   {"to", to_string(action->to)},
                   {"reason", "probe: " + probe_details_[probe.backend]}});
        for (WorkerThread& each : workers_) {
          each.worker->post(
              [worker = each.worker.get(), probe, to = action->to, silent = action->silent] {
                worker->apply_health(probe.cluster, probe.backend, to, silent);
              });
        }
        break;
      case ControlAction::Kind::ejection_changed:
        log_ejection(backend, action->ejection);
        for (WorkerThread& each : workers_) {
          each.worker->post(
              [worker = each.worker.get(), probe, ejected = action->ejection.ejected] {
                worker->apply_ejection(probe.cluster, probe.backend, ejected);
              });
        }
        break;
    }
  }
  open_when_known();
  const auto next = control_.poll_timeout();
  if (!next || stopping_ || (armed_ && *armed_ <= *next)) return;
  armed_ = next;
  control_timer_.expires_at(std::chrono::steady_clock::time_point{next->time_since_epoch()});
  control_timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    armed_.reset();
    control_.handle_timeout(net::now());
    after_control();
  });
}

void Daemon::log_ejection(const BackendConfig& backend, const EjectionChange& change) const {
  log_event(change.ejected ? LogLevel::warning : LogLevel::info,
            change.ejected ? "backend_ejected" : "backend_unejected",
            {{"backend", backend.id},
             {"address", backend.address},
             {"rule", to_string(change.rule)},
             {"duration", config::format_duration(change.duration)}});
}

// Called on the thread of the worker that tells.
void Daemon::pass_on(std::uint32_t from, net::WorkerReport report) {
  if (!report.tallies.empty()) {
    boost::asio::post(
        io_, [this, from, tallies = std::move(report.tallies)] { take_tallies(from, tallies); });
  }
  const auto shared = std::make_shared<const net::WorkerReport>(std::move(report));
  for (std::uint32_t index = 0; index < workers_.size(); ++index) {
    if (index == from) continue;
    net::Worker* sibling = workers_[index].worker.get();
    sibling->post([sibling, from, shared] {
      for (const auto& [cluster, load] : shared->loads) {
        sibling->apply_sibling_load(from, cluster, load);
      }
      sibling->apply_sibling_spent(shared->spent);
    });
  }
}

void Daemon::take_tallies(std::uint32_t from,
                          const std::vector<std::pair<ClusterId, std::vector<Tally>>>& tallies) {
  if (stopping_) return;  // Hardly anything new comes, and nobody would be brought back.
  const Instant now = net::now();
  for (const auto& [cluster, list] : tallies) control_.handle_tallies(now, cluster, from, list);
  after_control();
}

std::optional<std::vector<net::WorkerSnapshot>> Daemon::snapshots() {
  std::vector<std::future<net::WorkerSnapshot>> pending;
  for (WorkerThread& each : workers_) {
    pending.push_back(ask(*each.worker, [](net::Worker& worker) { return worker.snapshot(); }));
  }
  std::vector<net::WorkerSnapshot> all;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  for (auto& future : pending) {
    if (future.wait_until(until) != std::future_status::ready) return std::nullopt;
    all.push_back(future.get());
  }
  return all;
}

std::optional<Explanation> Daemon::explain(ClusterId cluster, HashKey key) {
  auto answer = ask(*workers_.front().worker, [cluster, key](net::Worker& worker) {
    return worker.explain(cluster, {.key = key});
  });
  if (answer.wait_for(kPatience) != std::future_status::ready) return std::nullopt;
  return answer.get();
}

}  // namespace lb::daemon
