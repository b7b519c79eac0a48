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
  std::size_t pipes_open() {
    return on_worker([&] { return worker().pipes().open(); });
  }
  std::size_t pipes_lent() {
    return on_worker([&] { return worker().pipes().lent(); });
  }
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
  EXPECT_GT(pipes_open(), 0u) << "bulk is spliced";
  EXPECT_EQ(pipes_lent(), 0u) << "and holds nothing once it has passed";
}

TEST_F(TcpSession, CopiesMessages) {
  have_backend(backend.port());
  Peer client = connect();
  Peer upstream = backend.accept();
  const std::string message(20'000, 'm');
  for (int n = 0; n < 50; ++n) {
    client.send(message);
    EXPECT_EQ(upstream.read(message.size()), message);
    upstream.send(message);
    EXPECT_EQ(client.read(message.size()), message);
  }
  EXPECT_EQ(pipes_open(), 0u);
}

// Each way by itself; what is bulk becomes a message and bulk again.
TEST_F(TcpSession, LosesNothingWhereItChangesBetweenCopyingAndSplicing) {
  have_backend(backend.port());
  Peer client = connect();
  Peer upstream = backend.accept();
  std::uint64_t passed = 0;
  for (const std::size_t size : {1u, 32'768u, 1'000'000u, 3u, 700'000u, 32'767u, 32'769u, 9u}) {
    std::string part;
    while (part.size() < size) part += std::to_string(part.size() * 7 + size);
    part.resize(size);
    std::thread sender([&] { client.send(part); });
    EXPECT_TRUE(upstream.read(size) == part) << size;
    sender.join();
    std::thread answerer([&] { upstream.send(part); });
    EXPECT_TRUE(client.read(size) == part) << size;
    answerer.join();
    passed += size;
  }
  client.shut_down_write();
  EXPECT_TRUE(upstream.at_end());
  upstream.close();
  EXPECT_TRUE(client.at_end());
  wait_until([&] { return ended(Outcome::success) == 1; });
  EXPECT_EQ(listener().bytes_in, passed);
  EXPECT_EQ(listener().bytes_out, passed);
}

// With a pipe full of what nobody reads.
TEST_F(TcpSession, EndsWithItsWorkerWhileAReaderIsSlow) {
  have_backend(backend.port());
  Peer client = connect();
  Peer upstream = backend.accept();
  const std::string much(1'000'000, 'x');
  std::thread sender([&] {
    while (upstream.send(much)) {
    }
  });
  wait_until([&] { return pipes_lent() == 1; });
  stop(true);
  sender.join();
}

TEST_F(TcpSession, AReaderThatBreaksOffInABulkOfBytesBreaksTheSession) {
  have_backend(backend.port());
  Peer client = connect();
  Peer upstream = backend.accept();
  const std::string much(1'000'000, 'x');
  std::thread sender([&] {
    while (upstream.send(much)) {
    }
  });
  // When the sender is slow the last bytes that fit are copied: then there is room for more.
  wait_until([&] { return pipes_lent() == 1 || client.read(much.size()).empty(); });
  client.reset();
  sender.join();
  wait_until([&] { return ended(Outcome::cut) == 1; });
  EXPECT_EQ(pipes_lent(), 0u);
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
