// Goal: the fake backend is the server that the simulator simulates, over real sockets.
// Method: one io_context holds the backend and raw clients, and is run until what is expected has
// come.
#include "harness/fake_backend.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <string>
#include <vector>

#include "harness/fault_command.h"

namespace lb::harness {
namespace {

using boost::asio::ip::tcp;
using std::chrono::milliseconds;
using Error = boost::system::error_code;

const std::string kGet = "GET / HTTP/1.1\r\nHost: b\r\n\r\n";

// A raw client that keeps what it receives.
class Client {
 public:
  Client(boost::asio::io_context& io, std::uint16_t port) : socket_(io) {
    socket_.connect({boost::asio::ip::address_v4::loopback(), port}, error);
    if (!error) read();
  }
  void send(const std::string& text) { boost::asio::write(socket_, boost::asio::buffer(text)); }
  void leave() { socket_.close(); }
  [[nodiscard]] std::size_t answers() const {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = received.find("HTTP/1.1 ", at)) != std::string::npos; ++at) {
      ++count;
    }
    return count;
  }
  [[nodiscard]] bool has(const std::string& text) const {
    return received.find(text) != std::string::npos;
  }

  std::string received;
  Error error;

 private:
  void read() {
    socket_.async_read_some(boost::asio::buffer(bytes_), [this](const Error& e, std::size_t n) {
      received.append(bytes_.data(), n);
      error = e;
      if (!e) read();
    });
  }

  tcp::socket socket_;
  std::array<char, 4096> bytes_{};
};

class FakeBackendTest : public testing::Test {
 protected:
  void start(scenario::Behaviour behaviour) {
    backend_ = std::make_unique<FakeBackend>(
        io_,
        BackendOptions{
            .id = "b1", .health_path = "/health", .load_path = "/load", .behaviour = behaviour});
  }
  void start_behind(SentProxyHeader version) {
    backend_ = std::make_unique<FakeBackend>(
        io_, BackendOptions{.proxy_protocol = version,
                            .behaviour = {.service_time = scenario::Constant{}}});
  }
  Client& client() {
    return *clients_.emplace_back(std::make_unique<Client>(io_, backend_->port()));
  }
  template <class Condition>
  bool until(Condition condition) {
    const auto give_up = Clock::now() + std::chrono::seconds{5};
    while (!condition() && Clock::now() < give_up) io_.run_one_for(milliseconds{100});
    return condition();
  }
  // What it says of its load, over a connection of its own. Nothing when it says nothing.
  std::string load() {
    Client& asking = client();
    asking.send("GET /load HTTP/1.1\r\nHost: b\r\n\r\n");
    until([&] { return asking.has("\r\n\r\n") || asking.error; });
    const std::string name = "Backend-Load: ";
    const std::size_t begin = asking.received.find(name);
    if (begin == std::string::npos) return "";
    const std::size_t end = asking.received.find('\r', begin);
    return asking.received.substr(begin + name.size(), end - begin - name.size());
  }
  // The latency it says it has, which is a matter of real time.
  Duration told_latency() {
    const std::string text = load();
    const std::string key = "latency=";
    return std::chrono::microseconds{std::stoll(text.substr(text.find(key) + key.size()))};
  }
  void strike(const char* fault) { backend_->apply(*parse_fault(fault)); }

  boost::asio::io_context io_;
  std::unique_ptr<FakeBackend> backend_;
  std::vector<std::unique_ptr<Client>> clients_;
};

TEST_F(FakeBackendTest, AnswersWithItsNameAfterItsServiceTime) {
  start({.service_time = scenario::Constant{milliseconds{30}}});
  Client& one = client();
  const auto sent = Clock::now();
  one.send(kGet);
  ASSERT_TRUE(until([&] { return one.has("\r\n\r\n"); }));
  EXPECT_GE(Clock::now() - sent, milliseconds{30});
  EXPECT_TRUE(one.has("HTTP/1.1 200 OK"));
  EXPECT_TRUE(one.has("X-Backend: b1\r\n"));
  EXPECT_TRUE(one.has("Content-Length: 128\r\n"));
  EXPECT_TRUE(one.received.ends_with("\r\n\r\n" + std::string(128, '.')));
}

