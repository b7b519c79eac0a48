// Goal: every request that was sent has exactly one result, and latency counts from the intended
// time.
#include "harness/load_client.h"

#include <gtest/gtest.h>

#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <set>
#include <vector>

#include "harness/fake_backend.h"
#include "harness/fault_command.h"
#include "harness/ports.h"

namespace lb::harness {
namespace {

using boost::asio::ip::tcp;
using scenario::ClientResult;
using std::chrono::milliseconds;

struct Outcome {
  std::vector<scenario::Sample> samples;
  std::uint64_t sent = 0;
  std::uint64_t retries = 0;

  [[nodiscard]] std::size_t count(ClientResult result) const {
    return static_cast<std::size_t>(
        std::count_if(samples.begin(), samples.end(),
                      [&](const scenario::Sample& sample) { return sample.result == result; }));
  }
};

scenario::Load load_of(scenario::Arrivals arrivals, Duration timeout = std::chrono::seconds{5}) {
  scenario::Load load;
  load.arrivals = arrivals;
  load.clients = 4;
  load.timeout = timeout;
  return load;
}

Outcome play(boost::asio::io_context& io, std::uint16_t port, scenario::Load load) {
  Outcome outcome;
  LoadClient client(io,
                    {.target = {boost::asio::ip::address_v4::loopback(), port},
                     .host = "backend",
                     .load = std::move(load),
                     .load_index = 0,
                     .duration = milliseconds{200}},
                    [&](const scenario::Sample& sample) { outcome.samples.push_back(sample); });
  client.start(Clock::now(), [&] { io.stop(); });
  io.run();
  outcome.sent = client.sent();
  outcome.retries = client.retries();
  return outcome;
}

FakeBackend make_backend(boost::asio::io_context& io, Duration service_time) {
  return FakeBackend(io, {.behaviour = {.service_time = scenario::Constant{service_time}}});
}

TEST(LoadClient, EveryRequestIsAnswered) {
  boost::asio::io_context io;
  const FakeBackend backend = make_backend(io, milliseconds{5});
  const Outcome outcome = play(io, backend.port(), load_of(scenario::ConstantRate{100}));
  EXPECT_EQ(outcome.sent, 19u) << "one each 10 ms, the first after 10 ms, none at 200 ms";
  EXPECT_EQ(outcome.samples.size(), 19u);
  EXPECT_EQ(outcome.count(ClientResult::ok), 19u);
  for (const auto& sample : outcome.samples) EXPECT_GE(sample.latency, milliseconds{5});
}

// A server that keeps the heads it gets and answers each in the same words.
class HeadKeeper {
 public:
  explicit HeadKeeper(boost::asio::io_context& io) : acceptor_(io, {tcp::v4(), 0}) { accept(); }
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  [[nodiscard]] const std::vector<std::string>& heads() const { return heads_; }

