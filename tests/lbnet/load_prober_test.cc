// Goal: a backend is asked how loaded it is over one kept connection, what it says in the agreed
// words is reported once, and nothing it does instead costs more than that one question.
// Method: the loop and the backend on the test's thread, which says what time it is; at the end,
// whole workers that are taken away while a question is under way.
#include "lbnet/load_prober.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "tests/lbnet/counters.h"
#include "tests/lbnet/worker_fixture.h"
#include "tests/testing/allocations.h"

namespace lb::net {
namespace {

using namespace std::chrono_literals;
using testing::Peer;
using testing::RefusingPort;
using testing::TestBackend;

const std::string kLoad = "Backend-Load: in-flight=3, latency=1234\r\n";
const std::string kAnswer = "HTTP/1.1 200 OK\r\n" + kLoad + "Content-Length: 0\r\n\r\n";

std::string with_load(const std::string& value) {
  return "HTTP/1.1 200 OK\r\nBackend-Load: " + value + "\r\nContent-Length: 0\r\n\r\n";
}

class LoadProberTest : public ::testing::Test {
 protected:
  LoadProberTest() { prober.apply(kQuestion, kBackends); }
  ~LoadProberTest() override {
    prober.abandon_all();
    settle();
  }

  // -- Time passes when the test says so.
  void ask(std::uint16_t port, BackendId id = kBackend) {
    prober.ask(now, id, {boost::asio::ip::address_v4::loopback(), port}, "b1:80");
  }
  void ask() { ask(backend.port()); }
  // Until no question is under way.
  void settle() {
    run_until([&] { return prober.at_rest(); });
  }
  template <class Condition>
  void run_until(Condition&& condition) {
    const auto give_up = std::chrono::steady_clock::now() + 5s;
    io.restart();
    while (!condition() && std::chrono::steady_clock::now() < give_up) io.run_one_for(10ms);
    EXPECT_TRUE(condition()) << "it did not happen within five seconds";
  }
  // The question as it arrives: over the last connection, or when that has ended over a new one.
  std::string question() {
    run_until([&] { return backend.somebody_waits() || (peer && peer->readable()); });
    if (peer && peer->readable()) {
      const std::string text = peer->read_head();
      if (!text.empty()) return text;
      run_until([&] { return backend.somebody_waits(); });
    }
    peer.emplace(backend.accept());
    ++connections;
    run_until([&] { return peer->readable(); });
    return peer->read_head();
  }
  // What is reported when the backend answers this.
  std::string report_of(const std::string& answer) {
    now += kQuestion.max_age;  // Whatever happened before.
    reports.clear();
    ask();
    EXPECT_FALSE(question().empty());
    peer->send(answer);
    settle();
    EXPECT_LE(reports.size(), 1u);
    return reports.empty() ? "" : reports.front();
  }
  // Whether the connection is used again after such an answer.
  bool kept_after(const std::string& answer) {
    report_of(answer);
    const int before = connections;
    report_of(kAnswer);
    return connections == before;
  }

  static constexpr BackendId kBackend{7};
  static constexpr std::array kBackends{BackendId{9}, kBackend, BackendId{8}};
  const LoadQuestion kQuestion{"/load", 1s};