TEST_F(FakeBackendTest, ServesNoMoreAtATimeThanItsConcurrency) {
  start({.service_time = scenario::Constant{milliseconds{40}}, .concurrency = 2, .queue = 10});
  const auto sent = Clock::now();
  for (int i = 0; i < 4; ++i) client().send(kGet);
  const auto answered = [&] {
    std::size_t count = 0;
    for (const auto& each : clients_) count += each->answers();
    return count;
  };
  ASSERT_TRUE(until([&] { return answered() >= 2; }));
  EXPECT_EQ(answered(), 2u);
  ASSERT_TRUE(until([&] { return answered() == 4; }));
  EXPECT_GE(Clock::now() - sent, milliseconds{80});
}

TEST_F(FakeBackendTest, AFullQueueIsAnswered503AtOnce) {
  start({.service_time = scenario::Constant{milliseconds{100}}, .concurrency = 1, .queue = 1});
  client().send(kGet);
  client().send(kGet);
  client().send(kGet);
  const auto any_has = [&](const char* text) {
    for (const auto& each : clients_) {
      if (each->has(text)) return true;
    }
    return false;
  };
  ASSERT_TRUE(until([&] { return any_has("HTTP/1.1 503"); }));
  EXPECT_FALSE(any_has("HTTP/1.1 200"));
}

TEST_F(FakeBackendTest, AHealthCheckTakesNoPlace) {
  start({.service_time = scenario::Constant{std::chrono::hours{1}}, .concurrency = 1, .queue = 0});
  client().send(kGet);
  Client& probe = client();
  probe.send("GET /health HTTP/1.1\r\nHost: b\r\n\r\n");
  EXPECT_TRUE(until([&] { return probe.has("HTTP/1.1 200"); }));
  probe.send("GET /health?deep HTTP/1.1\r\nHost: b\r\n\r\n");
  EXPECT_TRUE(until([&] { return probe.has("HTTP/1.1 503"); }));
}

TEST_F(FakeBackendTest, SaysHowManyRequestsItHasAndTakesNoPlaceForIt) {
  start({.service_time = scenario::Constant{std::chrono::hours{1}}, .concurrency = 1, .queue = 1});
  EXPECT_EQ(load(), "in-flight=0, latency=0");
  client().send(kGet);
  EXPECT_TRUE(until([&] { return load() == "in-flight=1, latency=0"; }));
  client().send(kGet);
  EXPECT_TRUE(until([&] { return load() == "in-flight=2, latency=0"; })) << "one waits";
  Client& other = client();
  other.send("HEAD /load HTTP/1.1\r\nHost: b\r\n\r\n");
  EXPECT_TRUE(until([&] { return other.has("HTTP/1.1 503"); })) << "that is work";
}

TEST_F(FakeBackendTest, SaysTheMedianTimeOfItsLastRequests) {
  start({.service_time = scenario::Constant{milliseconds{64}}});
  Client& one = client();
  for (std::size_t n = 1; n <= 3; ++n) {
    if (n == 2) strike("slow 10");
    if (n == 3) strike("slow 0.01");
    one.send(kGet);
    ASSERT_TRUE(until([&] { return one.answers() == n; }));
  }
  EXPECT_GE(told_latency(), milliseconds{64});
  EXPECT_LT(told_latency(), milliseconds{213}) << "the mean of 1, 64 and 640";
}

TEST_F(FakeBackendTest, TheTimeSpentWaitingCounts) {
  start({.service_time = scenario::Constant{milliseconds{20}}, .concurrency = 1, .queue = 1});
  client().send(kGet);
  Client& waiting = client();
  waiting.send(kGet);
  ASSERT_TRUE(until([&] { return waiting.answers() == 1; }));
  strike("slow 10000");
  client().send(kGet);
  ASSERT_TRUE(until([&] { return load().starts_with("in-flight=1,"); }));
  EXPECT_GE(told_latency(), milliseconds{30}) << "the next one waits, as the second did";
}

