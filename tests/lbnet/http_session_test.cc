// Goal: what a client and a backend say to each other arrives whole, in the right framing, and what
// is not whole is never made to look so.
// Method: a real worker, loopback sockets, the other ends in the test's hands; bodies that come in
// pieces, late, too large, too early, or not at all.
#include <cstdio>
#include <fstream>

#include "lbnet/http/head_parser.h"
#include "tests/lbnet/worker_fixture.h"

namespace lb::net {
namespace {

using namespace std::chrono_literals;
using testing::OneBackendTest;
using testing::Peer;

// -- Answers

class Answer : public OneBackendTest {
 protected:
  // What a client gets for what the backend sends and then ends, or does not.
  std::string passed_on(const std::string& request, const std::string& answer, bool ends,
                        const std::string& until = "") {
    Peer client = connect();
    client.send(request);
    Peer upstream = backend.accept();
    upstream.read_head();
    upstream.send(answer);
    if (ends) upstream.close();
    return until.empty() ? client.read_to_end() : client.read_until(until);
  }
  std::string get(const std::string& answer, const std::string& until) {
    return passed_on(kGet, answer, false, until);
  }
};

TEST_F(Answer, WithoutABodyEndsAtItsHead) {
  const std::string head = "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n";
  EXPECT_EQ(get(head, "\r\n\r\n"), head);
  const std::string to_head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  EXPECT_EQ(passed_on("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", to_head, false, "\r\n\r\n"), to_head);
  EXPECT_EQ(get("HTTP/1.1 204 None\r\n\r\n", "\r\n\r\n"), "HTTP/1.1 204 None\r\n\r\n");
}

TEST_F(Answer, InChunksGoesOnInChunks) {
  EXPECT_EQ(get("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3;x\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n",
                "0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n");
}

// RFC 9110, section 6.5: for who asked, and nothing a recipient has to know before the body.
TEST_F(Answer, HasItsTrailersPassedOnToWhoTakesThem) {
  const std::string answer =
      "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0\r\nX-Sum: 9\r\nSet-Cookie: a=b\r\nContent-Length: 7\r\n"
      "X-Forwarded-For: 6.6.6.6\r\nGrpc-Status: 0\r\n\r\n";
  const std::string head =
      "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(passed_on("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n", answer,
                      false, "Status: 0\r\n\r\n"),
            head + "3\r\nabc\r\n0\r\nX-Sum: 9\r\nGrpc-Status: 0\r\n\r\n");
  EXPECT_EQ(get(answer, "\r\n0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
      << "nobody asked";
}

TEST_F(Answer, HasItsTrailersWhenTheyComeLateAndByteByByte) {
  Peer client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
  Peer upstream = backend.accept();
  const std::string request = upstream.read_head();
  EXPECT_NE(request.find("Connection: TE\r\nTE: trailers\r\n"), std::string::npos) << request;
  const std::string answer =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 9\r\n\r\n";
  upstream.send(answer.substr(0, answer.find("3\r\n")));
  client.read_head();
  for (const char c : answer.substr(answer.find("3\r\n"))) upstream.send({&c, 1});
  const std::string body = client.read_until("X-Sum: 9\r\n\r\n");
  EXPECT_TRUE(body.ends_with("\r\n0\r\nX-Sum: 9\r\n\r\n")) << body;
  client.send(kGet);
  upstream.read_head();
  upstream.send(kOk);
  EXPECT_EQ(client.read_until("ok"), kOk) << "both connections go on";
}

TEST_F(Answer, UntilTheEndBecomesChunks) {
  EXPECT_EQ(passed_on(kGet, "HTTP/1.1 200 OK\r\n\r\nabc", true, "0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
}

TEST_F(Answer, ToAnOldClientHasNoChunks) {
  const std::string old = "GET / HTTP/1.0\r\n\r\n";
  EXPECT_EQ(passed_on(old,
                      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "3\r\nabc\r\n0\r\n\r\n",
                      false),
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
  EXPECT_EQ(passed_on(old, "HTTP/1.1 200 OK\r\n\r\nabc", true),
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
}

TEST_F(Answer, TellsAnOldClientThatTheConnectionStays) {
  EXPECT_EQ(passed_on("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", kOk, false, "ok"),
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok");
}

TEST_F(Answer, ComesByteByByteAllTheSame) {
  Peer client = connect();
  client.send(kGet);
  Peer upstream = backend.accept();
  upstream.read_head();
  const std::string answer =
      "HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd";
  for (const char c : answer) upstream.send({&c, 1});
  EXPECT_EQ(client.read_until("abcd"), answer);
}

TEST_F(Answer, InterimOnesGoOnButNotTheHundred) {
  EXPECT_EQ(
      get("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + std::string{kOk},
          "ok"),
      "HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + std::string{kOk});
  EXPECT_EQ(
      passed_on("GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 103 Hints\r\n\r\n" + std::string{kOk}, false),
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
      << "HTTP/1.0 knows no interim answers";
}

TEST_F(Answer, ThatMustNotBePassedOnBecomesA502) {
  std::string many;
  for (int n = 0; n < 101; ++n) many += "HTTP/1.1 100 Continue\r\n\r\n";
  for (const std::string& bad :
       {std::string{"nonsense\r\n\r\n"}, std::string{"HTTP/1.1 101 Switch\r\nUpgrade: x\r\n\r\n"},
        std::string{"\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
        std::string{"HTTP/1.1 200 OK\nContent-Length: 0\n\n"},
        std::string{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"},
        "HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n", many}) {
    EXPECT_TRUE(get(bad, "502 Bad Gateway\n").starts_with("HTTP/1.1 502 ")) << bad.substr(0, 60);
  }
  EXPECT_EQ(ended(Outcome::invalid_answer), 7u);
  EXPECT_EQ(idle_connections(), 0u);
}

// It fits as it came, and not with what we add.
TEST_F(Answer, ThatIsJustTooLongBecomesA502) {
  const std::string start = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ";
  const std::string head = start + std::string(http::kHeadMax - start.size() - 4, 'x') + "\r\n\r\n";
  EXPECT_EQ(passed_on("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", head, false),
            "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nContent-Length: 16\r\n"
            "Connection: close\r\n\r\n502 Bad Gateway\n");
  EXPECT_EQ(get(head, "\r\n\r\n"), head);
  EXPECT_EQ(ended(Outcome::invalid_answer), 1u);
}

TEST_F(Answer, ThatBreaksOffIsCutForTheClientToo) {
  for (const char* part : {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nx"}) {
    Peer client = connect();
    client.send(kGet);
    Peer upstream = backend.accept();
    upstream.read_head();
    upstream.send(part);
    client.read_until("abc");
    upstream.close();
    EXPECT_TRUE(client.was_reset()) << part;
  }
  EXPECT_EQ(ended(Outcome::cut), 3u);
}

TEST_F(Answer, OfAnyStatusIsPassedOnAndCounted) {
  for (const char* status : {"404", "500", "999"}) {
    const std::string head = "HTTP/1.1 " + std::string{status} + " X\r\nContent-Length: 0\r\n\r\n";
    EXPECT_EQ(get(head, "\r\n\r\n"), head);
  }
  EXPECT_EQ(ended(Outcome::success), 1u);
  EXPECT_EQ(ended(Outcome::backend_error), 2u);
  EXPECT_EQ(listener().answers[4], 1u);
  EXPECT_EQ(listener().answers[5], 2u);
}

TEST_F(Answer, LargerThanAnyBufferArrivesWhole) {
  std::string body;
  while (body.size() < 3'000'000) body += std::to_string(body.size()) + ' ';
  Peer client = connect();
  client.send(kGet);
  Peer upstream = backend.accept();
  upstream.read_head();
  std::thread sender([&] {
    upstream.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                  body);
  });
  client.read_head();
  EXPECT_TRUE(client.read(body.size()) == body);
  sender.join();
  serve(client, upstream);
  EXPECT_EQ(listener().bytes_out, body.size() + 2);
}

// -- Requests with bodies

class Upload : public OneBackendTest {};

TEST_F(Upload, InChunksGoesOnInChunks) {
  Peer client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nab");
  Peer upstream = backend.accept();
  EXPECT_NE(upstream.read_head().find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_EQ(upstream.read_until("ab\r\n"), "2\r\nab\r\n");
  client.send("c\r\n4\r\ndefg\r\n0\r\nX: y\r\n\r\n");
  EXPECT_EQ(upstream.read_until("0\r\n\r\n"), "5\r\ncdefg\r\n0\r\n\r\n");
  upstream.send(kOk);
  EXPECT_EQ(client.read_until("ok"), kOk);
  serve(client, upstream);
  EXPECT_EQ(listener().bytes_in, 7u);
}

TEST_F(Upload, LargerThanAnyBufferArrivesWhole) {
  std::string body;
  while (body.size() < 3'000'000) body += std::to_string(body.size()) + ' ';
  Peer client = connect();
  std::thread sender([&] {
    client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body);
  });
  Peer upstream = backend.accept();
  upstream.read_head();
  EXPECT_TRUE(upstream.read(body.size()) == body);
  sender.join();
  upstream.send(kOk);
  EXPECT_EQ(client.read_until("ok"), kOk);
  serve(client, upstream);
}

TEST_F(Upload, ComesByteByByteAllTheSame) {
  Peer client = connect();
  const std::string request =
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabcdefGET / HTTP/1.1\r\nHost: "
      "a\r\n\r\n";
  for (const char c : request) client.send({&c, 1});
  Peer upstream = backend.accept();
  upstream.read_head();
  EXPECT_EQ(upstream.read(6), "abcdef");
  upstream.send(kOk);
  EXPECT_TRUE(upstream.read_head().starts_with("GET / "));
  upstream.send(kOk);
  client.read_until("ok");
  EXPECT_EQ(client.read_until("ok"), kOk);
}

TEST_F(Upload, IsAskedForWhenTheClientWaitsForThat) {
  Peer client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  Peer upstream = backend.accept();
  EXPECT_EQ(upstream.read_head().find("Expect"), std::string::npos) << "we answer it";
  EXPECT_EQ(client.read_head(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_EQ(upstream.read(3), "abc");
  upstream.send(kOk);
  EXPECT_EQ(client.read_until("ok"), kOk);
  serve(client, upstream);
}

TEST_F(Upload, IsNotAskedForWhenItIsThereAlready) {
  Peer client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc");
  Peer upstream = backend.accept();
  upstream.read_head();
  upstream.send(kOk);
  EXPECT_EQ(client.read_until("ok"), kOk);
}

TEST_F(Upload, ThatBreaksOffNeverLooksWholeToTheBackend) {
  for (const char* start : {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
                            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "3\r\nabc\r\n"}) {
    Peer client = connect();
    client.send(start);
    Peer upstream = backend.accept();
    upstream.read_head();
    upstream.read_until("abc");
    client.close();
    EXPECT_EQ(upstream.read_to_end().find("0\r\n\r\n"), std::string::npos);
  }
  wait_until([&] { return ended(Outcome::client_gone) == 2; });
  EXPECT_EQ(cluster().backends[0].status.failures, 0u) << "no fault of the backend";
}

TEST_F(Upload, ThatIsNoBodyIsRefused) {
  Peer client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  Peer upstream = backend.accept();
  upstream.read_head();
  client.send("0x3\r\nabc\r\n");
  EXPECT_TRUE(client.read_to_end().starts_with("HTTP/1.1 400 "));
  EXPECT_EQ(upstream.read_to_end(), "");
  Peer other = connect();
  other.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n");
  EXPECT_TRUE(other.read_to_end().starts_with("HTTP/1.1 400 ")) << "with the head in one piece";
}

TEST_F(Upload, LargerThanAllowedIsRefusedHoweverItComes) {
  setup.max_body = 4;
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\n";
  const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
  {
    Peer client = connect();
    client.send(head + "Content-Length: 5\r\n\r\n");
    EXPECT_TRUE(client.read_to_end().starts_with("HTTP/1.1 413 ")) << "by its length";
  }
  {
    Peer client = connect();
    client.send(chunked + "5\r\nabcde\r\n0\r\n\r\n");
    EXPECT_TRUE(client.read_to_end().starts_with("HTTP/1.1 413 ")) << "with its head";
  }
  EXPECT_FALSE(backend.somebody_waits());
  {
    Peer client = connect();
    client.send(chunked + "3\r\nabc\r\n");
    Peer upstream = backend.accept();
    upstream.read_head();
    upstream.read_until("abc\r\n");
    client.send("2\r\nde\r\n0\r\n\r\n");
    EXPECT_TRUE(client.read_to_end().starts_with("HTTP/1.1 413 ")) << "in pieces";
    EXPECT_EQ(upstream.read_to_end(), "");
  }
  {
    Peer client = connect();
    client.send(chunked + "4\r\nabcd\r\n0\r\n\r\n");
    Peer upstream = backend.accept();
    upstream.read_until("0\r\n\r\n");
    upstream.send(kOk);
    EXPECT_EQ(client.read_until("ok"), kOk) << "as large as allowed";
  }
}

TEST_F(Upload, AnsweredEarlyEndsTheConnectionAfterTheAnswer) {
  Peer client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
  Peer upstream = backend.accept();
  upstream.read_head();
  upstream.send("HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno");
  EXPECT_EQ(client.read_to_end(),
            "HTTP/1.1 413 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
  upstream.read_to_end();
  EXPECT_EQ(idle_connections(), 0u);
  EXPECT_EQ(ended(Outcome::success), 1u);
}

// The upload and the answer race: whichever bytes are on their way when the answer ends, the
// session has to end too.
TEST_F(Upload, AnsweredEarlyWhileMoreIsComingEndsToo) {
  const std::string much(1'000'000, 'x');
  for (int n = 0; n < 3; ++n) {
    Peer client = connect();
    std::thread sender([&] {
      client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000000\r\n\r\n");
      while (client.send(much)) {
      }
    });
    {
      Peer upstream = backend.accept();
      upstream.read_head();
      upstream.read(100'000);
      upstream.send(kOk);
      EXPECT_TRUE(client.read_until("ok").starts_with("HTTP/1.1 200 "));
      client.shut_down_write();
    }
    sender.join();
  }
  wait_until([&] { return snapshot().sessions == 0; });
  EXPECT_EQ(cluster().in_progress, 0u);
}

// One backend breaks off when it has a part of the body; the next one gets it from the start.
TEST_F(Upload, IsRepeatedFromItsStartWhileItIsSmall) {
  Peer client = connect();
  client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
  Peer first = backend.accept();
  first.read_head();
  first.read(3);
  client.send("def");
  first.read(3);
  first.close();
  Peer second = backend.accept();
  second.read_head();
  EXPECT_EQ(second.read(6), "abcdef");
  client.send("ghi");
  EXPECT_EQ(second.read(3), "ghi");
  second.send(kOk);
  EXPECT_TRUE(client.read_until("ok").starts_with("HTTP/1.1 200 "));
}

TEST_F(Upload, IsNotRepeatedOnceAPartOfItIsGone) {
  const std::string half(kBufferSize, 'x');
  Peer client = connect();
  client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(2 * half.size()) +
              "\r\n\r\n");
  Peer upstream = backend.accept();
  upstream.read_head();
  client.send(half + "x");
  upstream.read(half.size() + 1);
  upstream.close();
  EXPECT_TRUE(client.read_to_end().starts_with("HTTP/1.1 502 "));
  EXPECT_FALSE(backend.somebody_waits());
}

// -- Requests that are refused

class Refusal : public OneBackendTest {
 protected:
  std::string answer_to(const std::string& text) {
    Peer client = connect();
    client.send(text);
    return client.read_to_end();
  }
};

TEST_F(Refusal, SaysWhyAndEndsTheConnection) {
  EXPECT_EQ(answer_to("nonsense\r\n\r\n"),
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 16\r\n"
            "Connection: close\r\n\r\n400 Bad Request\n");
  const std::string target(9'000, 'x');
  const std::vector<std::pair<std::string, std::string>> table{
      {"400", "\n"},
      {"400", "GET / HTTP/1.1\r\n\r\n"},
      {"405", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"414", "GET /" + target},
      {"414", "GET /" + target + " HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"417", "GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n"},
      {"431", "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(40'000, 'x')},
      {"431", "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(32'680, 'x') + "\r\n\r\n"},
      {"501", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"},
      {"505", "GET / HTTP/2.0\r\n\r\n"},
  };
  for (const auto& [status, text] : table) {
    EXPECT_EQ(answer_to(text).substr(9, 3), status) << text.substr(0, 60);
  }
  EXPECT_FALSE(backend.somebody_waits());
  EXPECT_EQ(listener().rejected, table.size() + 1);
  EXPECT_EQ(cluster().counters.requests, 0u);
}

TEST_F(Refusal, IsNotLostToAResetBehindIt) {
  Peer client = connect();
  client.send("nonsense\r\n\r\n" + std::string(500'000, 'x'));
  EXPECT_TRUE(client.read_to_end().starts_with("HTTP/1.1 400 "));
}

TEST_F(Refusal, OfAHeadThatComesTooSlowly) {
  setup.head_timeout = 20ms;
  EXPECT_TRUE(answer_to("GET / HTTP/1.1\r\nHost:").starts_with("HTTP/1.1 408 "));
}

TEST_F(Refusal, DripsDoNotBuyTime) {
  setup.head_timeout = 50ms;
  Peer client = connect();
  const auto start = std::chrono::steady_clock::now();
  while (!client.readable()) client.send("x");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
}

TEST_F(Refusal, AnIdleConnectionEndsWithoutAWord) {
  setup.idle_timeout = 20ms;
  Peer client = connect();
  EXPECT_TRUE(client.at_end());
  EXPECT_EQ(listener().answers[4], 0u);
}

TEST_F(Refusal, OfABodyThatStopsComing) {
  setup.body_timeout = 20ms;
  Peer client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
  Peer upstream = backend.accept();
  upstream.read_head();
  client.read_to_end();
  EXPECT_EQ(upstream.read_to_end(), "abc");
  EXPECT_EQ(ended(Outcome::client_gone), 1u);
}

TEST_F(Refusal, OfAClientThatDoesNotReadItsAnswer) {
  setup.body_timeout = 50ms;
  Peer client = connect();
  client.send(kGet);
  Peer upstream = backend.accept();
  upstream.read_head();
  upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n");
  const std::string much(1'000'000, 'x');
  while (upstream.send(much)) {
  }
  wait_until([&] { return ended(Outcome::client_gone) == 1; });
}

// -- The log

TEST_F(Refusal, AndWhatIsServedAreLogged) {
  access_log = ::testing::TempDir() + "http_session_test." + std::to_string(::getpid());
  Peer client = connect();
  client.send("GET /a?b HTTP/1.1\r\nHost: A\r\n\r\n");
  Peer upstream = backend.accept();
  upstream.read_head();
  upstream.send(kOk);
  client.read_until("ok");
  client.send("nonsense\r\n\r\n");
  client.read_to_end();
  client.close();
  stop(false);
  std::ifstream in(access_log);
  std::string served, refused, more;
  std::getline(in, served);
  std::getline(in, refused);
  EXPECT_NE(served.find(R"("method":"GET","path":"/a","host":"A","status":200,"outcome":"success",)"
                        R"("cluster":"shop","backend":"b1","attempts":1,"reason":"only_one")"),
            std::string::npos)
      << served;
  EXPECT_NE(refused.find(R"("client":"127.0.0.1","status":400,"outcome":"rejected")"),
            std::string::npos)
      << refused;
  EXPECT_FALSE(std::getline(in, more));
  std::remove(access_log.c_str());
}

}  // namespace
}  // namespace lb::net
