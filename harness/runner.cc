#include "harness/runner.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdio>
#include <memory>

#include "harness/address_plan.h"
#include "harness/admin_client.h"
#include "harness/backend_fleet.h"
#include "harness/daemon.h"
#include "harness/daemon_watch.h"
#include "harness/errors.h"
#include "harness/live.h"
#include "harness/load_client.h"
#include "lbsim/scenario/collector.h"
#include "lbsim/scenario/config_change.h"
#include "lbsim/scenario/seeds.h"

namespace lb::harness {
namespace {

using boost::asio::ip::tcp;
using Error = boost::system::error_code;
using Descriptor = boost::asio::posix::stream_descriptor;

// Why the admin API refused: its "error", or all it said.
std::string reason_of(const AdminAnswer& answer) {
  const config::Json json = config::Json::parse(answer.body, nullptr, false);
  return json.is_object() ? json.value("error", answer.body) : answer.body;
}

class Run {
 public:
  Run(const scenario::Scenario& scenario, const Programs& programs, bool live,
      const Interruption& interruption);

  [[nodiscard]] scenario::Report play();

 private:
  void start_backends();
  void start_loads();
  void drive();
  void watch();
  void arm_next_event();
  void fire(const scenario::Event& event);
  void change_backends(const AdminRequest& request, const std::string& description);
  void arm_live();
  void say_where();
  void end_if_over();
  [[nodiscard]] scenario::Report report();
  [[nodiscard]] const config::ListenerConfig& listener_of(const scenario::Load& load) const;

  const scenario::Scenario& scenario_;
  const Programs& programs_;
  const bool live_;
  const Interruption& interruption_;

  // Destroyed from the last to the first: processes end before their ports and their folder go.
  TempDir folder_;
  AddressPlan addresses_;
  BackendFleet backends_;
  std::unique_ptr<Daemon> daemon_;

  scenario::Collector collector_;
  LiveSecond live_second_;
  std::uint64_t live_seconds_ = 0;
  std::vector<std::string> warnings_;
  config::DaemonConfig config_;  // As the daemon has it by now.

