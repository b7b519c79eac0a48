// Goal: a probe asks what it should and reports once what it found, unless it was abandoned.
// Method: the loop and the backend on the test's thread; the answer is sent before it is asked for.
#include "lbnet/prober.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/lbnet/sockets.h"

namespace lb::net {
namespace {

using testing::Peer;
using testing::RefusingPort;
using testing::TestBackend;

class ProberTest : public ::testing::Test {
 protected:
  void probe(std::uint16_t port, const HealthCheckConfig& check = {}) {
    prober_.start(kProbe, check, {boost::asio::ip::address_v4::loopback(), port}, "a:80");
  }
  // What is reported of a backend that answers this and ends.
  std::string report_of(const std::string& answer) {
    probe(backend.port());
    Peer peer = backend.accept();
    peer.send(answer);
    peer.shut_down_write();
    return report();
  }
  std::string report() {
    reports_.clear();
    io_.restart();
    io_.run_for(std::chrono::seconds{5});
    EXPECT_EQ(reports_.size(), 1u);
    return reports_.empty() ? "" : reports_.front();
  }

  TestBackend backend;
  static constexpr ProbeId kProbe{ClusterId{1}, BackendId{2}, 3};
  std::vector<std::string> reports_;
  boost::asio::io_context io_{1};
  Prober prober_{
      io_, [this](const ProbeId& id, std::optional<ProbeResult> result, const std::string& detail) {
        EXPECT_TRUE(id == kProbe);
        const char* word = !result ? "unasked " : *result == ProbeResult::pass ? "pass " : "fail ";
        reports_.push_back(word + detail);
      }};
};

TEST_F(ProberTest, SaysNothingOfABackendThatItHasNoDescriptorFor) {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  none.rlim_cur = 0;
  ::setrlimit(RLIMIT_NOFILE, &none);
  probe(backend.port());
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(report(), "unasked Too many open files");
}

TEST_F(ProberTest, AsksForThePath) {
  HealthCheckConfig check;
  check.path = "/health";
  for (const ProbeMethod method : {ProbeMethod::get, ProbeMethod::head}) {
    check.method = method;
    probe(backend.port(), check);
    Peer peer = backend.accept();
    peer.send("HTTP/1.1 200 OK\r\n\r\n");
    EXPECT_EQ(report(), "pass 200");
    EXPECT_EQ(peer.read_head(),
              std::string{method == ProbeMethod::get ? "GET" : "HEAD"} +
                  " /health HTTP/1.1\r\nHost: a:80\r\nUser-Agent: lbd-health-check\r\n"
                  "Accept: */*\r\nConnection: close\r\n\r\n");
  }
}

TEST_F(ProberTest, PassesFrom200To399) {
  EXPECT_EQ(report_of("HTTP/1.1 200 OK\r\n\r\n"), "pass 200");
  EXPECT_EQ(report_of("HTTP/1.0 399\r\n\r\n"), "pass 399");
  EXPECT_EQ(report_of("HTTP/1.1 400 X\r\n\r\n"), "fail 400");
  EXPECT_EQ(report_of("HTTP/1.1 503 X\r\n\r\n"), "fail 503");
}

TEST_F(ProberTest, FailsWithoutAnAnswer) {
  EXPECT_EQ(report_of(""), "fail closed without an answer");
  EXPECT_EQ(report_of("HTTP/1.1 200 OK\r\n"), "fail closed without an answer");
  EXPECT_EQ(report_of("nonsense\r\n\r\n"), "fail not an HTTP answer");
  EXPECT_EQ(report_of("\r\nHTTP/1.1 200 OK\r\n\r\n"), "fail not an HTTP answer");
  EXPECT_EQ(report_of("HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x')),
            "fail not an HTTP answer");
}

TEST_F(ProberTest, ATcpProbeOnlyConnects) {
  HealthCheckConfig check;
  check.type = ProbeType::tcp;
  probe(backend.port(), check);
  EXPECT_EQ(report(), "pass connected");
  EXPECT_TRUE(backend.accept().at_end());
}

TEST_F(ProberTest, ReportsARefusal) {
  const RefusingPort nobody;
  probe(nobody.port());
  EXPECT_EQ(report(), "fail Connection refused");
}

TEST_F(ProberTest, SaysNothingOfAProbeThatWasAbandoned) {
  probe(backend.port());
  Peer peer = backend.accept();
  io_.poll();
  prober_.abandon(kProbe);
  prober_.abandon({ClusterId{9}, BackendId{9}, 9});  // Not there.
  io_.restart();
  io_.run_for(std::chrono::seconds{5});
  EXPECT_TRUE(reports_.empty());
  EXPECT_FALSE(peer.read_to_end().empty()) << "its request, and then the end";
}

// The answer may be on its way when the probe is given up.
TEST_F(ProberTest, SaysNothingOfAProbeThatWasAbandonedAtTheLastMoment) {
  probe(backend.port());
  Peer peer = backend.accept();
  peer.send("HTTP/1.1 200 OK\r\n\r\n");
  io_.poll_one();
  prober_.abandon_all();
  io_.restart();
  io_.run_for(std::chrono::seconds{5});
  EXPECT_TRUE(reports_.empty());
}

}  // namespace
}  // namespace lb::net
