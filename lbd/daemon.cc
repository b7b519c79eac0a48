#include "lbd/daemon.h"

#include <fcntl.h>
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

// Listening sockets, and the file of a unix socket.
void discard(const std::vector<int>& fds, const std::string& path) {
  if (!path.empty()) ::unlink(path.c_str());
  for (const int fd : fds) ::close(fd);
}

std::int64_t unix_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}

// For affinity cookies of clusters that are not given a secret.
std::string random_secret() {
  return std::to_string(random_seed()) + '-' + std::to_string(random_seed());
}

const config::ListenerConfig* find_listener(const config::DaemonConfig& config,
                                            const std::string& name) {
  for (const auto& listener : config.listeners) {
    if (listener.name == name) return &listener;
  }
  return nullptr;
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
    for (const auto& [_, sockets] : unopened_) discard(sockets.fds, sockets.path);
    return kEnvironment;
  }
  start_workers();
  own_descriptors_ = net::open_descriptors();
  limit_connections();
  reloads_.last_success_unix_seconds = unix_seconds();
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
  for (auto& [_, sockets] : std::exchange(unopened_, {})) discard(sockets.fds, sockets.path);
  remove_unix_sockets();
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
// Configuration

std::optional<std::string> Daemon::prepare(const config::DaemonConfig& next,
                                           std::map<std::string, net::Endpoint>& endpoints,
                                           std::map<std::string, Sockets>& sockets,
                                           TlsContexts& tls) const {
  LoadedTls loaded = load_tls(next, config_file_, tls_);
  if (!loaded.problems.empty()) {
    return loaded.problems.front().path + ": " + loaded.problems.front().message;
  }
  tls = std::move(loaded.contexts);
  const auto look_up = [&](const std::string& text) {
    const auto address = config::parse_address(text);
    if (!endpoints.contains(text)) {
      endpoints[text] = address->path.empty() ? net::resolve(address->host, address->port)
                                              : net::Endpoint::unix_socket(address->path);
    }
    return endpoints[text];
  };
  std::string what;
  try {
    for (const ClusterConfig& cluster : next.clusters) {
      for (const BackendConfig& backend : cluster.backends) {
        what = "backend " + backend.id + ": cannot look up " + backend.address;
        look_up(backend.address);
      }
    }
    for (const config::ListenerConfig& listener : next.listeners) {
      what = "listener " + listener.name + ": cannot listen on " + listener.bind;
      const net::Endpoint endpoint = look_up(listener.bind);
      const config::ListenerConfig* present =
          open_ ? find_listener(config_, listener.name) : nullptr;
      if (present != nullptr && present->bind == listener.bind) continue;
      const bool good = open_sockets(endpoint, sockets[listener.name]);
      if (!good) throw boost::system::system_error(errno, boost::system::system_category());
    }
  } catch (const boost::system::system_error& error) {
    for (auto& [_, opened] : std::exchange(sockets, {})) discard(opened.fds, opened.path);
    return what + ": " + error.code().message();
  }
  return std::nullopt;
}

bool Daemon::open_sockets(const net::Endpoint& endpoint, Sockets& sockets) const {
  if (endpoint.is_unix()) {
    // Another listener of ours may have it now: the same socket goes over to this one.
    const auto ours = unix_sockets_.find(endpoint.path());
    int fd = ours == unix_sockets_.end() ? net::open_listening_socket(endpoint)
                                         : ::fcntl(ours->second, F_DUPFD_CLOEXEC, 0);
    if (fd >= 0 && ours == unix_sockets_.end()) sockets.path = endpoint.path();
    while (fd >= 0) {
      sockets.fds.push_back(fd);
      if (sockets.fds.size() == worker_count()) return true;
      fd = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    }
    return false;
  }
  // Likewise; the other gives the address up when this one takes over.
  const bool is_ours = open_ && std::any_of(config_.listeners.begin(), config_.listeners.end(),
                                            [&](const config::ListenerConfig& each) {
                                              return endpoints_.at(each.bind) == endpoint;
                                            });
  if (!is_ours && !net::port_is_free(endpoint)) return false;
  net::Endpoint place = endpoint;
  while (sockets.fds.size() < worker_count()) {
    const int fd = net::open_listening_socket(place);
    if (fd < 0) return false;
    sockets.fds.push_back(fd);
    place = net::local_endpoint(fd);  // Port 0 has become a real one.
  }
  return true;
}

