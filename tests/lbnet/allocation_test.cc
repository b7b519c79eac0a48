// Goal: a warm worker serves a request without allocating: no growth, no fragmentation, nothing
// that a hundred workers would contend for.
// Method: operator new is counted on the worker's thread over a thousand requests.
#include <gtest/gtest.h>

#include "tests/lbnet/counters.h"
#include "tests/lbnet/worker_fixture.h"

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
    const std::uint64_t before = on_worker([] { return testing::allocations(); });
    for (int n = 0; n < 1000; ++n) round();
    return on_worker([] { return testing::allocations(); }) - before;
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

// A new connection of a client costs one, the state of its Stream.
TEST_F(Allocations, FewForAConnectionOfAClient) {
  Peer client = connect();
  Peer upstream = first_exchange(client);
  const auto round = [&] {
    Peer visitor = connect();
    serve(visitor, upstream);
  };
  EXPECT_LE(over_a_thousand(round), 2'000u);
}

}  // namespace
}  // namespace lb::net
