// Goal: a TCP session carries bytes both ways, ends as its peers end it, and lets neither wait for
// one that is gone.
// Method: a real worker with a tcp listener, the other ends in the test's hands.
#include "tests/lbnet/worker_fixture.h"

namespace lb::net {
namespace {

using namespace std::chrono_literals;
using testing::Peer;
using testing::RefusingPort;
using testing::TestBackend;
using testing::WorkerTest;

class TcpSession : public WorkerTest {
 protected:
  TcpSession() { setup.protocol = Protocol::tcp; }
  TestBackend backend;
};

TEST_F(TcpSession, CarriesBytesBothWaysAndEndsBothWays) {
  have_backend(backend.port());
  Peer client = connect();
  Peer upstream = backend.accept();
  upstream.send("hello");  // The backend may speak first.
  EXPECT_EQ(client.read(5), "hello");
  client.send("ping");
  EXPECT_EQ(upstream.read(4), "ping");
  client.shut_down_write();
  EXPECT_TRUE(upstream.at_end());
  upstream.send("the rest");
  upstream.close();
  EXPECT_EQ(client.read_to_end(), "the rest") << "the end of one way is not the end of the other";
  wait_until([&] { return ended(Outcome::success) == 1; });
  EXPECT_EQ(listener().bytes_in, 4u);
  EXPECT_EQ(listener().bytes_out, 13u);
  EXPECT_EQ(idle_connections(), 0u);
}

TEST_F(TcpSession, CarriesMoreThanAnyBufferHolds) {
  have_backend(backend.port());
  Peer client = connect();
  Peer upstream = backend.accept();
  std::string much;
  while (much.size() < 3'000'000) much += std::to_string(much.size()) + ' ';
  std::thread echo([&] { upstream.send(upstream.read(much.size())); });
  std::thread sender([&] { client.send(much); });
  EXPECT_TRUE(client.read(much.size()) == much);
  sender.join();
  echo.join();
}

TEST_F(TcpSession, GoesToAnotherBackendWhenOneRefuses) {
  const RefusingPort nobody;
  have_backend(nobody.port());
  have_backend(backend.port());
  Peer client = connect();
  client.send("x");
  EXPECT_EQ(backend.accept().read(1), "x");
  EXPECT_EQ(cluster().counters.retries, 1u);
}

TEST_F(TcpSession, RefusesWhenEverybodyRefuses) {
  const RefusingPort nobody;
  have_backend(nobody.port());
  Peer client = connect();
  EXPECT_TRUE(client.was_reset());
  wait_until([&] { return ended(Outcome::connect_failure) == 1; });
}

TEST_F(TcpSession, PassesABreakOn) {
  have_backend(backend.port());
  {
    Peer client = connect();
    Peer upstream = backend.accept();
    upstream.send("x");
    client.read(1);
    upstream.reset();
    EXPECT_TRUE(client.was_reset());
  }
  {
    Peer client = connect();
    Peer upstream = backend.accept();
    upstream.send("x");
    client.read(1);
    client.reset();
    upstream.read_to_end();
  }
  wait_until([&] { return ended(Outcome::cut) == 2; });
}

TEST_F(TcpSession, EndsWhenNothingMovesForTooLong) {
  have_backend(backend.port());
  config.timeouts.idle = 20ms;
  Peer client = connect();
  Peer upstream = backend.accept();
  EXPECT_TRUE(client.was_reset());
  upstream.read_to_end();
  EXPECT_EQ(snapshot().sessions, 0u);
}

TEST_F(TcpSession, EndsWithItsWorkerWhenThatStopsAtOnce) {
  have_backend(backend.port());
  Peer client = connect();
  Peer upstream = backend.accept();
  client.send("x");
  upstream.read(1);
  stop(true);
  EXPECT_TRUE(client.was_reset());
}

// Bytes that are on their way when the worker stops must not keep the session alive.
TEST_F(TcpSession, EndsWithItsWorkerInTheMiddleOfTraffic) {
  have_backend(backend.port());
  Peer client = connect();
  Peer upstream = backend.accept();
  const std::string much(100'000, 'x');
  std::thread sender([&] {
    while (client.send(much)) {
    }
  });
  upstream.read(1'000'000);
  std::thread reader([&] {
    while (!upstream.read(1'000'000).empty()) {
    }
  });
  stop(true);
  sender.join();
  reader.join();
}

}  // namespace
}  // namespace lb::net
