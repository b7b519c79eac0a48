// Goal: a connection leaves HTTP only when both sides said so in the same words, and then carries
// whatever comes, both ways, until its end.
// Method: a real worker, loopback sockets, the other ends in the test's hands.
#include "tests/lbnet/worker_fixture.h"

namespace lb::net {
namespace {

using namespace std::chrono_literals;
using testing::OneBackendTest;
using testing::Peer;

class Tunnel : public OneBackendTest {
 protected:
  static constexpr const char* kAsk =
      "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: "
      "websocket\r\n\r\n";
  static constexpr const char* kSwitch =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: x\r\n\r\n";

  // Both have switched.
  Peer open(Peer& client) {
    client.send(kAsk);
    Peer upstream = backend.accept();
    upstream.read_head();
    upstream.send(kSwitch);
    client.read_head();
    return upstream;
  }
};

TEST_F(Tunnel, OpensWhenTheBackendSwitches) {
  Peer client = connect();
  client.send(kAsk);
  Peer upstream = backend.accept();
  const std::string request = upstream.read_head();
  EXPECT_NE(request.find("Connection: Upgrade\r\nUpgrade: websocket\r\n"), std::string::npos)
      << request;
  upstream.send(kSwitch + std::string{"hello"});
  EXPECT_EQ(client.read_until("hello"),
            "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n"
            "Connection: Upgrade\r\nUpgrade: WebSocket\r\n\r\nhello");
  // Not a request, however much it looks like one.
  client.send(kGet);
  EXPECT_EQ(upstream.read_head(), kGet);
  upstream.send("0\r\n\r\n");
  EXPECT_EQ(client.read_until("0\r\n\r\n"), "0\r\n\r\n");
}

TEST_F(Tunnel, TakesWhatTheClientSentWithoutWaiting) {
  Peer client = connect();
  client.send(kAsk + std::string{"early"});
  Peer upstream = backend.accept();
  upstream.read_head();
  EXPECT_EQ(upstream.read_what_is_there(), "") << "not before the switch";
  upstream.send(kSwitch);
  EXPECT_EQ(upstream.read_until("early"), "early");
  client.send("late");
  EXPECT_EQ(upstream.read_until("late"), "late");
}

TEST_F(Tunnel, GoesOnInOneDirectionAfterTheClientsEnd) {
  Peer client = connect();
  Peer upstream = open(client);
  client.send("last");
  client.shut_down_write();
  EXPECT_EQ(upstream.read_to_end(), "last");
  upstream.send("answer");
  upstream.close();
  EXPECT_EQ(client.read_to_end(), "answer");
  wait_until([&] { return ended(Outcome::success) == 1; });
  EXPECT_EQ(idle_connections(), 0u);
}

TEST_F(Tunnel, EndsWithTheBackend) {
  Peer client = connect();
  Peer upstream = open(client);
  upstream.close();
  EXPECT_TRUE(client.at_end());
  client.close();
  wait_until([&] { return ended(Outcome::success) == 1; });
}

TEST_F(Tunnel, EndsWithAClientThatBreaksOff) {
  Peer client = connect();
  Peer upstream = open(client);
  client.reset();
  EXPECT_TRUE(upstream.read_to_end().empty());
  wait_until([&] { return ended(Outcome::client_gone) == 1; });
  EXPECT_EQ(cluster().backends[0].status.failures, 0u) << "no fault of the backend";
}

TEST_F(Tunnel, IsCutWhenNothingMovesForTooLong) {
  config.timeouts.idle = 50ms;
  setup.body_timeout = 1ms;  // Not the one that counts here.
  Peer client = connect();
  Peer upstream = open(client);
  EXPECT_TRUE(client.was_reset());
}

TEST_F(Tunnel, LeavesRequestsAsTheyAreWhenTheBackendDoesNotSwitch) {
  Peer client = connect();
  client.send(kAsk);
  client.send(kGet);
  Peer upstream = backend.accept();
  upstream.read_head();
  upstream.send(kOk);
  EXPECT_EQ(client.read_until("ok"), kOk);
  EXPECT_TRUE(upstream.read_head().starts_with("GET / HTTP/1.1\r\n"));
  upstream.send(kOk);
  EXPECT_EQ(client.read_until("ok"), kOk);
}

TEST_F(Tunnel, DoesNotOpenToWhatNobodyAskedFor) {
  for (const char* answer :
       {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\n\r\n"}) {
    Peer client = connect();
    client.send(kAsk);
    Peer upstream = backend.accept();
    upstream.read_head();
    upstream.send(answer);
    EXPECT_TRUE(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 502 ")) << answer;
  }
}

// RFC 9110, section 7.8, and what would be a way past the rules of the listener.
TEST_F(Tunnel, IsNotAskedForInOtherWays) {
  Peer client = connect();
  Peer upstream = [&] {
    client.send(kGet);
    return backend.accept();
  }();
  upstream.read_head();
  upstream.send(kOk);
  client.read_until("ok");
  for (const std::string& fields :
       {std::string{"Upgrade: websocket\r\n"},  // Connection does not name it.
        std::string{"Connection: Upgrade\r\nUpgrade: h2c\r\n"},
        std::string{"Connection: Upgrade\r\nUpgrade: H2C\r\n"},
        std::string{"Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n"},
        std::string{"Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n"},
        std::string{"Connection: Upgrade\r\nUpgrade:\r\n"},
        std::string{"Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n"},
        std::string{"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n"}}) {
    client.send("GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
    if (fields.find("chunked") != std::string::npos) client.send("0\r\n\r\n");
    if (fields.find("Length") != std::string::npos) client.send("hello");
    const std::string request = upstream.read_head();
    EXPECT_EQ(request.find("Upgrade"), std::string::npos) << fields << request;
    if (fields.find("chunked") != std::string::npos) upstream.read_until("0\r\n\r\n");
    if (fields.find("Length") != std::string::npos) upstream.read_until("hello");
    upstream.send(kOk);
    EXPECT_EQ(client.read_until("ok"), kOk) << fields;
  }
  Peer old = connect();
  old.send("GET / HTTP/1.0\r\nConnection: Upgrade, keep-alive\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_EQ(upstream.read_head().find("Upgrade"), std::string::npos);
  upstream.send(kOk);
  old.read_until("ok");
}

TEST_F(Tunnel, HoldsNeitherEndBackByTheOther) {
  Peer client = connect();
  Peer upstream = open(client);
  const std::string much(3'000'000, 'x');
  std::thread up([&] { client.send(much); });
  std::thread down([&] { upstream.send(much); });
  EXPECT_EQ(upstream.read_until(much).size(), much.size());
  EXPECT_EQ(client.read_until(much).size(), much.size());
  up.join();
  down.join();
}

}  // namespace
}  // namespace lb::net
