// Goal: a session over TLS is what it is without, whatever way its bytes come; it costs no read
// that is bound to fail, and no allocation of ours; and an end that was not said is a cut.
// Method: the client's TLS is the test's to speak, byte by byte if it likes.
#include <gtest/gtest.h>

#include "lbnet/tls/server_context.h"
#include "tests/lbnet/counters.h"
#include "tests/lbnet/tls_peer.h"
#include "tests/lbnet/worker_fixture.h"
#include "tests/testing/allocations.h"

namespace lb::net {
namespace {

using namespace std::chrono_literals;
using testing::OneBackendTest;
using testing::Peer;
using testing::TlsPeer;

class TlsSession : public OneBackendTest {
 protected:
  TlsSession() { setup.tls = make_context(); }

  static std::shared_ptr<const tls::ServerContext> make_context() {
    const tls::File file = testing::make_certificate();
    tls::ServerSetup tls_setup{.listener = "web"};
    tls_setup.certificates.push_back({file, file});
    tls::Complaints complaints;
    auto context = tls::ServerContext::make(tls_setup, nullptr, complaints);
    EXPECT_TRUE(complaints.empty());
    return context;
  }
  TlsPeer connect_tls(TlsPeer::Version version = TlsPeer::Version::tls_1_3) {
    TlsPeer client(connect(), version);
    EXPECT_TRUE(client.handshake());
    return client;
  }
  // Opens the backend's connection.
  Peer first_exchange(TlsPeer& client) {
    client.send(kGet);
    Peer upstream = backend.accept();
    upstream.read_head();
    upstream.send(kOk);
    EXPECT_EQ(client.read_until("ok"), kOk);
    return upstream;
  }
  static void serve(TlsPeer& client, Peer& upstream) {
    client.send(kGet);
    upstream.read_head();
    upstream.send(kOk);
    EXPECT_EQ(client.read_until("ok"), kOk);
  }
};

TEST_F(TlsSession, ARequestMayComeWithTheLastFlightOfTheHandshake) {
  TlsPeer client(connect());
  ASSERT_TRUE(client.handshake_and_send(kGet));
  Peer upstream = backend.accept();
  EXPECT_TRUE(upstream.read_head().starts_with("GET / HTTP/1.1\r\n"));
  upstream.send(kOk);
  EXPECT_EQ(client.read_until("ok"), kOk);
  EXPECT_EQ(listener().tls.full, 1u);
}

TEST_F(TlsSession, ARecordMayComeByteByByteAndARequestInManyRecords) {
  TlsPeer client = connect_tls();
  Peer upstream = first_exchange(client);
  for (const char byte : client.encrypt(kGet)) client.send_raw({&byte, 1});
  upstream.read_head();
  upstream.send(kOk);
  EXPECT_EQ(client.read_until("ok"), kOk);
  for (const char byte : std::string_view{kGet}) client.send({&byte, 1});
  upstream.read_head();
  upstream.send(kOk);
  EXPECT_EQ(client.read_until("ok"), kOk);
}

TEST_F(TlsSession, ManyRecordsMayComeAtOnce) {
  TlsPeer client = connect_tls();
  Peer upstream = first_exchange(client);
  std::string all;
  for (int n = 0; n < 200; ++n) all += client.encrypt(kGet);
  client.send_raw(all);
  for (int n = 0; n < 200; ++n) {
    upstream.read_head();
    upstream.send(kOk);
    EXPECT_EQ(client.read_until("ok"), kOk);
  }
}

TEST_F(TlsSession, ASmallAnswerIsOneRecord) {
  for (const auto version : {TlsPeer::Version::tls_1_2, TlsPeer::Version::tls_1_3}) {
    TlsPeer client = connect_tls(version);
    client.send(kGet);
    Peer upstream = backend.accept();
    upstream.read_head();
    // Closed, so that the next round has a connection of its own.
    upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    client.read_until("ok");
    EXPECT_EQ(client.records(), 1);
  }
}

TEST_F(TlsSession, CostsNoReadInVainAndNoAllocationOfOurs) {
  for (const auto version : {TlsPeer::Version::tls_1_2, TlsPeer::Version::tls_1_3}) {
    TlsPeer client = connect_tls(version);
    client.send(kGet);
    Peer upstream = backend.accept();
    upstream.read_head();
    upstream.send(kOk);
    client.read_until("ok");
    for (int n = 0; n < 50; ++n) serve(client, upstream);
    const auto reads = on_worker([] { return testing::socket_reads(); });
    const auto allocations = on_worker([] { return lb::testing::allocations(); });
    for (int n = 0; n < 1000; ++n) serve(client, upstream);
    const auto reads_now = on_worker([] { return testing::socket_reads(); });
    EXPECT_EQ(reads_now.all - reads.all, 2000u);
    EXPECT_EQ(reads_now.in_vain, reads.in_vain);
    EXPECT_EQ(on_worker([] { return lb::testing::allocations(); }) - allocations, 0u);
    upstream.close();
    wait_until([&] { return idle_connections() == 0; });
  }
}

TEST_F(TlsSession, TheEndIsSaidOnceTheLastAnswerIsOut) {
  TlsPeer client = connect_tls();
  client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  Peer upstream = backend.accept();
  upstream.read_head();
  upstream.send(kOk);
  EXPECT_TRUE(client.read_to_end().ends_with("ok"));
  EXPECT_TRUE(client.was_told_the_end());
}

TEST_F(TlsSession, AnAnswerThatBrokeOffHasNoEndThatCouldBeTakenForOne) {
  TlsPeer client = connect_tls();
  client.send(kGet);
  Peer upstream = backend.accept();
  upstream.read_head();
  upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  client.read_until("half");
  upstream.close();
  client.read_to_end();
  EXPECT_FALSE(client.was_told_the_end());
}

TEST_F(TlsSession, AClientThatReadsTooSlowlyIsNotToldThatItHasAll) {
  setup.body_timeout = 100ms;
  TlsPeer client = connect_tls();
  client.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
  Peer upstream = backend.accept();
  upstream.read_head();
  upstream.send("HTTP/1.1 200 OK\r\n\r\n");
  const std::string much(1 << 20, 'x');
  while (upstream.send(much) && listener().connections_active > 0) {
  }
  wait_until([&] { return listener().connections_active == 0; });
  client.read_to_end();
  EXPECT_FALSE(client.was_told_the_end());
}

TEST_F(TlsSession, AnIdleConnectionEndsWithAWord) {
  setup.idle_timeout = 100ms;
  TlsPeer client = connect_tls();
  EXPECT_EQ(client.read_to_end(), "");
  EXPECT_TRUE(client.was_told_the_end());
}

TEST_F(TlsSession, ABodyThatIsCutIsNotSaidToBeWhole) {
  TlsPeer client = connect_tls();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  Peer upstream = backend.accept();
  upstream.read_until("abc\r\n");
  const std::string record = client.encrypt("0\r\n\r\n");
  client.send_raw(std::string_view{record}.substr(0, record.size() - 1));
  client.peer().shut_down_write();
  EXPECT_EQ(upstream.read_to_end(), "");
  EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(TlsSession, OfATcpConnectionAnEndThatWasNotSaidIsACut) {
  setup.protocol = Protocol::tcp;
  for (const bool said : {true, false}) {
    TlsPeer client = connect_tls();
    Peer upstream = backend.accept();
    client.send("bye");
    EXPECT_EQ(upstream.read_until("bye"), "bye");
    if (said) client.say_end();
    client.peer().shut_down_write();
    EXPECT_EQ(said ? upstream.at_end() : upstream.was_reset(), true);
    upstream.close();
    wait_until([&] { return listener().connections_active == 0; });
    EXPECT_EQ(ended(said ? Outcome::success : Outcome::cut), 1u);
  }
}

TEST_F(TlsSession, AHandshakeThatBreaksOffIsCountedOnce) {
  {
    TlsPeer client(connect());
    client.send_raw("\x16\x03\x01");
  }
  wait_until([&] { return listener().tls.failed == 1; });
  EXPECT_EQ(listener().connections, 1u);
  EXPECT_EQ(listener().tls.handshakes_active, 0u);
}

TEST_F(TlsSession, OneThatIsUnderWayDoesNotHoldUpTheEnd) {
  TlsPeer client(connect());
  client.send_raw("\x16\x03\x01");
  wait_until([&] { return listener().tls.handshakes_active == 1; });
  stop(false);
  EXPECT_EQ(client.peer().read_to_end(), "");
}

TEST_F(TlsSession, BodiesOfEverySizeAroundARecordArriveWhole) {
  TlsPeer client = connect_tls();
  Peer upstream = first_exchange(client);
  for (const std::size_t size : {16000u, 16383u, 16384u, 16385u, 32768u, 65537u, 400000u}) {
    const std::string body = std::string(size - 1, 'x') + '\n';
    client.send(kGet);
    upstream.read_head();
    upstream.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + body);
    client.read_until("\r\n\r\n");
    EXPECT_TRUE(client.read_until("\n") == body) << size;
  }
}

}  // namespace
}  // namespace lb::net