  TestBackend backend;
  std::optional<Peer> peer;
  int connections = 0;
  Instant now{1h};
  std::vector<std::string> reports;
  BufferPool buffers;
  boost::asio::io_context io{1};
  LoadProber prober{io, buffers, [this](BackendId id, const LoadReport& report) {
                      EXPECT_EQ(id, kBackend);
                      reports.push_back(std::to_string(report.in_flight) + ' ' +
                                        std::to_string(report.latency / 1us));
                    }};
};

// ---------------------------------------------------------------------------------------------
// Good answers

TEST_F(LoadProberTest, AsksOverOneConnectionAndReportsEachAnswer) {
  for (int n = 1; n <= 3; ++n) {
    ask();
    EXPECT_EQ(question(),
              "GET /load HTTP/1.1\r\nHost: b1:80\r\nUser-Agent: lbd-load-probe\r\n\r\n");
    peer->send(with_load("in-flight=" + std::to_string(n) + ", latency=5"));
    settle();
    EXPECT_EQ(reports.back(), std::to_string(n) + " 5");
  }
  EXPECT_EQ(reports.size(), 3u);
  EXPECT_EQ(connections, 1);
  EXPECT_EQ(prober.counters().asked, 3u);
  EXPECT_EQ(prober.counters().told, 3u);
  EXPECT_EQ(prober.counters().failed, 0u);
}

TEST_F(LoadProberTest, TheRequestThatGaveRiseToItGoesFirst) {
  ask();
  EXPECT_FALSE(backend.somebody_waits());
  question();
}

TEST_F(LoadProberTest, SkipsABody) {
  const std::string head = "HTTP/1.1 200 OK\r\n" + kLoad;
  EXPECT_TRUE(kept_after(head + "Content-Length: 5\r\n\r\nhello"));
  EXPECT_TRUE(kept_after(head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
  EXPECT_TRUE(kept_after("HTTP/1.1 204 No Content\r\n" + kLoad + "\r\n"));
  EXPECT_TRUE(kept_after("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno!"));
  EXPECT_EQ(connections, 1);
}

TEST_F(LoadProberTest, ReportsAsSoonAsTheHeadIsThere) {
  ask();
  question();
  peer->send("HTTP/1.1 200 OK\r\n" + kLoad + "Content-Length: 5\r\n\r\nhe");
  run_until([&] { return !reports.empty(); });
  EXPECT_FALSE(prober.at_rest());
  peer->send("llo");
  settle();
  EXPECT_EQ(reports.size(), 1u);
  report_of(kAnswer);
  EXPECT_EQ(connections, 1);
}

TEST_F(LoadProberTest, PutsAnAnswerTogetherThatComesInPieces) {
  ask();
  question();
  for (const char c : kAnswer) {
    EXPECT_TRUE(reports.empty());
    peer->send({&c, 1});
    io.restart();
    io.poll();
  }
  settle();
  EXPECT_EQ(reports, std::vector<std::string>{"3 1234"});
}

// What is not worth reading is not worth a connection either; the load counts all the same.
TEST_F(LoadProberTest, DropsAConnectionThatItCannotGoOnWith) {
  const std::string head = "HTTP/1.1 200 OK\r\n" + kLoad;
  EXPECT_FALSE(kept_after(head + "Connection: close\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_FALSE(kept_after("HTTP/1.0 200 OK\r\n" + kLoad + "Content-Length: 0\r\n\r\n"));
  EXPECT_FALSE(kept_after(head + "\r\nuntil it closes"));
  EXPECT_FALSE(kept_after(head + "Content-Length: 6000\r\n\r\n" + std::string(6000, 'x')));
  EXPECT_FALSE(kept_after(head + "Content-Length: 2\r\n\r\nhi and more"));
  EXPECT_FALSE(kept_after(head + "Transfer-Encoding: chunked\r\n\r\nno chunk"));
  EXPECT_EQ(prober.counters().told, 12u);
}

// ---------------------------------------------------------------------------------------------
// The words

struct Words {
  const char* value;
  const char* report;
};

TEST_F(LoadProberTest, ReadsTheFieldAsADictionaryOfIntegers) {
  const Words table[] = {
      {"in-flight=3, latency=1234", "3 1234"},
      {"latency=1234,in-flight=3", "3 1234"},
      {"in-flight=0 ,\t latency=0", "0 0"},
      {"in-flight=1000000000, latency=999999999999999", "1000000000 999999999999999"},
      {"in-flight=1, latency=2, in-flight=3", "3 2"},
      {"in-flight=1;of=12, latency=2;unit=\"us\"", "1 2"},
      {"version=\"1, 2\", in-flight=1, zone=eu/west:1, latency=2", "1 2"},
      {"cpu=0.25, ok, no=?0, id=:aGk=:, all=(1 \"a\" b;c=1), *x.y_z-1=-5, in-flight=1, latency=2",
       "1 2"},
  };
  for (const Words& words : table) {
    EXPECT_EQ(report_of(with_load(words.value)), words.report) << words.value;
  }
  EXPECT_EQ(report_of("HTTP/1.1 200 OK\r\nbackend-load: in-flight=1\r\nBACKEND-LOAD: latency=2\r\n"
                      "Content-Length: 0\r\n\r\n"),
            "1 2");
  EXPECT_EQ(connections, 1);
}

TEST_F(LoadProberTest, TakesNoReportFromOtherWords) {
  const char* const table[] = {
      "", "in-flight=3", "latency=3", "in-flight, latency", "in-flight=-1, latency=2",
      "in-flight=1, latency=-2", "in-flight=1.5, latency=2", "in-flight=\"1\", latency=2",
      "in-flight=1, latency=fast", "in-flight=(1), latency=2", "in-flight=1000000001, latency=2",
      "in-flight=1, latency=1000000000000000", "in-flight=1, latency=2, in-flight=x",
      // Not a dictionary: all of it says nothing.
      "in-flight=1, latency=2,", "in-flight=1 latency=2", "in-flight=1; latency=2",
      "in-flight=1,, latency=2", "in-flight= 1, latency=2", "in-flight =1, latency=2",
      "In-Flight=1, latency=2", "in-flight=1, latency=2, 5",
      "in-flight=1, latency=2, a=", "in-flight=1, latency=2, a=\"open",
      "in-flight=1, latency=2, a=\"\\x\"", "in-flight=1, latency=2, a=(1",
      "in-flight=1, latency=2, a=(1\"b\")",
      "in-flight=1, latency=2, a=:?:", "in-flight=1, latency=2, a=?2",
      "in-flight=1, latency=2, a=1.", "in-flight=1, latency=2, a=1.0000",
      "in-flight=1, latency=2, a=-", "in-flight=1, latency=2;", "in-flight=+1, latency=2"};
  for (const char* value : table) EXPECT_EQ(report_of(with_load(value)), "") << value;
  EXPECT_EQ(connections, 1);
  EXPECT_EQ(prober.counters().failed, std::size(table));
}

TEST_F(LoadProberTest, TakesNoReportFromOtherAnswers) {
  for (const char* status : {"404 Not Found", "503 Busy", "301 Moved", "103 Early Hints"}) {
    EXPECT_EQ(
        report_of(std::string{"HTTP/1.1 "} + status + "\r\n" + kLoad + "Content-Length: 0\r\n\r\n"),
        "");
  }
  EXPECT_EQ(report_of("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), "");
  EXPECT_EQ(report_of("nonsense\r\n\r\n"), "");
  EXPECT_EQ(report_of("\r\n" + kAnswer), "");
  EXPECT_EQ(report_of("HTTP/1.1 200 OK\r\n" + kLoad + "Content-Length: 1, 2\r\n\r\n"), "");
  EXPECT_EQ(report_of("HTTP/1.1 200 OK\r\n" + kLoad + "X: " + std::string(20'000, 'x')), "");
  EXPECT_EQ(report_of(kAnswer), "3 1234") << "and goes on";
}

// ---------------------------------------------------------------------------------------------
// Backends that do not play along

TEST_F(LoadProberTest, AsksNobodyTwiceAtATime) {
  ask();
  ask();
  question();
  ask();
  peer->send(kAnswer);
  settle();
  EXPECT_EQ(reports.size(), 1u);
  EXPECT_EQ(prober.counters().asked, 1u);
  EXPECT_EQ(prober.counters().dropped, 2u);
}

TEST_F(LoadProberTest, GivesASlowBackendUpWhenItsAnswerWouldBeTooOld) {
  ask();
  question();
  EXPECT_EQ(prober.poll_timeout(), now + 1s);
  now += 1s - 1ns;
  prober.handle_timeout(now);
  io.restart();
  io.poll();
  EXPECT_FALSE(prober.at_rest());
  now += 1ns;
  prober.handle_timeout(now);
  settle();
  EXPECT_EQ(prober.poll_timeout(), std::nullopt);
  EXPECT_TRUE(peer->at_end());
  EXPECT_EQ(prober.counters().failed, 1u);
  ask();
  question();
  EXPECT_EQ(connections, 2);
}

TEST_F(LoadProberTest, AnAnswerInTheLastMomentIsLate) {
  ask();
  question();
  peer->send(kAnswer);
  prober.handle_timeout(now + 1s);
  settle();
  EXPECT_TRUE(reports.empty());
}

TEST_F(LoadProberTest, ABackendThatClosesAfterEachAnswerIsAskedEachTime) {
  for (int n = 1; n <= 3; ++n) {
    ask();
    question();
    peer->send(kAnswer);
    peer->close();
    settle();
    // The end is noticed without anybody asking.
    run_until([&] { return io.poll() == 0; });
  }
  EXPECT_EQ(reports.size(), 3u);
  EXPECT_EQ(connections, 3);
}

// The question and the end of the connection cross.
TEST_F(LoadProberTest, AKeptConnectionThatIsDeadIsReplacedAtTheNextQuestion) {
  report_of(kAnswer);
  peer->reset();
  peer.reset();
  ask();
  settle();
  EXPECT_EQ(prober.counters().failed, 1u);
  ask();
  question();
  peer->send(kAnswer);
  settle();
  EXPECT_EQ(prober.counters().told, 2u);
  EXPECT_EQ(prober.counters().dropped, 0u);
}

TEST_F(LoadProberTest, ABackendThatCannotBeReachedIsNotAskedAllTheTime) {
  const RefusingPort nobody;
  ask(nobody.port());
  settle();
  now += 1s - 1ns;
  for (int n = 0; n < 5; ++n) ask(nobody.port());
  EXPECT_TRUE(prober.at_rest());
  EXPECT_EQ(prober.counters().dropped, 5u);
  now += 1ns;
  ask(nobody.port());
  EXPECT_FALSE(prober.at_rest());
  settle();
  EXPECT_EQ(prober.counters().failed, 2u);
}

TEST_F(LoadProberTest, NorIsOneThatKnowsOfNoLoad) {
  report_of("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  ask();
  EXPECT_TRUE(prober.at_rest());
  now += 1s;
  ask();
  question();
  peer->send(kAnswer);
  settle();
  ask();
  EXPECT_FALSE(prober.at_rest()) << "it knows now";
}

TEST_F(LoadProberTest, BytesNobodyAskedForAreTheEndOfAConnection) {
  report_of(kAnswer);
  peer->send(kAnswer);
  run_until([&] { return peer->readable(); });
  EXPECT_EQ(reports.size(), 1u);
  report_of(kAnswer);
  EXPECT_EQ(connections, 2);
}

// ---------------------------------------------------------------------------------------------
// Changes

TEST_F(LoadProberTest, ForgetsABackendThatLeft) {
  report_of(kAnswer);
  prober.apply(kQuestion, {});
  EXPECT_TRUE(peer->at_end());
}

TEST_F(LoadProberTest, ForgetsABackendThatLeftWithAQuestionUnderWay) {
  ask();
  question();
  prober.apply(kQuestion, {});
  EXPECT_FALSE(prober.at_rest());
  EXPECT_EQ(prober.poll_timeout(), std::nullopt);
  peer->send(kAnswer);
  settle();
  EXPECT_TRUE(reports.empty());
}

TEST_F(LoadProberTest, ForgetsABackendThatLeftBeforeTheQuestionDid) {
  ask();
  prober.apply(kQuestion, {});
  settle();
  EXPECT_FALSE(backend.somebody_waits());
}

TEST_F(LoadProberTest, AsksAnotherQuestionFromNowOn) {
  ask();
  question();
  prober.apply(LoadQuestion{"/how-are-you", 1s}, kBackends);
  ask();
  EXPECT_TRUE(question().starts_with("GET /how-are-you HTTP/1.1\r\n"));
  peer->send(kAnswer);
  settle();
  EXPECT_EQ(reports.size(), 1u);
  EXPECT_EQ(connections, 2);
}

TEST_F(LoadProberTest, AsksNothingWithoutAQuestion) {
  report_of(kAnswer);
  prober.apply(std::nullopt, kBackends);
  EXPECT_TRUE(peer->at_end());
  ask();
  EXPECT_TRUE(prober.at_rest());
  EXPECT_EQ(prober.counters().asked, 1u);
}

TEST_F(LoadProberTest, KeepsItsConnectionsWhenOthersChange) {
  report_of(kAnswer);
  const std::array fewer{kBackend};
  prober.apply(kQuestion, fewer);
  report_of(kAnswer);
  EXPECT_EQ(connections, 1);
}

// ---------------------------------------------------------------------------------------------
// Cost

TEST_F(LoadProberTest, AllocatesNothingOnceWarm) {
  report_of(kAnswer);
  std::thread answering([one = std::move(*peer)]() mutable {
    while (!one.read_head().empty()) one.send(kAnswer);
  });
  reports.reserve(2'000);
  const auto round = [&] {
    ask();
    io.restart();
    while (!prober.at_rest()) io.run_one();
  };
  for (int n = 0; n < 50; ++n) round();
  const std::uint64_t before = lb::testing::allocations();
  const testing::ReadCounts reads = testing::socket_reads();
  for (int n = 0; n < 1000; ++n) round();
  EXPECT_EQ(lb::testing::allocations() - before, 0u);
  EXPECT_EQ(testing::socket_reads().all - reads.all, 1000u) << "one read for each";
  EXPECT_EQ(reports.size(), 1'051u);
  prober.apply(std::nullopt, {});
  answering.join();
}

// ---------------------------------------------------------------------------------------------
// A worker that asks for its brain

class WorkerAsks : public testing::WorkerTest {
 protected:
  WorkerAsks() {
    config.strategy = PrequalConfig{};
    for (Side& side : sides) have_backend(side.backend.port());
  }
  struct Side {
    TestBackend backend;
    std::optional<Peer> question;  // The connection that /load came over.
    std::optional<Peer> request;
  };

  // A request of a client, and what it makes the worker open: one connection for it, and one to
  // either backend for questions. Each has said what it wants.
  Peer first_request() {
    Peer client = connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int n = 0; n < 3; ++n) {
      Side* side = nullptr;
      wait_until([&] {
        for (Side& each : sides) {
          if (each.backend.somebody_waits()) side = &each;
        }
        return side != nullptr;
      });
      Peer peer = side->backend.accept();
      const bool asks = peer.read_head().starts_with("GET /load ");
      (asks ? side->question : side->request).emplace(std::move(peer));
    }
    return client;
  }
  bool answer_request(Peer& client, Side& side) {
    if (!side.request) return false;
    side.request->send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    client.read_until("ok");
    return true;
  }
  void answer_request(Peer& client) {
    EXPECT_NE(answer_request(client, sides[0]), answer_request(client, sides[1]));
  }

  std::array<Side, 2> sides;
};

TEST_F(WorkerAsks, AndTheAnswersDecide) {
  Peer client = first_request();
  answer_request(client);
  sides[0].question->send(with_load("in-flight=1, latency=9000"));
  sides[1].question->send(with_load("in-flight=1, latency=10"));
  wait_until([&] { return cluster().load_probes.told == 2; });
  const std::uint64_t before = cluster().backends[1].status.picked;
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  wait_until([&] { return cluster().backends[1].status.picked == before + 1; });
}

TEST_F(WorkerAsks, UntilTheAnswerWouldBeTooOld) {
  config.strategy = PrequalConfig{.probe_max_age = 20ms};
  Peer client = first_request();
  wait_until([&] { return cluster().load_probes.failed == 2; });
  EXPECT_TRUE(sides[0].question->at_end());
  EXPECT_TRUE(sides[1].question->at_end());
  answer_request(client);
}

TEST_F(WorkerAsks, ForATcpListenerToo) {
  setup.protocol = Protocol::tcp;
  Peer client = first_request();
  EXPECT_TRUE(sides[0].question && sides[1].question);
}

TEST_F(WorkerAsks, AClusterThatLeavesWaitsForQuestionsUnderWayAndNoLonger) {
  Peer client = first_request();
  answer_request(client);
  on_worker([&] { worker().apply({}); });
  EXPECT_EQ(snapshot().clusters.size(), 1u);
  EXPECT_TRUE(sides[0].question->at_end());
  EXPECT_TRUE(sides[1].question->at_end());
  wait_until([&] { return cluster().load_probes.failed == 2; });
  on_worker([&] { worker().apply({}); });
  EXPECT_TRUE(snapshot().clusters.empty());
}

TEST_F(WorkerAsks, AClusterMayLeaveWithItsConnectionsIdle) {
  Peer client = first_request();
  answer_request(client);
  for (Side& side : sides) side.question->send(kAnswer);
  wait_until([&] { return cluster().load_probes.told == 2; });
  on_worker([&] { worker().apply({}); });
  EXPECT_TRUE(snapshot().clusters.empty());
  EXPECT_TRUE(sides[0].question->at_end());
}

TEST_F(WorkerAsks, AWorkerMayEndWithQuestionsUnderWay) {
  Peer client = first_request();
  stop(true);
  EXPECT_TRUE(sides[0].question->at_end());
  EXPECT_TRUE(sides[1].question->at_end());
}

}  // namespace
}  // namespace lb::net
