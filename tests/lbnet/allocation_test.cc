// Goal: a warm worker serves a request without allocating: no growth, no fragmentation, nothing
// that a hundred workers would contend for.
// Method: operator new is counted on the worker's thread over a thousand requests.
#include <gtest/gtest.h>

#include "tests/lbnet/worker_fixture.h"
#include "tests/testing/allocations.h"

namespace lb::net {
namespace {

using testing::OneBackendTest;
using testing::Peer;

class Allocations : public OneBackendTest {
 protected:
  // By the worker, for so many rounds of `round`, after some to warm up.
  template <class Round>
  std::uint64_t over_a_thousand(Round&& round) {
    for (int n = 0; n < 50; ++n) round();
    const std::uint64_t before = on_worker([] { return lb::testing::allocations(); });
    for (int n = 0; n < 1000; ++n) round();
    return on_worker([] { return lb::testing::allocations(); }) - before;
  }
  static void ask(Peer& client, Peer& upstream, const std::string& request) {
    client.send(request);
    upstream.read_head();
    upstream.send(kOk);
    client.read_until("ok");
  }
  // Opens both connections.
  Peer first_exchange(Peer& client) {
    client.send(kGet);
    Peer upstream = backend.accept();
    upstream.read_head();
    upstream.send(kOk);
    client.read_until("ok");
    return upstream;
  }
};

TEST_F(Allocations, NoneForARequestOnConnectionsThatAreOpen) {
  Peer client = connect();
  Peer upstream = first_exchange(client);
  EXPECT_EQ(over_a_thousand([&] { serve(client, upstream); }), 0u);
}

TEST_F(Allocations, NoneForBodiesThatComeInPieces) {
  Peer client = connect();
  Peer upstream = first_exchange(client);
  const auto round = [&] {
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    upstream.read_head();
    client.send("3\r\nabc\r\n");
    upstream.read_until("abc\r\n");
    client.send("0\r\n\r\n");
    upstream.read_until("0\r\n\r\n");
    upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.read_head();
    upstream.send("2\r\nok\r\n");
    client.read_until("ok\r\n");
    upstream.send("0\r\n\r\n");
    EXPECT_EQ(client.read_until("\r\n\r\n"), "0\r\n\r\n");
  };
  EXPECT_EQ(over_a_thousand(round), 0u);
}

TEST_F(Allocations, NoneForARequestThatIsPipelined) {
  Peer client = connect();
  Peer upstream = first_exchange(client);
  const auto round = [&] {
    client.send(std::string{kGet} + kGet);
    for (int n = 0; n < 2; ++n) {
      upstream.read_head();
      upstream.send(kOk);
      client.read_until("ok");
    }
  };
  EXPECT_EQ(over_a_thousand(round), 0u);
}

// Every kind of condition, a path to be made normal, and every change on the way.
TEST_F(Allocations, NoneForARequestThatIsRouted) {
  RouteConfig other;
  other.match.path_regex = "/users/[0-9]+";
  other.cluster = "shop";
  RouteConfig route;
  route.match.host = {{"*.example.com"}};
  route.match.path_prefix = "/shop/en";
  route.match.methods = {"GET"};
  route.match.headers = {{{"X-Canary", "*"}}};
  route.match.cookies = {{{"beta", "on"}}};
  route.match.query = {{{"v", "2"}}};
  route.split = {{"shop", 9}, {"too", 1}};
  route.rewrite =
      RewriteConfig{.path = {}, .prefix = "/", .regex = {}, .host = "inner.example.com"};
  route.request_headers = HeaderRulesConfig{{{{"X-Env", "blue"}}}, {}, {"Cookie"}};
  route.response_headers = HeaderRulesConfig{{}, {{{"X-Served", "lbd"}}}, {"Server"}};
  setup.routes = std::make_shared<const RouteTable>(
      std::vector<RouteConfig>{other, route}, AmbiguousPaths::refuse,
      [](const std::string&) { return ClusterId{0}; });
  const std::string get =
      "GET /x/../sho%70/en/a/very/long/path/that/no/short/string/holds?v=2 HTTP/1.1\r\n"
      "Host: www.Example.com:8080\r\nX-Canary: 1\r\nCookie: a=b; beta=on\r\n\r\n";
  Peer client = connect();
  client.send(get);
  Peer upstream = backend.accept();
  const std::string head = upstream.read_head();
  EXPECT_TRUE(
      head.starts_with("GET /a/very/long/path/that/no/short/string/holds?v=2 HTTP/1.1\r\nHost: "
                       "inner.example.com\r\n"))
      << head;
  upstream.send(kOk);
  client.read_until("ok");
  EXPECT_EQ(over_a_thousand([&] { ask(client, upstream, get); }), 0u);
}

// The walk through who passed it on, ids for it, and the fields that tell of both.
TEST_F(Allocations, NoneForARequestThatATrustedProxyPassesOn) {
  setup.trusted_proxies = TrustedProxies(std::vector<TrustedProxy>{{IpPrefix::parse("127.0.0.1")}});
  setup.forwarded = ForwardedFields::both;
  setup.request_id = setup.traceparent = true;
  const std::string get =
      "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 2001:db8:1:2:3:4:5:6, 127.0.0.1\r\n"
      "Forwarded: for=\"[2001:db8:1:2:3:4:5:6]\"\r\n\r\n";
  Peer client = connect();
  client.send(get);
  Peer upstream = backend.accept();
  const std::string head = upstream.read_head();
  EXPECT_NE(head.find("X-Forwarded-For: 2001:db8:1:2:3:4:5:6, 127.0.0.1, 127.0.0.1\r\n"),
            std::string::npos)
      << head;
  upstream.send(kOk);
  client.read_until("ok");
  EXPECT_EQ(over_a_thousand([&] { ask(client, upstream, get); }), 0u);
}

TEST_F(Allocations, NoneForMessagesOfATcpStream) {
  setup.protocol = Protocol::tcp;
  Peer client = connect();
  Peer upstream = backend.accept();
  const auto round = [&] {
    client.send("ping");
    EXPECT_EQ(upstream.read(4), "ping");
    upstream.send("pong");
    EXPECT_EQ(client.read(4), "pong");
  };
  EXPECT_EQ(over_a_thousand(round), 0u);
}

// A new connection of a client costs two: the state of its Stream, and the listener's next wait.
TEST_F(Allocations, FewForAConnectionOfAClient) {
  Peer client = connect();
  Peer upstream = first_exchange(client);
  {
    // One may come before the last has gone: room for several is not theirs to make.
    std::vector<Peer> crowd;
    for (int n = 0; n < 8; ++n) {
      crowd.push_back(connect());
      serve(crowd.back(), upstream);
    }
  }
  const auto round = [&] {
    Peer visitor = connect();
    serve(visitor, upstream);
  };
  EXPECT_LE(over_a_thousand(round), 2'000u);
}

}  // namespace
}  // namespace lb::net