void Daemon::keep_unix_sockets(const std::map<std::string, Sockets>& opened) {
  for (const auto& [_, sockets] : opened) {
    if (sockets.path.empty()) continue;
    unix_sockets_[sockets.path] = ::fcntl(sockets.fds.front(), F_DUPFD_CLOEXEC, 0);
  }
  for (auto place = unix_sockets_.begin(); place != unix_sockets_.end();) {
    const bool stays = std::any_of(config_.listeners.begin(), config_.listeners.end(),
                                   [&](const config::ListenerConfig& listener) {
                                     return endpoints_.at(listener.bind).path() == place->first;
                                   });
    if (stays) {
      ++place;
    } else {
      discard({place->second}, place->first);
      place = unix_sockets_.erase(place);
    }
  }
}

// Who connects from now on is refused, and the next lbd finds nothing in its way.
void Daemon::remove_unix_sockets() {
  for (const auto& [path, fd] : std::exchange(unix_sockets_, {})) discard({fd}, path);
}

std::optional<std::string> Daemon::needs_restart(const config::DaemonConfig& last,
                                                 const config::DaemonConfig& next) {
  const char* what = nullptr;
  if (last.workers != next.workers) what = "workers";
  if (last.load_exchange != next.load_exchange) what = "load_exchange";
  if (last.admin != next.admin) what = "admin";
  if (last.log.access != next.log.access) what = "log.access";
  if (what == nullptr) return std::nullopt;
  return std::string{what} + " cannot change while lbd runs; restart it, or leave that as it was";
}

std::optional<std::string> Daemon::apply(const config::DaemonConfig& next,
                                         const std::string& cause) {
  std::map<std::string, net::Endpoint> endpoints;
  std::map<std::string, Sockets> sockets;
  TlsContexts tls;
  std::optional<std::string> error = stopping_ ? "lbd is stopping" : needs_restart(config_, next);
  if (!error && !open_) error = "lbd is still starting; try again when /readyz says 200";
  if (!error) error = prepare(next, endpoints, sockets, tls);
  if (error) {
    ++reloads_.failed;
    log_event(LogLevel::error, "config_rejected", {{"cause", cause}, {"error", *error}});
    return error;
  }
  const config::DaemonConfig last = std::exchange(config_, next);
  config_hash_ = config::config_hash(config_);
  endpoints_ = std::move(endpoints);
  tls_ = std::move(tls);
  set_log_level(config_.log.level);
  control_.handle_config(net::now(), config_.clusters);
  hand_out_listeners(last, std::move(sockets), cluster_handout());
  limit_connections();
  after_control();
  ++reloads_.succeeded;
  reloads_.last_success_unix_seconds = unix_seconds();
  log_event(LogLevel::info, "config_applied", {{"cause", cause}, {"config_hash", config_hash_}});
  return std::nullopt;
}

void Daemon::reload_file() {
  if (config_file_.empty()) {
    log_event(LogLevel::warning, "reload_ignored", {{"error", "lbd was started without a file"}});
    return;
  }
  const ReadConfig read = read_config_file(config_file_);
  if (read.status == ReadConfig::Status::good) {
    static_cast<void>(apply(read.config, "HUP"));
    return;
  }
  ++reloads_.failed;
  log_event(LogLevel::error, "config_rejected", {{"cause", "HUP"}, {"error", read.problems}});
}

