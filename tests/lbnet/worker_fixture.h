// WorkerTest: one Worker on a thread of its own, with one listener, between clients and backends
// that the test speaks for. A test reads as what happens: client sends, backend accepts, backend
// answers, client reads.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "lbnet/worker.h"
#include "tests/lbnet/sockets.h"

namespace lb::net::testing {

using namespace std::chrono_literals;

class WorkerTest : public ::testing::Test {
 protected:
  WorkerTest() {
    std::signal(SIGPIPE, SIG_IGN);  // As lbd does.
    config.name = "shop";
    config.strategy = RoundRobinConfig{};
    config.retries.backoff.base = 0ms;  // A retry is due at once.
    setup.name = "web";
    setup.head_timeout = setup.idle_timeout = setup.body_timeout = 5s;
  }
  ~WorkerTest() override {
    if (worker_) stop(true);
    EXPECT_EQ(accepted_sessions_, 0u) << "a session outlived its worker";
  }

  // -- Before the first client
  ClusterConfig config;
  ListenerSetup setup;
  std::string access_log = "off";

  // Backends are called b1, b2, …
  void have_backend(std::uint16_t port) {
    config.backends.push_back({"b" + std::to_string(ports_.size() + 1), std::to_string(port)});
    ports_.push_back(port);
  }
  void start() {
    log_ = std::make_unique<AccessLog>(access_log);
    worker_ = std::make_unique<Worker>(
        WorkerOptions{.access_log = log_.get(), .drained = [this] { worker_->end(); }});
    const Endpoint any{boost::asio::ip::address_v4::loopback(), 0};
    const int fd = open_listening_socket(any);
    ASSERT_GE(fd, 0);
    port_ = port_of(fd);
    thread_ = std::thread([this] { worker_->run(); });
    on_worker([&] {
      worker_->apply({cluster_setup()});
      worker_->open_listener(setup, fd);
    });
  }

  // -- At any time
  Peer connect() {
    if (!worker_) start();
    return Peer::connect_to(port_);
  }
  // Runs there and comes back with the result.
  template <class Function>
  std::invoke_result_t<Function> on_worker(Function&& function) {
    using Result = std::invoke_result_t<Function>;
    const auto promise = std::make_shared<std::promise<Result>>();
    worker_->post([&function, promise] {
      if constexpr (std::is_void_v<Result>) {
        function();
        promise->set_value();
      } else {
        promise->set_value(function());
      }
    });
    return promise->get_future().get();
  }
  WorkerSnapshot snapshot() {
    return on_worker([&] { return worker_->snapshot(); });
  }
  ClusterSnapshot cluster() { return snapshot().clusters.at(0); }
  std::uint64_t ended(Outcome outcome) { return cluster().counters.outcomes[outcome]; }
  ListenerCounters listener() { return snapshot().listeners["web"]; }
  std::size_t idle_connections() {
    std::size_t count = 0;
    for (const auto& backend : cluster().backends) count += backend.status.idle_connections;
    return count;
  }
  // Asks the worker again and again.
  template <class Condition>
  void wait_until(Condition&& condition) {
    const auto give_up = std::chrono::steady_clock::now() + 5s;
    bool met = condition();
    while (!met && std::chrono::steady_clock::now() < give_up) met = condition();
    EXPECT_TRUE(met) << "it did not happen within five seconds";
  }
  void stop(bool at_once) {
    on_worker([&] { worker_->stop(at_once); });
    finish();
  }
  // Once stop() was said on the worker: all its sessions have to end.
  void finish() {
    thread_.join();
    accepted_sessions_ = worker_->snapshot().sessions;
    worker_.reset();
    log_.reset();
  }
  Worker& worker() { return *worker_; }

  ClusterSetup cluster_setup() {
    ClusterSetup cluster{{ClusterId{0}, config, {}, {}}, {}};
    for (std::size_t n = 0; n < config.backends.size(); ++n) {
      cluster.plan.backend_ids.push_back(BackendId{static_cast<std::uint32_t>(n)});
      cluster.plan.health.push_back(HealthState::unknown);
      cluster.endpoints.emplace_back(boost::asio::ip::address_v4::loopback(), ports_[n]);
    }
    return cluster;
  }

 private:
  std::vector<std::uint16_t> ports_;
  std::uint16_t port_ = 0;
  std::unique_ptr<AccessLog> log_;
  std::unique_ptr<Worker> worker_;
  std::thread thread_;
  std::size_t accepted_sessions_ = 0;
};

// With one backend, and words for plain requests and answers.
class OneBackendTest : public WorkerTest {
 protected:
  OneBackendTest() { have_backend(backend.port()); }

  TestBackend backend;

  static constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  static constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

  // One request over these two connections, and its whole answer back.
  static void serve(Peer& client, Peer& upstream) {
    client.send(kGet);
    EXPECT_TRUE(upstream.read_head().starts_with("GET / HTTP/1.1\r\n"));
    upstream.send(kOk);
    EXPECT_EQ(client.read_until("ok"), kOk);
  }
};

}  // namespace lb::net::testing