TEST_F(FakeBackendTest, SaysNothingWhenItResets) {
  start({.service_time = scenario::Constant{}});
  strike("reset");
  EXPECT_EQ(load(), "");
}

TEST_F(FakeBackendTest, TakesAConnectionBehindItsProxyHeaderAndNoOther) {
  const std::string header = "PROXY TCP4 127.1.0.1 127.0.0.1 12345 80\r\n";
  start_behind(SentProxyHeader::v1);
  Client& together = client();
  together.send(header + kGet + kGet);
  ASSERT_TRUE(until([&] { return together.answers() == 2; }));
  Client& apart = client();
  for (const char byte : header + kGet) {
    apart.send(std::string(1, byte));
    io_.poll();
  }
  ASSERT_TRUE(until([&] { return apart.answers() == 1; }));
  for (const std::string& wrong : {kGet, header.substr(1) + kGet}) {
    Client& without = client();
    without.send(wrong);
    ASSERT_TRUE(until([&] { return static_cast<bool>(without.error); }));
    EXPECT_EQ(without.received, "");
  }
}

TEST_F(FakeBackendTest, PipelinedRequestsAreAnsweredInTurn) {
  start({.service_time = scenario::Constant{}});
  Client& one = client();
  one.send(kGet + "HEAD / HTTP/1.1\r\nHost: b\r\n\r\n" + kGet);
  ASSERT_TRUE(until([&] { return one.answers() == 3 && one.received.ends_with("."); }));
  std::size_t dots = 0;
  for (const char c : one.received.substr(one.received.find("\r\n\r\n"))) dots += c == '.' ? 1 : 0;
  EXPECT_EQ(dots, 2 * 128u + 2u) << "two bodies, none for HEAD, and the dots of two HTTP/1.1";
}

