// Goal: connections that begin with a PROXY header end when they have to, cost no more than others,
// and nobody gets a header in the name of the balancer itself. Method: a worker between a proxy and
// a backend that the test speaks for; what is said at whole length is tested from end to end.
#include "tests/lbnet/worker_fixture.h"
#include "tests/testing/allocations.h"

namespace lb::net {
namespace {

using testing::OneBackendTest;
using testing::Peer;

constexpr std::string_view kHeader = "PROXY TCP4 192.0.2.1 198.51.100.2 4711 443\r\n";

class ProxyArrivalTest : public OneBackendTest {
 protected:
  ProxyArrivalTest() {
    const std::vector<TrustedProxy> here{{IpPrefix::parse("127.0.0.0/8")}};
    setup.proxy_header = AcceptedProxyHeader::any;
    setup.trusted_proxies = TrustedProxies(here);
    setup.head_timeout = std::chrono::hours{1};
  }
  // The worker has it, and waits for the rest.
  Peer half_a_header() {
    Peer client = connect();
    client.send(kHeader.substr(0, 20));
    wait_until([&] { return snapshot().sessions == 1; });
    return client;
  }
};

TEST_F(ProxyArrivalTest, IsOverWhenTheWorkerDrains) {
  Peer client = half_a_header();
  stop(false);
  EXPECT_TRUE(client.was_reset());
}

TEST_F(ProxyArrivalTest, IsOverWhenTheWorkerIsAborted) {
  Peer client = half_a_header();
  stop(true);
  EXPECT_TRUE(client.was_reset());
}

TEST_F(ProxyArrivalTest, CountsWhatComesToNothingOnce) {
  half_a_header().reset();
  wait_until([&] { return snapshot().sessions == 0; });
  EXPECT_EQ(listener().connections, 1u);
  EXPECT_EQ(listener().connections_active, 0u);
  EXPECT_EQ(listener().proxy_headers.malformed, 1u);
}

TEST_F(ProxyArrivalTest, GoesByTheSetupItCameUnder) {
  Peer client = half_a_header();
  setup.proxy_header = AcceptedProxyHeader::none;
  on_worker([&] { worker().update_listener(setup); });
  client.send(kHeader.substr(20));
  client.send(kGet);
  Peer upstream = backend.accept();
  EXPECT_NE(upstream.read_head().find("X-Forwarded-For: 192.0.2.1\r\n"), std::string::npos);
  upstream.send(kOk);
  EXPECT_EQ(client.read_until("ok"), kOk);
}

TEST_F(ProxyArrivalTest, MakesNoRequestDearer) {
  Peer client = connect();
  client.send(kHeader);
  client.send(kGet);
  Peer upstream = backend.accept();
  upstream.read_head();
  upstream.send(kOk);
  client.read_until("ok");
  for (int n = 0; n < 50; ++n) serve(client, upstream);
  const std::uint64_t before = on_worker([] { return lb::testing::allocations(); });
  for (int n = 0; n < 500; ++n) serve(client, upstream);
  EXPECT_EQ(on_worker([] { return lb::testing::allocations(); }) - before, 0u);
}

class ProxySenderTest : public OneBackendTest {
 protected:
  ProxySenderTest() { config.proxy_protocol = SentProxyHeader::v1; }
};

// A backend may trust the balancer with more than it trusts clients with. One that says something
// and is gone when it is heard has no address any more.
TEST_F(ProxySenderTest, AsksNobodyForAClientThatIsGone) {
  start();
  on_worker([&] {  // Which hears of neither before both have happened.
    Peer client = connect();
    client.send(kGet);
    client.reset();
  });
  wait_until([&] { return listener().answers[0] == 1; });
  EXPECT_FALSE(backend.somebody_waits());
  EXPECT_EQ(cluster().counters.requests, 0u);
}

TEST_F(ProxySenderTest, AsksForATcpClientThatIsGoneNeither) {
  setup.protocol = Protocol::tcp;
  start();
  on_worker([&] {
    Peer client = connect();
    client.send("hello");
    client.reset();
  });
  wait_until([&] { return listener().answers[0] == 1; });
  EXPECT_FALSE(backend.somebody_waits());
}

// Its own proxy has said who it was.
class ProxyChainTest : public ProxyArrivalTest {
 protected:
  ProxyChainTest() { config.proxy_protocol = SentProxyHeader::v1; }
};

TEST_F(ProxyChainTest, TellsWhatItWasTold) {
  Peer client = connect();
  client.send(kHeader);
  client.send(kGet);
  Peer upstream = backend.accept();
  EXPECT_EQ(upstream.read_until("\r\n"), kHeader);
  EXPECT_TRUE(upstream.read_head().starts_with("GET / "));
  upstream.send(kOk);
  EXPECT_EQ(client.read_until("ok"), kOk);
  EXPECT_TRUE(upstream.at_end()) << "nobody else may have it";
  EXPECT_EQ(idle_connections(), 0u);
}

}  // namespace
}  // namespace lb::net
