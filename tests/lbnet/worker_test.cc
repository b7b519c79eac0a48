// Goal: requests go through a worker and come back, over connections that are reused while they
// are good, to another backend when one cannot be reached, and never a second time when they must
// not.
// Method: a real worker, loopback sockets, the other ends in the test's hands.
#include "lbnet/worker.h"

#include "tests/lbnet/worker_fixture.h"

namespace lb::net {
namespace {

using namespace std::chrono_literals;
using testing::DeafPort;
using testing::OneBackendTest;
using testing::Peer;
using testing::RefusingPort;
using testing::TestBackend;
using testing::WorkerTest;

using WorkerServes = OneBackendTest;
using WorkerPool = OneBackendTest;

TEST_F(WorkerServes, ARequestEndToEnd) {
  Peer client = connect();
  client.send("GET /x HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nX: y\r\n\r\n");
  Peer upstream = backend.accept();
  EXPECT_EQ(upstream.read_head(),
            "GET /x HTTP/1.1\r\nHost: a\r\nX: y\r\nX-Forwarded-For: 127.0.0.1\r\n"
            "X-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n\r\n");
  upstream.send("HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nKeep-Alive: 5\r\n\r\nok");
  EXPECT_EQ(client.read_until("ok"), "HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(ended(Outcome::success), 1u);
  EXPECT_EQ(listener().answers[2], 1u);
  EXPECT_EQ(listener().bytes_out, 2u);
  EXPECT_EQ(listener().connections_active, 1u);
}

TEST_F(WorkerServes, ManyRequestsOverTheSameTwoConnections) {
  Peer client = connect();
  client.send(kGet);
  Peer upstream = backend.accept();
  upstream.read_head();
  upstream.send(kOk);
  client.read_until("ok");
  for (int n = 0; n < 20; ++n) serve(client, upstream);
  EXPECT_FALSE(backend.somebody_waits());
  EXPECT_EQ(cluster().counters.connections_opened, 1u);
  EXPECT_EQ(cluster().counters.connections_reused, 20u);
}

TEST_F(WorkerServes, PipelinedRequestsInTheirOrder) {
  Peer client = connect();
  client.send(
      "\r\nGET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
      "GET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /4 HTTP/1.1\r\n");
  Peer upstream = backend.accept();
  for (const char* path : {"/1", "/2", "/3"}) {
    const std::string head = upstream.read_head();
    EXPECT_NE(head.find(path), std::string::npos) << head;
    EXPECT_EQ(upstream.read(head.starts_with("POST") ? 3 : 0),
              path == std::string{"/2"} ? "abc" : "");
    upstream.send(std::string{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"} + path);
  }
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n";
  EXPECT_EQ(client.read_to_end(),
            head + "\r\n/1" + head + "\r\n/2" + head + "Connection: close\r\n\r\n/3");
  EXPECT_FALSE(upstream.readable());
}

TEST_F(WorkerServes, ClientsThatComeAndGo) {
  std::vector<Peer> clients;
  for (int n = 0; n < 10; ++n) clients.push_back(connect());
  wait_until([&] { return listener().connections_active == 10; });
  clients.clear();
  wait_until([&] { return listener().connections_active == 0; });
  EXPECT_EQ(snapshot().sessions, 0u);
  EXPECT_EQ(listener().connections, 10u);
  EXPECT_EQ(listener().rejected, 0u);
}

// -- The pool

TEST_F(WorkerPool, AConnectionIsSharedByClients) {
  Peer first = connect();
  first.send(kGet);
  Peer upstream = backend.accept();
  upstream.read_head();
  upstream.send(kOk);
  first.read_until("ok");
  Peer second = connect();
  serve(second, upstream);
  EXPECT_EQ(cluster().counters.connections_opened, 1u);
}

TEST_F(WorkerPool, AConnectionThatItsBackendClosesIsDiscarded) {
  Peer client = connect();
  client.send(kGet);
  {
    Peer upstream = backend.accept();
    upstream.read_head();
    upstream.send(kOk);
    client.read_until("ok");
  }
  wait_until([&] { return idle_connections() == 0; });
  client.send(kGet);
  Peer next = backend.accept();
  next.read_head();
  next.send(kOk);
  EXPECT_EQ(client.read_until("ok"), kOk);
  EXPECT_EQ(cluster().counters.retries, 0u);
}

TEST_F(WorkerPool, AConnectionThatSpeaksUnaskedIsDiscarded) {
  Peer client = connect();
  client.send(kGet);
  Peer upstream = backend.accept();
  upstream.read_head();
  upstream.send(kOk);
  client.read_until("ok");
  upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
  wait_until([&] { return idle_connections() == 0; });
  EXPECT_TRUE(upstream.read_to_end().empty());
  client.send(kGet);
  Peer next = backend.accept();
  next.read_head();
  next.send(kOk);
  EXPECT_EQ(client.read_until("ok"), kOk);
}

TEST_F(WorkerPool, AConnectionWithBytesLeftOverIsDiscarded) {
  Peer client = connect();
  client.send(kGet);
  Peer upstream = backend.accept();
  upstream.read_head();
  upstream.send(std::string{kOk} + "HTTP/1.1 200 OK\r\n");
  EXPECT_EQ(client.read_until("ok"), kOk);
  upstream.was_reset();  // Or ended: our bytes were not read.
  EXPECT_EQ(idle_connections(), 0u);
}

TEST_F(WorkerPool, AConnectionIsDiscardedWhenItsBackendSaysSo) {
  for (const char* head : {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
                           "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"}) {
    Peer client = connect();
    client.send(kGet);
    Peer upstream = backend.accept();
    upstream.read_head();
    upstream.send(head);
    EXPECT_EQ(client.read_until("ok"), kOk) << "the client's connection is another matter";
    EXPECT_TRUE(upstream.at_end());
  }
  EXPECT_EQ(idle_connections(), 0u);
}

// A connection may be closed while a request is on its way to it.
TEST_F(WorkerPool, ARequestOnADyingConnectionIsRepeated) {
  Peer client = connect();
  client.send(kGet);
  Peer upstream = backend.accept();
  upstream.read_head();
  upstream.send(kOk);
  client.read_until("ok");
  client.send(kGet);
  upstream.read_head();
  upstream.close();
  Peer next = backend.accept();
  next.read_head();
  next.send(kOk);
  EXPECT_EQ(client.read_until("ok"), kOk);
  EXPECT_EQ(cluster().counters.retries, 1u);
}

TEST_F(WorkerPool, APostOnADyingConnectionIsNotRepeated) {
  Peer client = connect();
  client.send(kGet);
  Peer upstream = backend.accept();
  upstream.read_head();
  upstream.send(kOk);
  client.read_until("ok");
  client.send("POST / HTTP/1.1\r\nHost: a\r\n\r\n");
  upstream.read_head();
  upstream.close();
  EXPECT_TRUE(client.read_head().starts_with("HTTP/1.1 502 "));
  EXPECT_FALSE(backend.somebody_waits()) << "a POST must not be delivered twice";
  EXPECT_EQ(ended(Outcome::reset), 1u);
}

// -- More than one backend

class WorkerRetries : public WorkerTest {
 protected:
  TestBackend backend;
  RefusingPort nobody;
};

TEST_F(WorkerRetries, OnAnotherBackendWhenOneRefuses) {
  have_backend(nobody.port());
  have_backend(backend.port());
  Peer client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
  Peer upstream = backend.accept();
  upstream.read_head();
  EXPECT_EQ(upstream.read(3), "abc") << "a body at hand is sent again";
  upstream.send("HTTP/1.1 204\r\n\r\n");
  EXPECT_TRUE(client.read_head().starts_with("HTTP/1.1 204 "));
  EXPECT_EQ(cluster().counters.retries, 1u);
  EXPECT_EQ(cluster().backends[0].status.failures, 1u);
}

TEST_F(WorkerRetries, UntilTheAttemptsAreUsedUp) {
  have_backend(nobody.port());
  config.retries.attempts = 3;
  Peer client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.read_until("503 Service Unavailable\n"),
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n"
            "Content-Length: 24\r\n\r\n503 Service Unavailable\n");
  EXPECT_EQ(cluster().counters.attempts, 3u);
  EXPECT_EQ(ended(Outcome::connect_failure), 1u);
}

TEST_F(WorkerRetries, OnAListedStatus) {
  have_backend(backend.port());
  config.retries.on.statuses = {503};
  Peer client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  Peer first = backend.accept();
  first.read_head();
  first.send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
  Peer second = backend.accept();
  second.read_head();
  second.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(client.read_head().starts_with("HTTP/1.1 200 "));
}

TEST_F(WorkerRetries, NobodyAtAll) {
  Peer client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(client.read_head().starts_with("HTTP/1.1 503 "));
  EXPECT_EQ(ended(Outcome::no_backend), 1u);
}

TEST_F(WorkerRetries, ABackendThatIsTooSlowIsAnsweredFor) {
  have_backend(backend.port());
  config.timeouts.response = 20ms;
  Peer client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  Peer upstream = backend.accept();
  upstream.read_head();
  EXPECT_TRUE(client.read_head().starts_with("HTTP/1.1 504 "));
  EXPECT_TRUE(upstream.at_end());
  EXPECT_EQ(ended(Outcome::timeout), 1u);
}

// On a connection that is open already nothing else wakes the worker before the deadline of the
// answer: the deadline has to do that itself.
TEST_F(WorkerRetries, ABackendThatIsTooSlowIsAnsweredForInTime) {
  have_backend(backend.port());
  config.timeouts.response = 20ms;
  const char* const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  Peer client = connect();
  client.send(get);
  Peer upstream = backend.accept();
  upstream.read_head();
  upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  client.read_head();
  const auto start = std::chrono::steady_clock::now();
  client.send(get);
  EXPECT_TRUE(client.read_head().starts_with("HTTP/1.1 504 "));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 500ms);
}

TEST_F(WorkerRetries, ABackendThatLeftFinishesWhatItHas) {
  have_backend(backend.port());
  Peer client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  Peer upstream = backend.accept();
  upstream.read_head();
  config.backends.clear();
  on_worker([&] { worker().apply({cluster_setup()}); });
  upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(client.read_head().starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(upstream.at_end()) << "its connection is of no more use";
  EXPECT_TRUE(cluster().backends.empty());
}

TEST_F(WorkerRetries, ABackendThatLeftIsCutWhenItsGraceIsOver) {
  have_backend(backend.port());
  config.timeouts.drain = 20ms;
  Peer client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  Peer upstream = backend.accept();
  upstream.read_head();
  config.backends.clear();
  on_worker([&] { worker().apply({cluster_setup()}); });
  EXPECT_TRUE(client.read_head().starts_with("HTTP/1.1 504 "));
}

TEST_F(WorkerRetries, AClusterThatLeftIsServedNoMore) {
  have_backend(backend.port());
  Peer client = connect();
  on_worker([&] { worker().apply({}); });
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(client.read_head().starts_with("HTTP/1.1 503 "));
}

// -- The end

using WorkerStops = OneBackendTest;

TEST_F(WorkerStops, LettingRequestsFinish) {
  Peer idle = connect();
  Peer busy = connect();
  busy.send(kGet);
  Peer upstream = backend.accept();
  upstream.read_head();
  wait_until([&] { return snapshot().sessions == 2; });
  on_worker([&] { worker().stop(false); });
  EXPECT_TRUE(idle.at_end());
  upstream.send(kOk);
  EXPECT_EQ(busy.read_to_end(),
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
  busy.close();
  finish();
}

TEST_F(WorkerStops, AtOnceWhenItHasTo) {
  Peer idle = connect();
  Peer reading = connect();
  reading.send("GET / HT");
  Peer busy = connect();
  busy.send(kGet);
  Peer upstream = backend.accept();
  upstream.read_head();
  Peer halfway = connect();
  halfway.send(kGet);
  Peer other = backend.accept();
  other.read_head();
  other.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
  halfway.read_until("some");
  wait_until([&] { return snapshot().sessions == 4; });
  stop(true);
  EXPECT_TRUE(idle.at_end());
  EXPECT_TRUE(halfway.was_reset()) << "a part must not look like the whole";
}

TEST_F(WorkerStops, AcceptingNothingOnceAListenerIsClosed) {
  Peer client = connect();
  client.send(kGet);
  Peer upstream = backend.accept();
  upstream.read_head();
  on_worker([&] { worker().close_listener("web"); });
  upstream.send(kOk);
  EXPECT_EQ(client.read_until("ok"), kOk) << "sessions go on";
  serve(client, upstream);
}

TEST_F(WorkerTest, StopsWhileItOpensAConnectionAheadOfNeed) {
  const DeafPort nobody;
  config.connection_pool.warm_up = 1;
  have_backend(nobody.port());
  start();
  stop(true);
}

// -- Sharing load

// A worker that nobody runs: the test turns its loop by hand, and keeps what it tells.
class WorkerTells : public ::testing::Test {
 protected:
  using Loads = std::vector<std::pair<ClusterId, std::vector<BackendLoad>>>;

  void start(bool has_siblings) {
    worker_.emplace(WorkerOptions{.index = 3,
                                  .access_log = &log_,
                                  .load_exchange = 1ms,
                                  .has_siblings = has_siblings,
                                  .share_load =
                                      [this](std::uint32_t index, WorkerReport report) {
                                        EXPECT_EQ(index, 3u);
                                        told_.push_back(std::move(report));
                                      },
                                  .drained = [] {}});
    ClusterSetup setup;
    setup.plan.config = config;
    setup.plan.backend_ids = {BackendId{7}};
    setup.plan.health = {HealthState::unknown};
    setup.endpoints = {{boost::asio::ip::address_v4::loopback(), 1}};
    worker_->apply({setup});
  }
  ~WorkerTells() override { worker_->stop(true); }

  WorkerTells() {
    config.name = "shop";
    config.backends = {{"b1", "x:1"}};
  }

  ClusterConfig config;

  RequestId begin_request() {
    const Start start = brain().handle_request(Instant{1h}, {});
    EXPECT_TRUE(start);
    worker_->note_load();
    return start->request;
  }
  Balancer& brain() { return worker_->cluster(ClusterId{0})->brain(); }
  void run_until_told(std::size_t count) {
    while (told_.size() < count) worker_->io().run_one_for(1s);
  }
  // It has gone quiet: nothing more comes.
  void expect_no_more_than(std::size_t count) {
    worker_->io().restart();
    worker_->io().run_for(10ms);
    EXPECT_EQ(told_.size(), count);
  }

  AccessLog log_{"off"};
  std::optional<Worker> worker_;
  std::vector<WorkerReport> told_;
};

TEST_F(WorkerTells, ItsLoadWhileThereIsAnyAndOnceMoreWhenThereIsNone) {
  start(true);
  const RequestId request = begin_request();
  run_until_told(2);
  EXPECT_EQ(told_[1].loads, (Loads{{ClusterId{0}, {{BackendId{7}, 1}}}}));
  brain().handle_finished(Instant{1h}, request, Outcome::client_gone, false);
  const std::size_t so_far = told_.size();
  run_until_told(so_far + 1);
  EXPECT_EQ(told_.back().loads, (Loads{{ClusterId{0}, {}}}));
  expect_no_more_than(so_far + 1);
}

TEST_F(WorkerTells, NothingWhenItIsAloneAndNothingIsEjected) {
  start(false);
  begin_request();
  expect_no_more_than(0);
}

TEST_F(WorkerTells, ItsTalliesEvenWhenItIsAlone) {
  config.outlier_ejection = OutlierEjectionConfig{};
  start(false);
  const RequestId request = begin_request();
  const NextStep step = brain().handle_attempt_failed(Instant{1h}, request, AttemptFailure::reset,
                                                      {.request_sent = true});
  EXPECT_EQ(step.kind, NextStep::Kind::give_up);
  run_until_told(1);
  ASSERT_EQ(told_[0].tallies.size(), 1u);
  EXPECT_EQ(told_[0].tallies[0].second.at(0).failures, 1u);
  EXPECT_EQ(told_[0].loads, Loads{});
  expect_no_more_than(1);
}

TEST_F(WorkerTells, WhatItsLimiterLetPass) {
  start(true);
  EXPECT_EQ(worker_->rate_limit(), nullptr);
  worker_->apply_rate_limit(RateLimitConfig{.rate = 1, .burst = 2});
  EXPECT_EQ(worker_->over_rate(5), Duration{});
  EXPECT_EQ(worker_->over_rate(5), Duration{});
  EXPECT_GT(worker_->over_rate(5), Duration{});
  run_until_told(2);
  EXPECT_EQ(told_[0].spent, (std::vector<RateLimiter::Spent>{{5, 2}}));
  EXPECT_EQ(told_[1].spent, std::vector<RateLimiter::Spent>{});
  expect_no_more_than(2);
  worker_->apply_sibling_spent({{6, 2}});
  EXPECT_GT(worker_->over_rate(6), Duration{});
}

TEST_F(WorkerTells, ARateLimitThatDidNotChangeKeepsWhatItKnows) {
  start(true);
  const RateLimitConfig limit{.rate = 0.001, .burst = 1};
  worker_->apply_rate_limit(limit);
  EXPECT_EQ(worker_->over_rate(5), Duration{});
  worker_->apply_rate_limit(limit);
  EXPECT_GT(worker_->over_rate(5), Duration{});
  worker_->apply_rate_limit(RateLimitConfig{.rate = 0.002, .burst = 1});
  EXPECT_EQ(worker_->over_rate(5), Duration{});
  worker_->apply_rate_limit(std::nullopt);
  EXPECT_EQ(worker_->rate_limit(), nullptr);
}

}  // namespace
}  // namespace lb::net
