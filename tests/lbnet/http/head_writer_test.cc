// Goal: what leaves the proxy is canonical: exactly these bytes, whatever the spelling it came in.
// Method: whole heads, compared byte by byte.
#include "lbnet/http/head_writer.h"

#include <gtest/gtest.h>

#include "lbnet/http/head_parser.h"

namespace lb::net::http {
namespace {

class HeadWriter : public ::testing::Test {
 protected:
  // What a backend gets for these bytes of a client.
  std::string forwarded(const std::string& text, const RequestChanges& changes = {},
                        std::string_view peer = "192.0.2.7") {
    RequestHead head;
    EXPECT_EQ(parse_request_head(text, head), 0) << text;
    Buffer out(pool_);
    EXPECT_TRUE(write_request_head(head, peer, out, changes));
    return std::string{out.view()};
  }

  // What a client gets for these bytes of a backend.
  std::string answered(const std::string& text, const ResponseOptions& options = {},
                       bool to_head = false) {
    ResponseHead head;
    EXPECT_TRUE(parse_response_head(text, to_head, head)) << text;
    Buffer out(pool_);
    EXPECT_TRUE(write_response_head(head, options, out));
    return std::string{out.view()};
  }

  BufferPool pool_;
};

const std::string kForwarded = "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n";

TEST_F(HeadWriter, WritesARequestAnew) {
  EXPECT_EQ(forwarded("GET http://A/x?y HTTP/1.1\r\nhost:   A \r\nX-One:1\r\nX-Two:\t2\r\n\r\n"),
            "GET /x?y HTTP/1.1\r\nhost: A\r\nX-One: 1\r\nX-Two: 2\r\n" + kForwarded +
                "X-Forwarded-Host: A\r\n\r\n");
}

TEST_F(HeadWriter, WritesALineTheSameWayHoweverItWasSpaced) {
  for (const std::string before : {"", " ", "  ", "\t", " \t "}) {
    for (const std::string after : {"", " ", "\t"}) {
      const std::string line = ":" + before + "v w" + after + "\r\n";
      EXPECT_EQ(answered("HTTP/1.1 204 No Content\r\nX" + line + "Y" + line + "\r\n"),
                "HTTP/1.1 204 No Content\r\nX: v w\r\nY: v w\r\n\r\n");
    }
    EXPECT_EQ(answered("HTTP/1.1 204 No Content\r\nX:" + before + "\r\n\r\n"),
              "HTTP/1.1 204 No Content\r\nX: \r\n\r\n");
  }
}

TEST_F(HeadWriter, LeavesOutWhatEndsAtThisHop) {
  EXPECT_EQ(
      forwarded("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Mine\r\n"
                "X-Mine: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nUpgrade: h2c\r\n"
                "Proxy-Connection: x\r\nX-Other: 2\r\n\r\n"),
      "GET / HTTP/1.1\r\nHost: a\r\nX-Other: 2\r\n" + kForwarded + "X-Forwarded-Host: a\r\n\r\n");
}

TEST_F(HeadWriter, TrustsNobodyBeforeThePeer) {
  EXPECT_EQ(forwarded("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 10.0.0.1\r\n"
                      "x-forwarded-proto: https\r\nX-Forwarded-Host: b\r\n\r\n"),
            "GET / HTTP/1.1\r\nHost: a\r\n" + kForwarded + "X-Forwarded-Host: a\r\n\r\n");
}

const std::string kFromAProxy =
    "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n"
    "X-Forwarded-Host: b\r\nX-Forwarded-Port: 443\r\nX_Forwarded_Prefix: /p\r\nX-Real-IP: "
    "192.0.2.1\r\n"
    "Forwarded: for=192.0.2.1\r\nx-forwarded-for: 10.0.0.2\r\nForwarded: for=\"\r\n\r\n";
const std::string kSameLine = "GET / HTTP/1.1\r\nHost: a\r\n";

TEST_F(HeadWriter, LeavesOutWhateverAStrangerSaysOfItsOrigin) {
  EXPECT_EQ(forwarded(kFromAProxy), kSameLine + kForwarded + "X-Forwarded-Host: a\r\n\r\n");
  EXPECT_EQ(forwarded(kFromAProxy, {.forwarded = ForwardedFields::none}), kSameLine + "\r\n");
  EXPECT_EQ(forwarded(kFromAProxy, {.secure = true, .forwarded = ForwardedFields::rfc7239}),
            kSameLine + "Forwarded: for=192.0.2.7;host=\"a\";proto=https\r\n\r\n");
}

TEST_F(HeadWriter, AddsToWhatATrustedProxySays) {
  const std::string others =
      "X-Forwarded-Port: 443\r\nX_Forwarded_Prefix: /p\r\nX-Real-IP: 192.0.2.1\r\n";
  const std::string forwarded_lines = "Forwarded: for=192.0.2.1\r\nForwarded: for=\"\r\n";
  const std::string x_forwarded_lines =
      "X-Forwarded-For: 192.0.2.1, 10.0.0.2, 192.0.2.7\r\nX-Forwarded-Proto: https\r\n"
      "X-Forwarded-Host: b\r\n";
  EXPECT_EQ(forwarded(kFromAProxy, {.peer_trusted = true}),
            kSameLine + others + forwarded_lines + x_forwarded_lines + "\r\n");
  // What cannot be read would make ours unreadable.
  EXPECT_EQ(forwarded(kFromAProxy, {.forwarded = ForwardedFields::both, .peer_trusted = true}),
            kSameLine + others + x_forwarded_lines +
                "Forwarded: for=192.0.2.1, for=192.0.2.7;host=\"a\";proto=http\r\n\r\n");
  EXPECT_EQ(forwarded(kFromAProxy, {.forwarded = ForwardedFields::none, .peer_trusted = true}),
            kSameLine +
                "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n"
                "X-Forwarded-Host: b\r\n" +
                others +
                "Forwarded: for=192.0.2.1\r\nx-forwarded-for: 10.0.0.2\r\n"
                "Forwarded: for=\"\r\n\r\n");
}

TEST_F(HeadWriter, TellsATrustedProxysClientWhenItDoesNot) {
  const RequestChanges trusted{.secure = true, .peer_trusted = true};
  EXPECT_EQ(forwarded(kSameLine + "X-Forwarded-For:\r\nX-Forwarded-Proto: x\r\n\r\n", trusted),
            kSameLine +
                "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n"
                "X-Forwarded-Host: a\r\n\r\n");
  EXPECT_EQ(forwarded(kSameLine + "X-Forwarded-For: 192.0.2.1\r\n\r\n", trusted, "unix:"),
            kSameLine +
                "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n"
                "X-Forwarded-Host: a\r\n\r\n");
}

TEST_F(HeadWriter, WritesAddressesInForwardedAsItsGrammarHasThem) {
  const RequestChanges changes{.forwarded = ForwardedFields::rfc7239};
  EXPECT_EQ(forwarded("GET / HTTP/1.1\r\nHost: a;by=b\r\n\r\n", changes, "2001:db8::1"),
            "GET / HTTP/1.1\r\nHost: a;by=b\r\n"
            "Forwarded: for=\"[2001:db8::1]\";host=\"a;by=b\";proto=http\r\n\r\n");
  EXPECT_EQ(forwarded("GET / HTTP/1.0\r\n\r\n", changes, "unix:"),
            "GET / HTTP/1.1\r\nHost: \r\nForwarded: for=unknown;proto=http\r\n\r\n");
}

TEST_F(HeadWriter, NamesRequestsInPlaceOfWhatCame) {
  const std::string named = kSameLine +
                            "X-Request-Id: theirs\r\ntraceparent: theirs\r\n"
                            "tracestate: theirs\r\nConnection: x-request-id, tracestate\r\n\r\n";
  const RequestChanges silent{.forwarded = ForwardedFields::none};
  EXPECT_EQ(forwarded(named, silent), kSameLine +
                                          "X-Request-Id: theirs\r\ntraceparent: theirs\r\n"
                                          "tracestate: theirs\r\n\r\n");
  EXPECT_EQ(
      forwarded(named,
                {.forwarded = ForwardedFields::none, .request_id = "ours", .traceparent = "ours"}),
      kSameLine + "X-Request-Id: ours\r\ntraceparent: ours\r\n\r\n");
  const HeaderRules rules({.set = {{{"X-Request-Id", "fixed"}}}});
  EXPECT_EQ(forwarded(named, {.rules = &rules,
                              .forwarded = ForwardedFields::none,
                              .request_id = "ours",
                              .traceparent = "ours"}),
            kSameLine + "traceparent: ours\r\nX-Request-Id: fixed\r\n\r\n");
}

TEST_F(HeadWriter, SaysTheLengthOnceAndWithoutOrnament) {
  EXPECT_EQ(forwarded("POST / HTTP/1.1\r\ncontent-length: 007\r\nHost: a\r\n\r\n"),
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n" + kForwarded +
                "X-Forwarded-Host: a\r\n\r\n");
}

TEST_F(HeadWriter, SaysThatABodyComesInChunks) {
  EXPECT_EQ(forwarded("POST / HTTP/1.1\r\nHost: a\r\nTRANSFER-ENCODING:  Chunked\r\n"
                      "Trailer: X\r\nExpect: 100-continue\r\n\r\n"),
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" + kForwarded +
                "X-Forwarded-Host: a\r\n\r\n");
}

TEST_F(HeadWriter, SaysThatThereIsNoBodyWhereOneIsExpected) {
  for (const std::string method : {"POST", "PUT", "PATCH"}) {
    EXPECT_EQ(forwarded(method + " / HTTP/1.1\r\nHost: a\r\n\r\n"),
              method + " / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n" + kForwarded +
                  "X-Forwarded-Host: a\r\n\r\n");
  }
  EXPECT_EQ(forwarded("DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
            "DELETE / HTTP/1.1\r\nHost: a\r\n" + kForwarded + "X-Forwarded-Host: a\r\n\r\n");
}

TEST_F(HeadWriter, GivesAnOldRequestTheHostThatANewOneNeeds) {
  EXPECT_EQ(forwarded("GET / HTTP/1.0\r\nX: y\r\n\r\n"),
            "GET / HTTP/1.1\r\nHost: \r\nX: y\r\n" + kForwarded + "\r\n");
}

TEST_F(HeadWriter, WritesAnAnswerAnew) {
  EXPECT_EQ(answered("HTTP/1.1 200 Fine\r\nserver:  x \r\ncontent-length: 5\r\n"
                     "Connection: keep-alive, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: 5\r\n\r\n",
                     {.coding = BodyCoding::as_is}),
            "HTTP/1.1 200 Fine\r\nserver: x\r\ncontent-length: 5\r\n\r\n");
  EXPECT_EQ(answered("HTTP/1.0 404\r\nContent-Length: 0\r\n\r\n"),
            "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n");
}

TEST_F(HeadWriter, SaysWhatBecomesOfTheConnection) {
  const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  const std::string start = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
  EXPECT_EQ(answered(text), start + "\r\n");
  EXPECT_EQ(answered(text, {.close = true}), start + "Connection: close\r\n\r\n");
  EXPECT_EQ(answered(text, {.keep_alive = true}), start + "Connection: keep-alive\r\n\r\n");
}

TEST_F(HeadWriter, PutsABodyWithoutALengthIntoChunks) {
  const ResponseOptions chunked{.coding = BodyCoding::chunked};
  EXPECT_EQ(answered("HTTP/1.1 200 OK\r\nX: y\r\n\r\n", chunked),
            "HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(
      answered("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n", chunked),
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST_F(HeadWriter, LeavesTheLengthOfABodyThatIsNotHere) {
  const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n";
  EXPECT_EQ(answered(text, {}, true), text);
  const std::string unchanged = "HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\n\r\n";
  EXPECT_EQ(answered(unchanged), unchanged);
}

// RFC 9110, section 8.6: some clients would wait for the body.
TEST_F(HeadWriter, DropsALengthWhereNoneMayBe) {
  EXPECT_EQ(answered("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"),
            "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(answered("HTTP/1.1 103 Early Hints\r\nContent-Length: 0\r\nLink: x\r\n\r\n"),
            "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
}

TEST(CodingForClient, DependsOnTheFramingAndTheClientsVersion) {
  const auto coding = [](Framing::Kind kind, int minor) {
    ResponseHead response;
    response.framing.kind = kind;
    return coding_for_client(response, minor);
  };
  for (const int minor : {0, 1}) {
    EXPECT_EQ(coding(Framing::Kind::none, minor), BodyCoding::none);
    EXPECT_EQ(coding(Framing::Kind::length, minor), BodyCoding::as_is);
  }
  for (const Framing::Kind kind : {Framing::Kind::chunked, Framing::Kind::until_close}) {
    EXPECT_EQ(coding(kind, 1), BodyCoding::chunked);
    EXPECT_EQ(coding(kind, 0), BodyCoding::as_is) << "HTTP/1.0 knows no chunks";
  }
}

TEST_F(HeadWriter, LeavesNothingOfWhatDoesNotFit) {
  const std::string value(kHeadMax - 40, 'x');
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\nX: " + value + "\r\n\r\n";
  RequestHead request_head;
  ASSERT_EQ(parse_request_head(request, request_head), 0);
  Buffer out(pool_);
  EXPECT_FALSE(write_request_head(request_head, "192.0.2.7", out));
  EXPECT_TRUE(out.empty());

  const std::string response = "HTTP/1.1 200 OK\r\nX: " + value + "\r\n\r\n";
  ResponseHead response_head;
  ASSERT_TRUE(parse_response_head(response, false, response_head));
  EXPECT_FALSE(write_response_head(response_head, {.close = true}, out));
  EXPECT_TRUE(out.empty());
  EXPECT_TRUE(write_response_head(response_head, {}, out)) << "the last byte that fits";
}

TEST_F(HeadWriter, AnswersForItselfInFewWords) {
  const auto own = [&](int status, bool close, bool without_body) {
    Buffer out(pool_);
    write_own_response(status, close, without_body, out);
    return std::string{out.view()};
  };
  EXPECT_EQ(own(503, false, false),
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n"
            "Content-Length: 24\r\n\r\n503 Service Unavailable\n");
  EXPECT_EQ(own(400, true, false),
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n"
            "Content-Length: 16\r\nConnection: close\r\n\r\n400 Bad Request\n");
  EXPECT_EQ(own(502, true, true),
            "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\n"
            "Content-Length: 16\r\nConnection: close\r\n\r\n");
}

TEST_F(HeadWriter, SaysWhenToComeBack) {
  Buffer out(pool_);
  write_own_response(429, false, false, out, 7);
  EXPECT_EQ(out.view(),
            "HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain\r\n"
            "Content-Length: 22\r\nRetry-After: 7\r\n\r\n429 Too Many Requests\n");
}

// -- What routes change

TEST_F(HeadWriter, WritesARequestAsARouteWantsIt) {
  const std::string text =
      "GET /old?q HTTP/1.1\r\nHost: a\r\nX-Env: forged\r\nx-ENV: twice\r\nX-Tag: a\r\n"
      "Cookie: b=c\r\nConnection: X-Env\r\nX-Last: 1\r\n\r\n";
  RequestHead head;
  ASSERT_EQ(parse_request_head(text, head), 0);
  const HeaderRules rules(
      {.set = {{{"X-Env", "blue"}}}, .add = {{{"X-Tag", "b"}}}, .remove = {"cookie"}});
  Buffer out(pool_);
  ASSERT_TRUE(write_request_head(head, "192.0.2.7", out,
                                 {.target = "/new?q", .host = "inner:81", .rules = &rules}));
  EXPECT_EQ(out.view(), "GET /new?q HTTP/1.1\r\nHost: inner:81\r\nX-Tag: a\r\nX-Last: 1\r\n" +
                            kForwarded + "X-Forwarded-Host: a\r\nX-Env: blue\r\nX-Tag: b\r\n\r\n");
}

TEST_F(HeadWriter, GivesARequestWithoutAHostTheOneOfItsRoute) {
  RequestHead head;
  ASSERT_EQ(parse_request_head("GET / HTTP/1.0\r\n\r\n", head), 0);
  Buffer out(pool_);
  ASSERT_TRUE(write_request_head(head, "192.0.2.7", out, {.host = "inner"}));
  EXPECT_EQ(out.view(), "GET / HTTP/1.1\r\nHost: inner\r\n" + kForwarded + "\r\n");
}

TEST_F(HeadWriter, WritesAnAnswerAsARouteWantsIt) {
  const HeaderRules rules(
      {.set = {{{"Cache-Control", "no-store"}}}, .add = {}, .remove = {"Server"}});
  EXPECT_EQ(answered("HTTP/1.1 200 OK\r\nServer: x\r\ncache-control: private\r\n"
                     "Content-Length: 1\r\n\r\n",
                     {.coding = BodyCoding::as_is, .close = true, .rules = &rules}),
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n"
            "Cache-Control: no-store\r\n\r\n");
}

TEST_F(HeadWriter, AnswersForARoute) {
  const auto written = [&](const RouteAnswer& answer) {
    Buffer out(pool_);
    EXPECT_TRUE(write_route_answer(answer, out));
    return std::string{out.view()};
  };
  EXPECT_EQ(written({.status = 200, .content_type = "text/html", .body_size = 3}),
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(written({.status = 308, .location = "https://a/b", .close = true}),
            "HTTP/1.1 308 Permanent Redirect\r\nLocation: https://a/b\r\nContent-Length: 0\r\n"
            "Connection: close\r\n\r\n");
  EXPECT_EQ(written({.status = 204}), "HTTP/1.1 204 No Content\r\n\r\n");
  const HeaderRules rules({.set = {{{"Content-Type", "a/b"}}}, .add = {}, .remove = {}});
  EXPECT_EQ(written({.status = 404, .content_type = "text/html", .body_size = 3, .rules = &rules}),
            "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nContent-Type: a/b\r\n\r\n");
}

TEST_F(HeadWriter, EveryAnswerOfItsOwnIsAGoodOne) {
  for (const int status : {400, 405, 408, 413, 414, 417, 429, 431, 501, 502, 503, 504, 505, 599}) {
    Buffer out(pool_);
    write_own_response(status, true, false, out);
    const std::string_view text = out.view();
    const std::size_t end = text.find("\r\n\r\n") + 4;
    ResponseHead head;
    ASSERT_TRUE(parse_response_head(text.substr(0, end), false, head)) << text;
    EXPECT_EQ(head.status, status);
    EXPECT_EQ(head.framing.length, text.size() - end);
  }
}

}  // namespace
}  // namespace lb::net::http