  boost::asio::io_context io_{1};
  std::unique_ptr<DaemonWatch> watch_;
  Clock::time_point start_;
  boost::asio::steady_timer end_timer_{io_};
  boost::asio::steady_timer event_timer_{io_};
  boost::asio::steady_timer live_timer_{io_};
  Descriptor signals_{io_};
  Descriptor daemon_end_{io_};
  std::size_t next_event_ = 0;
  std::size_t under_way_ = 0;  // Loads, and the timer of the duration.
  bool daemon_ended_ = false;
  std::vector<std::unique_ptr<LoadClient>> loads_;
};

Run::Run(const scenario::Scenario& scenario, const Programs& programs, bool live,
         const Interruption& interruption)
    : scenario_(scenario),
      programs_(programs),
      live_(live),
      interruption_(interruption),
      addresses_(scenario, folder_.file("access.log")),
      backends_(programs.lbharness, folder_),
      collector_(scenario, true),
      config_(scenario.config) {}

scenario::Report Run::play() {
  start_backends();
  daemon_ = std::make_unique<Daemon>(programs_.lbd, folder_, addresses_.localize(scenario_.config),
                                     interruption_);
  if (live_) say_where();
  drive();
  if (daemon_ended_) throw daemon_->ended_early(kExitNotHeld);
  interruption_.check();
  scenario::Report result = report();
  loads_.clear();  // Their connections, which a stopping daemon would have to wait for.
  constexpr Duration kStopMargin = std::chrono::seconds{5};
  daemon_->stop(scenario_.config.shutdown_timeout + kStopMargin, interruption_);
  return result;
}

void Run::start_backends() {
  for (const auto& [cluster, backend] : scenario_.all_backends()) {
    backends_.start({.id = backend.id,
                     .port = addresses_.backend_port(backend.id),
                     .health_path = addresses_.health_path(cluster),
                     .load_path = addresses_.load_path(cluster),
                     .proxy_protocol = addresses_.proxy_protocol(cluster),
                     .behaviour = scenario_.behaviour(backend.id),
                     .seed = scenario::backend_seed(scenario_.seed, backend.id)});
  }
  backends_.await_ready();
}

const config::ListenerConfig& Run::listener_of(const scenario::Load& load) const {
  const auto& listeners = scenario_.config.listeners;
  if (load.listener.empty()) return listeners.front();
  return *std::find_if(listeners.begin(), listeners.end(),
                       [&](const auto& listener) { return listener.name == load.listener; });
}

void Run::start_loads() {
  for (std::size_t i = 0; i < scenario_.load.size(); ++i) {
    const config::ListenerConfig& listener = listener_of(scenario_.load[i]);
    const std::uint16_t port = addresses_.listener_port(listener.name);
    LoadPlan plan{.target = {boost::asio::ip::address_v4::loopback(), port},
                  .host = loopback_address(port),
                  .load = scenario_.load[i],
                  .load_index = i,
                  .duration = scenario_.duration,
                  .seed = scenario::load_seed(scenario_.seed, i),
                  .keep_alive = listener.protocol == config::Protocol::http};
    const auto take = [this](const scenario::Sample& sample) {
      collector_.add(sample);
      if (live_) live_second_.add(sample);
    };
    loads_.push_back(std::make_unique<LoadClient>(io_, std::move(plan), take));
  }
  // All are made before the first starts: making them takes time.
  start_ = Clock::now();
  under_way_ = loads_.size() + 1;
  for (const auto& load : loads_) load->start(start_, [this] { end_if_over(); });
  watch_ = std::make_unique<DaemonWatch>(io_, daemon_->admin(), scenario_, collector_);
  watch_->start(start_);
}

void Run::drive() {
  watch();
  start_loads();
  end_timer_.expires_at(start_ + scenario_.duration);
  end_timer_.async_wait([this](const Error&) { end_if_over(); });
  arm_next_event();
  if (live_) arm_live();
  io_.run();
}

void Run::end_if_over() {
  if (--under_way_ == 0) io_.stop();
}

// Ends the run early when someone wants it to, or when there is nobody left to measure.
void Run::watch() {
  signals_.assign(::dup(interruption_.descriptor()));
  signals_.async_wait(Descriptor::wait_read, [this](const Error& error) {
    if (!error) io_.stop();
  });
  daemon_end_.assign(::dup(daemon_->exit_descriptor()));
  daemon_end_.async_wait(Descriptor::wait_read, [this](const Error& error) {
    daemon_ended_ = !error;
    if (!error) io_.stop();
  });
}

void Run::arm_next_event() {
  if (next_event_ == scenario_.events.size()) return;
  event_timer_.expires_at(start_ + scenario_.events[next_event_].at);
  event_timer_.async_wait([this](const Error& error) {
    if (error) return;
    const scenario::Event& event = scenario_.events[next_event_++];
    if (live_) live_second_.add_event(scenario::describe_event(event));
    fire(event);
    arm_next_event();
  });
}

void Run::fire(const scenario::Event& event) {
  scenario::change_clusters(event, config_.clusters);
  if (const auto* fault = std::get_if<scenario::Fault>(&event.what)) {
    backends_.strike(*fault);
  } else if (const auto* reload = std::get_if<scenario::Reload>(&event.what)) {
    config_ = reload->config;
    daemon_->reload(addresses_.localize(config_));
  } else if (std::holds_alternative<scenario::SetBackends>(event.what)) {
    daemon_->reload(addresses_.localize(config_));
  } else if (const auto* add = std::get_if<scenario::AddBackend>(&event.what)) {
    const BackendConfig backend = addresses_.localize(add->backend);
    const config::Json body = {{"cluster", add->cluster},
                               {"id", backend.id},
                               {"address", backend.address},
                               {"weight", backend.weight}};
    change_backends({.method = "POST", .target = "/backends", .body = body.dump()},
                    scenario::describe_event(event));
  } else if (const auto* remove = std::get_if<scenario::RemoveBackend>(&event.what)) {
    change_backends({.method = "DELETE",
                     .target = "/backends/" + percent_encode(remove->id) +
                               "?cluster=" + percent_encode(remove->cluster)},
                    scenario::describe_event(event));
  }
}

void Run::change_backends(const AdminRequest& request, const std::string& description) {
  constexpr Duration kPatience = std::chrono::seconds{5};
  ask_admin_async(io_, daemon_->admin(), request, kPatience,
                  [this, description](const AdminAnswer& answer) {
                    if (answer.ok()) return;
                    warnings_.push_back(fmt::format("lbd refused \"{}\": {} {}", description,
                                                    answer.status, reason_of(answer)));
                  });
}

void Run::arm_live() {
  live_timer_.expires_at(start_ + std::chrono::seconds{live_seconds_ + 1});
  live_timer_.async_wait([this](const Error& error) {
    if (error) return;
    fmt::print(stderr, "{}\n", live_second_.finish(++live_seconds_));
    arm_live();
  });
}

void Run::say_where() {
  for (const auto& listener : scenario_.config.listeners) {
    const std::string address = loopback_address(addresses_.listener_port(listener.name));
    const bool http = listener.protocol == config::Protocol::http;
    fmt::print(stderr, "lbd listens on {} ({}){}\n", address, listener.name,
               http ? ": while this runs, curl -i http://" + address + "/" : "");
  }
  fmt::print(stderr, "admin API on {}, configuration {}\n",
             loopback_address(addresses_.admin_port()), daemon_->config_file());
}

scenario::Report Run::report() {
  std::uint64_t sent = 0;
  for (const auto& load : loads_) sent += load->sent();
  if (sent != collector_.count()) {
    throw HarnessError(kExitNotHeld,
                       fmt::format("totals do not add up: {} requests were sent and {} ended; each "
                                   "has to end exactly once",
                                   sent, collector_.count()));
  }
  const DaemonCounts counts = daemon_->counts(interruption_);
  watch_->finish(counts.totals);
  scenario::Report result = collector_.finish("measured", counts.totals);
  for (const auto& load : loads_) result.client_retries += load->retries();
  result.warnings.insert(result.warnings.end(), warnings_.begin(), warnings_.end());
  if (counts.refused_configs > 0) {
    result.warnings.push_back(fmt::format(
        "lbd refused {} of the configurations it was given while it ran, and kept what it had",
        counts.refused_configs));
  }
  // A late client is part of every latency that was measured, because these count from the
  // intended time.
  constexpr Duration kLateMax = std::chrono::milliseconds{2};
  for (std::size_t i = 0; i < loads_.size(); ++i) {
    const Duration late = loads_[i]->lateness().quantile(0.99);
    if (late <= kLateMax) continue;
    result.warnings.push_back(fmt::format(
        "load \"{}\": 1 % of the requests were sent more than {:.1f} ms late; this "
        "machine is too busy for it",
        scenario_.load[i].name, std::chrono::duration<double, std::milli>(late).count()));
  }
  return result;
}

// One listener like the scenario's first load uses, and one backend that answers at once.
scenario::Scenario thin_scenario(const scenario::Scenario& scenario) {
  scenario::Scenario thin;
  thin.name = "loopback";
  thin.duration = std::chrono::seconds{1};
  thin.config.workers = scenario.config.workers;
  config::ListenerConfig listener = scenario.config.listeners.front();
  for (const auto& candidate : scenario.config.listeners) {
    if (candidate.name == scenario.load.front().listener) listener = candidate;
  }
  listener.cluster = "loopback";
  listener.routes.clear();
  thin.config.listeners.push_back(std::move(listener));
  ClusterConfig cluster;
  cluster.name = "loopback";
  cluster.backends.push_back({.id = "loopback", .address = "127.0.0.1:1"});
  thin.config.clusters.push_back(std::move(cluster));
  thin.backends["*"].service_time = scenario::Constant{};
  scenario::Load load;
  load.arrivals = scenario::ConstantRate{200};
  load.clients = 10;
  load.request = scenario.load.front().request;
  thin.load.push_back(std::move(load));
  return thin;
}

}  // namespace

scenario::Report run_scenario(const scenario::Scenario& scenario, const Programs& programs,
                              bool live, const Interruption& interruption) {
  return Run(scenario, programs, live, interruption).play();
}

Duration measure_loopback(const scenario::Scenario& scenario, const Programs& programs,
                          const Interruption& interruption) {
  const scenario::Scenario thin = thin_scenario(scenario);
  const scenario::Report report = run_scenario(thin, programs, false, interruption);
  const Duration median = report.total.latency.quantile(0.5);
  return std::max(median - 4 * scenario.network.one_way, Duration::zero());
}

}  // namespace lb::harness