 private:
  using Socket = std::shared_ptr<tcp::socket>;
  void accept() {
    auto socket = std::make_shared<tcp::socket>(acceptor_.get_executor());
    acceptor_.async_accept(*socket, [this, socket](const boost::system::error_code& error) {
      if (error) return;
      read(socket, std::make_shared<std::string>());
      accept();
    });
  }
  void read(const Socket& socket, const std::shared_ptr<std::string>& bytes) {
    boost::asio::async_read_until(
        *socket, boost::asio::dynamic_buffer(*bytes), "\r\n\r\n",
        [this, socket, bytes](const boost::system::error_code& error, std::size_t size) {
          if (error) return;
          heads_.push_back(bytes->substr(0, size));
          bytes->erase(0, size);
          boost::asio::write(
              *socket,
              boost::asio::buffer(std::string{"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"}));
          read(socket, bytes);
        });
  }
  tcp::acceptor acceptor_;
  std::vector<std::string> heads_;
};

TEST(LoadClient, SendsWhatTheScenarioSaysWithTheNumberOfTheClient) {
  boost::asio::io_context io;
  HeadKeeper keeper(io);
  scenario::Load load = load_of(scenario::ClosedLoop{2, scenario::Constant{milliseconds{50}}});
  load.request.path = "/shop?page=1";
  load.request.host = "www.example.com";
  load.request.headers = {{{"Cookie", "user={client}"}, {"X-Env", "blue"}}};
  const Outcome outcome = play(io, keeper.port(), load);
  EXPECT_EQ(outcome.count(ClientResult::ok), outcome.sent) << "404 is an answer";
  const auto head_of = [](int client) {
    return "GET /shop?page=1 HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: lbharness\r\n"
           "Cookie: user=" +
           std::to_string(client) + "\r\nX-Env: blue\r\n\r\n";
  };
  EXPECT_EQ(std::set<std::string>(keeper.heads().begin(), keeper.heads().end()),
            (std::set<std::string>{head_of(0), head_of(1)}));
}

TEST(LoadClient, AClosedLoopWaitsForItsAnswers) {
  boost::asio::io_context io;
  const FakeBackend backend = make_backend(io, milliseconds{20});
  const Outcome outcome = play(io, backend.port(), load_of(scenario::ClosedLoop{2, {}}));
  EXPECT_EQ(outcome.samples.size(), outcome.sent);
  EXPECT_EQ(outcome.count(ClientResult::ok), outcome.sent);
  EXPECT_LE(outcome.sent, 20u) << "two clients, at most ten times 20 ms in 200 ms";
  EXPECT_GE(outcome.sent, 4u);
}

TEST(LoadClient, GivesUpAfterItsTimeout) {
  boost::asio::io_context io;
  const FakeBackend backend = make_backend(io, std::chrono::hours{1});
  const Outcome outcome =
      play(io, backend.port(), load_of(scenario::ConstantRate{50}, milliseconds{30}));
  EXPECT_EQ(outcome.count(ClientResult::timed_out), outcome.sent);
  for (const auto& sample : outcome.samples) EXPECT_GE(sample.latency, milliseconds{30});
}

// Each request fails twice and is sent three times; its latency counts from the first time.
TEST(LoadClient, TriesAgainAfterABadAnswer) {
  boost::asio::io_context io;
  FakeBackend backend = make_backend(io, milliseconds{2});
  backend.apply(*parse_fault("error_ratio 1"));
  scenario::Load load = load_of(scenario::ConstantRate{100});
  load.retries = {.attempts = 3, .backoff = milliseconds{10}};
  const Outcome outcome = play(io, backend.port(), load);
  EXPECT_EQ(outcome.sent, 19u);
  EXPECT_EQ(outcome.retries, 38u);
  EXPECT_EQ(outcome.count(ClientResult::server_error), 19u);
  for (const auto& sample : outcome.samples) EXPECT_GE(sample.latency, milliseconds{26});
}

// A client whose session is over leaves for good: each new one comes with a connection of its own.
TEST(LoadClient, ANewClientOpensANewConnection) {
  boost::asio::io_context io;
  HeadKeeper server(io);
  scenario::Load load = load_of(scenario::ConstantRate{100});
  load.request.path = "/{client}";
  load.clients = 1;
  load.clients.session = 1;
  const Outcome outcome = play(io, server.port(), load);
  EXPECT_EQ(outcome.count(ClientResult::ok), 19u);
  ASSERT_EQ(server.heads().size(), 19u);
  for (std::size_t n = 0; n < 19; ++n) {
    EXPECT_TRUE(server.heads()[n].starts_with("GET /" + std::to_string(n) + ' '))
        << server.heads()[n];
  }
}

TEST(LoadClient, ARefusedConnectionIsAFailure) {
  boost::asio::io_context io;
  const PortReservation nobody;
  const Outcome outcome = play(io, nobody.port(), load_of(scenario::ConstantRate{50}));
  EXPECT_EQ(outcome.sent, 9u);
  EXPECT_EQ(outcome.count(ClientResult::failed), 9u);
}

TEST(LoadClient, AResetIsAFailureAfterOneMoreTryOnly) {
  boost::asio::io_context io;
  FakeBackend backend = make_backend(io, milliseconds{1});
  boost::asio::steady_timer later(io, milliseconds{105});
  later.async_wait([&](const boost::system::error_code&) { backend.apply(*parse_fault("reset")); });
  const Outcome outcome = play(io, backend.port(), load_of(scenario::ConstantRate{100}));
  EXPECT_EQ(outcome.samples.size(), outcome.sent);
  EXPECT_GT(outcome.count(ClientResult::ok), 0u);
  EXPECT_GT(outcome.count(ClientResult::failed), 0u);
}

// A server that closes each connection after one answer without having said so.
class ForgetfulServer {
 public:
  explicit ForgetfulServer(boost::asio::io_context& io)
      : acceptor_(io, {boost::asio::ip::address_v4::loopback(), 0}) {
    accept();
  }
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, tcp::socket socket) {
      if (error) return;
      std::array<char, 1024> bytes{};
      socket.read_some(boost::asio::buffer(bytes));
      boost::asio::write(
          socket,
          boost::asio::buffer(std::string_view{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}));
      accept();
    });
  }
  tcp::acceptor acceptor_;
};

TEST(LoadClient, AConnectionClosedBetweenRequestsIsNoError) {
  boost::asio::io_context io;
  const ForgetfulServer server(io);
  const Outcome outcome = play(io, server.port(), load_of(scenario::ConstantRate{200}));
  EXPECT_GT(outcome.sent, 30u);
  EXPECT_EQ(outcome.count(ClientResult::ok), outcome.sent);
}

// No coordinated omission: a stall of the whole process is in the latency of every request that
// should have been sent meanwhile.
TEST(LoadClient, AStallCountsForAllItDelayed) {
  boost::asio::io_context io;
  const FakeBackend backend = make_backend(io, Duration::zero());
  boost::asio::steady_timer stall(io, milliseconds{50});
  stall.async_wait([](const boost::system::error_code&) {
    const auto end = Clock::now() + milliseconds{100};
    while (Clock::now() < end) {
    }
  });
  const Outcome outcome = play(io, backend.port(), load_of(scenario::ConstantRate{100}));
  EXPECT_EQ(outcome.sent, 19u);
  const auto slow = std::count_if(
      outcome.samples.begin(), outcome.samples.end(),
      [](const scenario::Sample& sample) { return sample.latency >= milliseconds{15}; });
  EXPECT_GE(slow, 8) << "those intended from 60 ms to 130 ms";
}

}  // namespace
}  // namespace lb::harness
