// Of the Daemon: how a configuration is prepared, taken over, and handed out to the workers.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <set>
#include <utility>

#include "lbd/daemon.h"
#include "lbd/log.h"
#include "lbd/options.h"
#include "lbnet/clock.h"

namespace lb::daemon {
namespace {

const config::ListenerConfig* find_listener(const config::DaemonConfig& config,
                                            const std::string& name) {
  for (const auto& listener : config.listeners) {
    if (listener.name == name) return &listener;
  }
  return nullptr;
}

}  // namespace

void ReloadCounters::note_time() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  last_success_unix_seconds = std::chrono::duration_cast<std::chrono::seconds>(since_1970).count();
}

std::optional<std::string> Daemon::prepare(const config::DaemonConfig& next,
                                           std::map<std::string, net::Endpoint>& endpoints,
                                           OpenedByListener& sockets, TlsContexts& tls) const {
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
      const bool good =
          sockets_.open(endpoint, worker_count(), listens_on(endpoint), sockets[listener.name]);
      if (!good) throw boost::system::system_error(errno, boost::system::system_category());
    }
  } catch (const boost::system::system_error& error) {
    discard(std::exchange(sockets, {}));
    return what + ": " + error.code().message();
  }
  return std::nullopt;
}

bool Daemon::listens_on(const net::Endpoint& endpoint) const {
  return open_ && std::any_of(config_.listeners.begin(), config_.listeners.end(),
                              [&](const config::ListenerConfig& each) {
                                return endpoints_.at(each.bind) == endpoint;
                              });
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
  OpenedByListener sockets;
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
  reloads_.note_time();
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
void Daemon::hand_out_listeners(const config::DaemonConfig& last, OpenedByListener sockets,
                                const Handout& clusters) {
  for (const auto& [name, opened] : sockets) {
    log_event(
        LogLevel::info, "listening",
        {{"listener", name}, {"address", net::to_string(net::local_endpoint(opened.fds[0]))}});
  }
  std::set<std::string> paths;
  for (const auto& each : config_.listeners) paths.emplace(endpoints_.at(each.bind).path());
  sockets_.keep(sockets, paths);
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

}  // namespace lb::daemon