Daemon::Handout Daemon::cluster_handout() {
  auto setups = std::make_shared<std::vector<net::ClusterSetup>>();
  probe_ways_.clear();
  const auto last_details = std::exchange(probe_details_, {});  // Of backends that left: dropped.
  for (const ClusterPlan& plan : control_.plans()) {
    for (const BackendId id : plan.backend_ids) {
      const auto known = last_details.find(id);
      if (known != last_details.end()) probe_details_.insert(*known);
    }
    net::ClusterSetup& setup = setups->emplace_back(net::ClusterSetup{plan, {}});
    if (auto& affinity = setup.plan.config.affinity; affinity && affinity->cookie.secret.empty()) {
      affinity->cookie.secret = session_secret_;
    }
    setup.tls = tls_.of_cluster(plan.config.name);
    probe_ways_[plan.id] = {setup.tls, plan.config.proxy_protocol};
    for (const BackendConfig& backend : plan.config.backends) {
      setup.endpoints.push_back(endpoints_.at(backend.address));
    }
  }
  return [setups, limit = config_.rate_limit](net::Worker& worker) {
    worker.apply(*setups);
    worker.apply_rate_limit(limit);
  };
}

// All of it in one go, clusters first: between the two a request could find a cluster gone that its
// route still leads to.
void Daemon::hand_out_listeners(const config::DaemonConfig& last,
                                std::map<std::string, Sockets> sockets, const Handout& clusters) {
  for (const auto& [name, opened] : sockets) {
    log_event(
        LogLevel::info, "listening",
        {{"listener", name}, {"address", net::to_string(net::local_endpoint(opened.fds[0]))}});
  }
  keep_unix_sockets(sockets);
  auto gone = std::make_shared<std::vector<std::string>>();
  for (const config::ListenerConfig& listener : last.listeners) {
    if (find_listener(config_, listener.name) == nullptr) gone->push_back(listener.name);
  }
  auto setups = std::make_shared<std::vector<net::ListenerSetup>>();
  for (const config::ListenerConfig& listener : config_.listeners) {
    setups->push_back(listener_setup(listener));
  }
  for (std::size_t index = 0; index < workers_.size(); ++index) {
    std::map<std::string, int> fds;  // Of the listeners that are new.
    for (const auto& [name, opened] : sockets) fds[name] = opened.fds[index];
    net::Worker* worker = workers_[index].worker.get();
    worker->post([worker, clusters, gone, setups, fds] {
      clusters(*worker);
      for (const std::string& name : *gone) worker->close_listener(name);
      for (const net::ListenerSetup& setup : *setups) {
        const auto opened = fds.find(setup.name);
        if (opened == fds.end()) {
          worker->update_listener(setup);
        } else {
          worker->open_listener(setup, opened->second);
        }
      }
    });
  }
}

net::ListenerSetup Daemon::listener_setup(const config::ListenerConfig& listener) const {
  net::ListenerSetup setup;
  setup.name = listener.name;
  setup.protocol =
      listener.protocol == config::Protocol::tcp ? net::Protocol::tcp : net::Protocol::http;
  const auto id_of = [&](const std::string& cluster) {
    ClusterId id;
    for (const ClusterPlan& plan : control_.plans()) {
      if (plan.config.name == cluster) id = plan.id;
    }
    return id;
  };
  setup.cluster = id_of(listener.cluster);
  if (!listener.routes.empty()) {
    setup.routes = std::make_shared<const RouteTable>(listener.routes, listener.ambiguous_paths,
                                                      id_of, listener.tls.has_value());
  }
  setup.max_body = listener.max_body;
  setup.min_rate = listener.min_rate;
  setup.via = listener.via;
  setup.proxy_header = listener.identity.proxy_protocol;
  setup.trusted_proxies = TrustedProxies(listener.identity.trusted_proxies);
  setup.forwarded = listener.identity.forwarded;
  setup.request_id = listener.identity.request_id;
  setup.traceparent = listener.identity.traceparent;
  setup.head_timeout = listener.timeouts.head;
  setup.idle_timeout = listener.timeouts.idle;
  setup.body_timeout = listener.timeouts.body;
  setup.tls = tls_.of_listener(listener.name);
  return setup;
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