TEST_F(FakeBackendTest, ReadsABodyOfAnySizeBeforeItServes) {
  start({.service_time = scenario::Constant{}});
  Client& one = client();
  const std::string body(100'000, 'x');
  one.send("POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 200000\r\n\r\n" + body);
  io_.run_for(milliseconds{20});
  EXPECT_EQ(one.received, "") << "half of the body is still to come";
  one.send(body + kGet);
  EXPECT_TRUE(until([&] { return one.answers() == 2; }));
}

TEST_F(FakeBackendTest, ClosesWhenAsked) {
  start({.service_time = scenario::Constant{}});
  Client& one = client();
  one.send("GET / HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(until([&] { return static_cast<bool>(one.error); }));
  EXPECT_EQ(one.error, boost::asio::error::eof);
  EXPECT_TRUE(one.has("Connection: close\r\n"));
}

TEST_F(FakeBackendTest, ResetBreaksTheConnectionOfARequest) {
  start({.service_time = scenario::Constant{}});
  Client& one = client();
  strike("reset");
  one.send(kGet);
  ASSERT_TRUE(until([&] { return static_cast<bool>(one.error); }));
  EXPECT_EQ(one.error, boost::asio::error::connection_reset);
}

TEST_F(FakeBackendTest, RefuseKeepsOpenConnectionsAndRecoverListensAgain) {
  start({.service_time = scenario::Constant{}});
  Client& before = client();
  before.send(kGet);
  ASSERT_TRUE(until([&] { return before.answers() == 1; }));
  strike("refuse");
  EXPECT_EQ(client().error, boost::asio::error::connection_refused);
  before.send(kGet);
  EXPECT_TRUE(until([&] { return before.answers() == 2; }));
  strike("recover");
  Client& after = client();
  ASSERT_FALSE(after.error);
  after.send(kGet);
  EXPECT_TRUE(until([&] { return after.answers() == 1; }));
}

// Whatever the queue: a place that is taken for an hour does not matter.
TEST_F(FakeBackendTest, ABlackHoleFailsAtOnceAndPassesProbes) {
  start({.service_time = scenario::Constant{std::chrono::hours{1}}, .concurrency = 1, .queue = 0});
  Client& busy = client();
  busy.send(kGet);
  strike("black_hole 5ms");
  Client& one = client();
  const auto sent = Clock::now();
  one.send(kGet);
  ASSERT_TRUE(until([&] { return one.has("HTTP/1.1 500"); }));
  EXPECT_GE(Clock::now() - sent, milliseconds{5});
  Client& probe = client();
  probe.send("GET /health HTTP/1.1\r\nHost: b\r\n\r\n");
  EXPECT_TRUE(until([&] { return probe.has("HTTP/1.1 200"); }));
}

TEST_F(FakeBackendTest, FailsProbesAloneUntilRecovery) {
  start({.service_time = scenario::Constant{}});
  strike("fail_probes");
  const char* probe = "GET /health HTTP/1.1\r\nHost: b\r\n\r\n";
  Client& one = client();
  one.send(probe);
  ASSERT_TRUE(until([&] { return one.has("HTTP/1.1 503"); }));
  one.send(kGet);
  ASSERT_TRUE(until([&] { return one.has("HTTP/1.1 200"); }));
  strike("recover");
  Client& other = client();
  other.send(probe);
  EXPECT_TRUE(until([&] { return other.has("HTTP/1.1 200"); }));
}

// Of the body that "Content-Length: 128" promised.
std::size_t body_of(const Client& client) {
  const std::size_t head = client.received.find("\r\n\r\n");
  return head == std::string::npos ? 0 : client.received.size() - head - 4;
}

TEST_F(FakeBackendTest, ATruncatedAnswerEndsInTheMiddleOfItsBody) {
  start({.service_time = scenario::Constant{}});
  for (const char* fault : {"truncate 1", "truncate 1 reset"}) {
    strike(fault);
    Client& one = client();
    one.send(kGet);
    ASSERT_TRUE(until([&] { return static_cast<bool>(one.error); }));
    EXPECT_TRUE(one.has("HTTP/1.1 200")) << fault;
    EXPECT_TRUE(one.has("Content-Length: 128\r\n")) << fault;
    EXPECT_EQ(body_of(one), 64u) << fault;
    if (parse_fault(fault)->reset) {
      EXPECT_EQ(one.error, boost::asio::error::connection_reset);
    } else {
      EXPECT_EQ(one.error, boost::asio::error::eof);
    }
  }
}

TEST_F(FakeBackendTest, TruncatesNeitherProbesNorAnswersWithoutABodyNorAnyAfterRecovery) {
  start({.service_time = scenario::Constant{}});
  strike("truncate 1");
  strike("drip 1h");
  Client& one = client();
  one.send("GET /health HTTP/1.1\r\nHost: b\r\n\r\nHEAD / HTTP/1.1\r\nHost: b\r\n\r\n");
  ASSERT_TRUE(until([&] { return one.answers() == 2; }));
  strike("recover");
  Client& other = client();
  other.send(kGet);
  EXPECT_TRUE(until([&] { return body_of(other) == 128; }));
}

TEST_F(FakeBackendTest, TruncatesAShareOfItsAnswers) {
  start({.service_time = scenario::Constant{}});
  strike("truncate 0.5");
  int cut = 0;
  for (int n = 0; n < 60; ++n) {
    Client& one = client();
    one.send(kGet);
    ASSERT_TRUE(until([&] { return one.error || body_of(one) == 128; }));
    cut += body_of(one) == 64 ? 1 : 0;
  }
  EXPECT_GT(cut, 15) << "one seed, so the same draws every time";
  EXPECT_LT(cut, 45);
}

TEST_F(FakeBackendTest, AnAnswerThatDripsComesInPartsBehindItsHead) {
  start({.service_time = scenario::Constant{}});
  strike("drip 80ms");
  Client& one = client();
  const auto sent = Clock::now();
  one.send(kGet);
  ASSERT_TRUE(until([&] { return one.has("\r\n\r\n"); }));
  EXPECT_EQ(body_of(one), 0u) << "the head comes alone";
  std::vector<std::size_t> sizes;
  ASSERT_TRUE(until([&] {
    if (sizes.empty() || sizes.back() != body_of(one)) sizes.push_back(body_of(one));
    return body_of(one) == 128;
  }));
  EXPECT_GE(Clock::now() - sent, milliseconds{80});
  EXPECT_EQ(sizes, (std::vector<std::size_t>{0, 16, 32, 48, 64, 80, 96, 112, 128}));
  one.send("GET /health HTTP/1.1\r\nHost: b\r\n\r\n");
  ASSERT_TRUE(until([&] { return one.answers() == 2; }));
  EXPECT_TRUE(one.received.ends_with("\r\n\r\n" + std::string(128, '.'))) << "a probe, at once";
}

TEST_F(FakeBackendTest, AnAnswerThatDripsKeepsItsPlaceThoughNobodyListens) {
  start({.service_time = scenario::Constant{}, .concurrency = 1, .queue = 0});
  strike("drip 200ms");
  client().send(kGet);
  ASSERT_TRUE(until([&] { return body_of(*clients_.front()) > 0; }));
  EXPECT_TRUE(load().starts_with("in-flight=1,")) << load();
  clients_.front()->leave();
  Client& early = client();
  early.send(kGet);
  ASSERT_TRUE(until([&] { return early.answers() == 1; }));
  EXPECT_TRUE(early.has("HTTP/1.1 503"));
  ASSERT_TRUE(until([&] { return load().starts_with("in-flight=0,"); }));
  EXPECT_GE(told_latency(), milliseconds{200}) << "what it takes, the body included";
  Client& late = client();
  late.send(kGet);
  ASSERT_TRUE(until([&] { return late.answers() == 1; }));
  EXPECT_TRUE(late.has("HTTP/1.1 200"));
}

TEST_F(FakeBackendTest, AnAnswerThatDripsAndBreaksOffTakesHalfTheTime) {
  start({.service_time = scenario::Constant{}, .concurrency = 1, .queue = 1});
  strike("drip 400ms");
  strike("truncate 1");
  Client& one = client();
  const auto sent = Clock::now();
  one.send(kGet);
  Client& next = client();
  next.send(kGet);
  ASSERT_TRUE(until([&] { return static_cast<bool>(one.error); }));
  EXPECT_EQ(body_of(one), 64u);
  EXPECT_GE(Clock::now() - sent, milliseconds{200});
  ASSERT_TRUE(until([&] { return next.answers() == 1; }));
  EXPECT_LT(Clock::now() - sent, milliseconds{400}) << "the place was free after half of it";
}

TEST_F(FakeBackendTest, SlowAddsToEveryAnswerProbesToo) {
  start({.service_time = scenario::Constant{}});
  strike("slow 1 40ms");
  for (const char* target : {"/", "/health"}) {
    const std::string request = std::string{"GET "} + target + " HTTP/1.1\r\nHost: b\r\n\r\n";
    Client& one = client();
    const auto sent = Clock::now();
    one.send(request);
    ASSERT_TRUE(until([&] { return one.has("HTTP/1.1 200"); }));
    EXPECT_GE(Clock::now() - sent, milliseconds{40});
  }
}

TEST_F(FakeBackendTest, SlowAndErrorRatioHoldUntilRecovery) {
  start({.service_time = scenario::Constant{milliseconds{10}}});
  strike("slow 5");
  strike("error_ratio 1");
  Client& one = client();
  const auto sent = Clock::now();
  one.send(kGet);
  ASSERT_TRUE(until([&] { return one.has("HTTP/1.1 500"); }));
  EXPECT_GE(Clock::now() - sent, milliseconds{50});
  strike("recover");
  one.send(kGet);
  EXPECT_TRUE(until([&] { return one.has("HTTP/1.1 200"); }));
}

}  // namespace
}  // namespace lb::harness
