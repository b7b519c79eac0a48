// Goal: a request head that is good is read as it was meant, and one that two parsers could read
// in two ways is refused, with the status that says why.
// Method: tables. Each head is scanned whole, at every split and byte by byte first.
#include <gtest/gtest.h>

#include "tests/lbnet/http/heads.h"

namespace lb::net::http {
namespace {

using namespace std::string_literals;
using testing::request_status;
using testing::scan_every_way;
using testing::visible;

// A whole head out of its first line and its fields.
std::string get(const std::string& fields) { return "GET / HTTP/1.1\r\n" + fields + "\r\n"; }
std::string with_line(const std::string& line) { return line + "\r\nHost: a\r\n\r\n"; }
std::string with_field(const std::string& field) { return get("Host: a\r\n" + field + "\r\n"); }
std::string with_host(const std::string& host) { return get("Host: " + host + "\r\n"); }
std::string post_1_0(const std::string& field) {
  return "POST / HTTP/1.0\r\nHost: a\r\n" + field + "\r\n\r\n";
}

// -- Good ones

struct Good {
  std::string text;
  std::string method, target, host;
  std::vector<std::pair<std::string, std::string>> fields;
  int minor_version = 1;
};

std::vector<std::pair<std::string, std::string>> fields_of(const std::vector<Field>& fields) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const Field& field : fields) all.emplace_back(field.name, field.value);
  return all;
}

const std::vector<Good> kGood = {
    {get("Host: a\r\n"), "GET", "/", "a", {{"Host", "a"}}},
    {get("hOsT: A.example:80\r\n"), "GET", "/", "A.example:80", {{"hOsT", "A.example:80"}}},
    {get("Host:a\r\n"), "GET", "/", "a", {{"Host", "a"}}},
    {get("Host:\t a \t\r\n"), "GET", "/", "a", {{"Host", "a"}}},
    {get("Host: [::1]:8080\r\n"), "GET", "/", "[::1]:8080", {{"Host", "[::1]:8080"}}},
    {get("Host: [::ffff:1.2.3.4]\r\n"),
     "GET",
     "/",
     "[::ffff:1.2.3.4]",
     {{"Host", "[::ffff:1.2.3.4]"}}},
    {get("Host: a:\r\n"), "GET", "/", "a:", {{"Host", "a:"}}},
    {get("Host: a:65535\r\n"), "GET", "/", "a:65535", {{"Host", "a:65535"}}},
    {get("Host: A_b-1.~c.\r\n"), "GET", "/", "A_b-1.~c.", {{"Host", "A_b-1.~c."}}},
    {with_field("X: "), "GET", "/", "a", {{"Host", "a"}, {"X", ""}}},
    {with_field("X:"), "GET", "/", "a", {{"Host", "a"}, {"X", ""}}},
    {with_field("X: a  b\tc"), "GET", "/", "a", {{"Host", "a"}, {"X", "a  b\tc"}}},
    {with_field("X: \xc3\xa9\xff"), "GET", "/", "a", {{"Host", "a"}, {"X", "\xc3\xa9\xff"}}},
    {with_field("X: a:b: c"), "GET", "/", "a", {{"Host", "a"}, {"X", "a:b: c"}}},
    {with_field("!#$%&'*+-.^_`|~09Az: x"),
     "GET",
     "/",
     "a",
     {{"Host", "a"}, {"!#$%&'*+-.^_`|~09Az", "x"}}},
    {with_field("X: 1\r\nX: 2"), "GET", "/", "a", {{"Host", "a"}, {"X", "1"}, {"X", "2"}}},
    {with_line("GET /a/b?c=d&e=%20;f[]|\"<> HTTP/1.1"),
     "GET",
     "/a/b?c=d&e=%20;f[]|\"<>",
     "a",
     {{"Host", "a"}}},
    {with_line("GET //a HTTP/1.1"), "GET", "//a", "a", {{"Host", "a"}}},
    {with_line("GET /../.. HTTP/1.1"), "GET", "/../..", "a", {{"Host", "a"}}},
    {with_line("BREW /pot HTTP/1.1"), "BREW", "/pot", "a", {{"Host", "a"}}},
    {with_line("get / HTTP/1.1"), "get", "/", "a", {{"Host", "a"}}},
    {with_line("OPTIONS * HTTP/1.1"), "OPTIONS", "*", "a", {{"Host", "a"}}},
    {with_line("OPTIONS /x HTTP/1.1"), "OPTIONS", "/x", "a", {{"Host", "a"}}},
    {with_line("GET http://a/x?y HTTP/1.1"), "GET", "/x?y", "a", {{"Host", "a"}}},
    {with_line("GET HTTP://A/ HTTP/1.1"), "GET", "/", "a", {{"Host", "a"}}},
    {with_line("GET http://a HTTP/1.1"), "GET", "/", "a", {{"Host", "a"}}},
    {with_line("OPTIONS http://a HTTP/1.1"), "OPTIONS", "*", "a", {{"Host", "a"}}},
    {with_line("GET / HTTP/1.0"), "GET", "/", "a", {{"Host", "a"}}, 0},
    {"GET / HTTP/1.0\r\n\r\n", "GET", "/", "", {}, 0},
    {"GET / HTTP/1.0\r\nX: y\r\n\r\n", "GET", "/", "", {{"X", "y"}}, 0},
    {"\r\n" + get("Host: a\r\n"), "GET", "/", "a", {{"Host", "a"}}},
    {"\r\n\r\n\r\n\r\n" + get("Host: a\r\n"), "GET", "/", "a", {{"Host", "a"}}},
};

TEST(RequestHead, ReadsWhatIsGood) {
  for (const Good& good : kGood) {
    SCOPED_TRACE(visible(good.text));
    RequestHead head;
    ASSERT_EQ(request_status(good.text, scan_every_way(good.text), head), 0);
    EXPECT_EQ(head.method, good.method);
    EXPECT_EQ(head.target, good.target);
    EXPECT_EQ(head.host, good.host);
    EXPECT_EQ(head.minor_version, good.minor_version);
    EXPECT_EQ(fields_of(head.fields), good.fields);
  }
}

// Values are looked at by eights: in the first of them, in the last, and in what is left over.
TEST(RequestHead, TakesNoControlCharacterWhereverItIsInAValue) {
  for (std::size_t place = 0; place < 20; ++place) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string value(20, 'v');
      value[place] = static_cast<char>(byte);
      const std::string text = with_field("X: " + value);
      RequestHead head;
      const auto scan = testing::scan_growing(text, {text.size()});
      const bool good = byte == '\t' || (byte >= 0x20 && byte != 0x7f);
      EXPECT_EQ(request_status(text, scan, head), good ? 0 : 400) << visible(text);
    }
  }
}

TEST(RequestHead, TakesVisibleCharactersAloneInATarget) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text =
        with_line("GET /a" + std::string(1, static_cast<char>(byte)) + "b HTTP/1.1");
    RequestHead head;
    const auto scan = testing::scan_growing(text, {text.size()});
    const bool good = byte > 0x20 && byte < 0x7f && byte != '#';
    EXPECT_EQ(request_status(text, scan, head), good ? 0 : 400) << visible(text);
  }
}

TEST(RequestHead, EndsAtItsEmptyLineAndNotBeyond) {
  const std::string text = "\r\n" + get("Host: a\r\n");
  const auto scan = scan_every_way(text + "GET /next");
  EXPECT_EQ(scan.start, 2u);
  EXPECT_EQ(scan.end, text.size());
}

TEST(RequestHead, IsIncompleteAtEveryPointBeforeItsEnd) {
  const std::string text = "\r\n" + with_field("X: y");
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(testing::scan_growing(text, {size}).result, HeadScanner::Result::incomplete) << size;
  }
}

TEST(RequestHead, ReadsOneHeadAfterAnotherIntoTheSamePlace) {
  RequestHead head;
  const std::string first =
      "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n"
      "Expect: 100-continue\r\n\r\n";
  ASSERT_EQ(parse_request_head(first, head), 0);
  const std::string second = "GET / HTTP/1.0\r\n\r\n";
  ASSERT_EQ(parse_request_head(second, head), 0);
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.host, "");
  EXPECT_TRUE(head.fields.empty());
  EXPECT_EQ(head.framing.kind, Framing::Kind::none);
  EXPECT_FALSE(head.connection.close);
  EXPECT_FALSE(head.expects_continue);
}

TEST(RequestHead, KnowsWhetherTheConnectionIsToStay) {
  const auto persistent = [](const std::string& version, const std::string& field) {
    const std::string text = "GET / " + version + "\r\nHost: a\r\n" + field + "\r\n";
    RequestHead head;
    EXPECT_EQ(parse_request_head(text, head), 0) << visible(text);
    return head.persistent();
  };
  EXPECT_TRUE(persistent("HTTP/1.1", ""));
  EXPECT_TRUE(persistent("HTTP/1.1", "Connection: keep-alive\r\n"));
  EXPECT_FALSE(persistent("HTTP/1.1", "Connection: close\r\n"));
  EXPECT_FALSE(persistent("HTTP/1.1", "Connection: x, CLOSE ,y\r\n"));
  EXPECT_FALSE(persistent("HTTP/1.1", "Connection: x\r\nConnection: ,close,\r\n"));
  EXPECT_FALSE(persistent("HTTP/1.0", ""));
  EXPECT_TRUE(persistent("HTTP/1.0", "Connection: Keep-Alive\r\n"));
}

TEST(RequestHead, TakesTheSchemeOfItsConnectionAlone) {
  RequestHead head;
  const std::string secure = with_line("GET HTTPS://a/x HTTP/1.1");
  EXPECT_EQ(parse_request_head(secure, head, true), 0);
  EXPECT_EQ(head.target, "/x");
  EXPECT_EQ(parse_request_head(secure, head, false), 400);
  const std::string plain = with_line("GET http://a/x HTTP/1.1");
  EXPECT_EQ(parse_request_head(plain, head, true), 400);
  EXPECT_EQ(parse_request_head(plain, head, false), 0);
}

TEST(RequestHead, KnowsAnExpectation) {
  RequestHead head;
  const std::string text = with_field("Expect: 100-Continue");
  ASSERT_EQ(parse_request_head(text, head), 0);
  EXPECT_TRUE(head.expects_continue);
  const std::string old = post_1_0("Expect: 100-continue");
  ASSERT_EQ(parse_request_head(old, head), 0);
  EXPECT_FALSE(head.expects_continue) << "HTTP/1.0 knows no interim answers";
}

TEST(RequestHead, KnowsMethodsThatMayBeRepeated) {
  const auto head = [](std::string_view method) {
    RequestHead request;
    request.method = method;
    return request;
  };
  for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"}) {
    EXPECT_TRUE(head(method).idempotent()) << method;
  }
  for (const char* method : {"POST", "PATCH", "BREW", "get", "CONNECT"}) {
    EXPECT_FALSE(head(method).idempotent()) << method;
  }
}

TEST(RequestHead, TakesUpToOneHundredFields) {
  const auto text = [](int others) {
    std::string fields = "Host: a\r\n";
    for (int n = 0; n < others; ++n) fields += "X: y\r\n";
    return get(fields);
  };
  RequestHead head;
  const std::string most = text(99);
  const std::string more = text(100);
  EXPECT_EQ(parse_request_head(most, head), 0);
  EXPECT_EQ(head.fields.size(), kFieldsMax);
  EXPECT_EQ(parse_request_head(more, head), 431);
}

TEST(RequestHead, TakesUpToThirtyTwoOptionsOfConnection) {
  RequestHead head;
  const auto status = [&](std::size_t first, std::size_t second) {
    const std::string text = with_field("Connection: " + std::string(first - 1, ',') +
                                        "\r\nConnection: a" + std::string(second - 1, ','));
    return parse_request_head(text, head);
  };
  EXPECT_EQ(status(16, 16), 0);
  EXPECT_EQ(status(16, 17), 400);
  EXPECT_EQ(status(20'000, 1), 400);
  EXPECT_EQ(status(1, 1), 0) << "a new head starts from nothing";
}

TEST(HeadScanner, SaysWhenAHeadIsTooLongHoweverMuchComes) {
  const auto head = [](std::size_t size) {
    const std::string start = "\r\nGET / HTTP/1.1\r\nHost: a\r\nX: ";
    return start + std::string(size - start.size() - 4, 'y') + "\r\n\r\n";
  };
  const std::string next = "GET /next HTTP/1.1\r\n";
  for (const std::size_t first : {std::size_t{0}, kHeadMax - 1, kHeadMax, kHeadMax + 1}) {
    const std::string fits = head(kHeadMax) + next;
    const std::string does_not = head(kHeadMax + 1) + next;
    EXPECT_EQ(testing::scan_growing(fits, {first, fits.size()}).end, kHeadMax) << first;
    EXPECT_EQ(testing::scan_growing(does_not, {first, does_not.size()}).result,
              HeadScanner::Result::too_long)
        << first;
  }
}

TEST(HeadScanner, MeasuresTheFirstLineForTheLimitOnIt) {
  HeadScanner scanner;
  const std::string text = "\r\n\r\nGET /long HTTP/1.1\r\nHost: a\r\n";
  static_cast<void>(scanner.scan(std::string_view{text}.substr(0, 8)));
  EXPECT_EQ(scanner.first_line_size(), 4u) << "as far as it has come";
  static_cast<void>(scanner.scan(text));
  EXPECT_EQ(scanner.first_line_size(), std::string_view{"GET /long HTTP/1.1\r\n"}.size());
}

// -- Bad ones

struct Bad {
  int status;
  std::string text;
};

const std::vector<Bad> kBad = {
    // The line
    {400, "GET /\r\n\r\n"},
    {400, "GET\r\nHost: a\r\n\r\n"},
    {400, with_line("GET HTTP/1.1")},
    {400, with_line("GET  / HTTP/1.1")},
    {400, with_line("GET /  HTTP/1.1")},
    {400, with_line(" GET / HTTP/1.1")},
    {400, with_line("GET / HTTP/1.1 ")},
    {400, with_line("GET\t/ HTTP/1.1")},
    {400, with_line("GET /\tHTTP/1.1")},
    {400, with_line("G@T / HTTP/1.1")},
    {400, with_line("GET( / HTTP/1.1")},
    {400, with_line("GET: / HTTP/1.1")},
    {400, with_line("G\x80T / HTTP/1.1")},
    {400, with_line("G\0T / HTTP/1.1"s)},
    {400, with_line("GET /a b HTTP/1.1")},
    {400, with_line("GET /\x01 HTTP/1.1")},
    {400, with_line("GET /\0 HTTP/1.1"s)},
    {400, with_line("GET /\x7f HTTP/1.1")},
    {400, with_line("GET /\xc3\xa9 HTTP/1.1")},
    {400, with_line("GET /\rX HTTP/1.1")},
    {400, with_line("GET /a#b HTTP/1.1")},
    {400, with_line("GET http://a/#b HTTP/1.1")},
    {400, with_line("GET * HTTP/1.1")},
    {400, with_line("OPTIONS ** HTTP/1.1")},
    {400, with_line("GET a HTTP/1.1")},
    {400, with_line("GET a:80 HTTP/1.1")},
    {400, with_line("GET ?q HTTP/1.1")},
    {400, with_line("GET ftp://a/ HTTP/1.1")},
    {400, with_line("GET https://a/ HTTP/1.1")},
    {400, with_line("GET http:/a/ HTTP/1.1")},
    {400, with_line("GET http://b/ HTTP/1.1")},
    {400, with_line("GET http://b HTTP/1.1")},
    {400, with_line("GET http://a:80/ HTTP/1.1")},
    {400, with_line("GET http://u@a/ HTTP/1.1")},
    {400, with_line("GET http:///x HTTP/1.1")},
    {400, with_line("GET http://a?q HTTP/1.1")},
    {400, with_line("GET / HTTP/1")},
    {400, with_line("GET / HTTP/11")},
    {400, with_line("GET / HTTP/1.1.1")},
    {400, with_line("GET / HTTP/1.10")},
    {400, with_line("GET / HTTP/01.1")},
    {400, with_line("GET / HTTP/1,1")},
    {400, with_line("GET / HTTP/a.1")},
    {400, with_line("GET / HTTP/1.x")},
    {400, with_line("GET / HTTP/+1.1")},
    {400, with_line("GET / HTP/1.1")},
    {400, with_line("GET / http/1.1")},
    {400, with_line("GET / HTTP/1.1\r")},
    {505, with_line("GET / HTTP/0.9")},
    {505, with_line("GET / HTTP/1.2")},
    {505, with_line("GET / HTTP/1.9")},
    {505, with_line("GET / HTTP/2.0")},
    {505, with_line("GET / HTTP/3.0")},
    {505, with_line("GET / HTTP/9.9")},
    {405, with_line("CONNECT a:80 HTTP/1.1")},
    {405, with_line("CONNECT / HTTP/1.1")},
    // Line ends
    {400, "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {400, "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {400, "GET / HTTP/1.1\nHost: a\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: a\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: a\r\n\n"},
    {400, "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"},
    {400, "GET / HTTP/1.1\rHost: a\r\n\r\n"},
    {400, " \r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
    // Fields
    {400, with_field("X")},
    {400, with_field(": y")},
    {400, with_field("X : y")},
    {400, with_field("X\t: y")},
    {400, with_field(" X: y")},
    {400, with_field("\tX: y")},
    {400, with_field("X: y\r\n z")},
    {400, with_field("X: y\r\n\tz")},
    {400, get(" fold\r\nHost: a\r\n")},
    {400, with_field("X Y: z")},
    {400, with_field("X(: y")},
    {400, with_field("X\x80: y")},
    {400, with_field("X\0: y"s)},
    {400, with_field("X\r: y")},
    {400, with_field("X: a\0b"s)},
    {400, with_field("X: a\x01")},
    {400, with_field("X: a\x0b")},
    {400, with_field("X: \x0c")},
    {400, with_field("X: a\x7f")},
    {400, with_field("X: a\rb")},
    {400, with_field("X: a\x1b[0m")},
    // What CGI would take for another name
    {400, with_field("Content_Length: 5")},
    {400, with_field("content_length: 5\r\nContent-Length: 6")},
    {400, with_field("Transfer_Encoding: chunked")},
    {400, with_field("X_Forwarded-For: 10.0.0.1")},
    {400, with_field("x_forwarded_proto: https")},
    // Host
    {400, get("")},
    {400, get("X: y\r\n")},
    {400, get("Host: a\r\nHost: a\r\n")},
    {400, get("Host: a\r\nhost: b\r\n")},
    {400, "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"},
    {400, get("Host:\r\n")},
    {400, with_host("u@a")},
    {400, with_host("a b")},
    {400, with_host("a,b")},
    {400, with_host("a/b")},
    {400, with_host("a?b")},
    {400, with_host("a#b")},
    {400, with_host("a:b")},
    {400, with_host("a:-1")},
    {400, with_host("a:80:80")},
    {400, with_host("a:123456")},
    {400, with_host("a:65536")},
    {400, with_host("a:0")},
    {400, with_host("a:000080")},
    {400, with_host("a:+80")},
    {400, with_host("te%73t")},
    {400, with_host("a%00")},
    {400, with_host("a\xc2\x85")},
    {400, with_host(":80")},
    {400, with_host("a\\b")},
    {400, with_host("\xc3\xa9")},
    {400, with_host("[::1")},
    {400, with_host("[]")},
    {400, with_host("[::1]x")},
    {400, with_host("[::1]:x")},
    {400, with_host("[g::]")},
    {400, with_host("[::1]]")},
    {400, with_host("[::1]:65536")},
    {400, with_host("[:]")},
    {400, with_host("[1:2:3]")},
    {400, with_host("[1::2::3]")},
    {400, with_host("[12345::]")},
    {400, with_host("[1.2.3.4]")},
    {400, with_host("[::1.2.3.256]")},
    {400, with_host("[fe80::1%25eth0]")},
    {400, with_host("[fe80::1%eth0]")},
    {400, with_host("[v1.a]")},
    {400, with_host("[::1\0]"s)},
    {400, with_host("::1")},
    // Content-Length
    {400, with_field("Content-Length:")},
    {400, with_field("Content-Length: +1")},
    {400, with_field("Content-Length: -1")},
    {400, with_field("Content-Length: 0x1")},
    {400, with_field("Content-Length: a")},
    {400, with_field("Content-Length: 1 1")},
    {400, with_field("Content-Length: 1,1")},
    {400, with_field("Content-Length: 1;")},
    {400, with_field("Content-Length: 1.0")},
    {400, with_field("Content-Length: 1_0")},
    {400, with_field("Content-Length: \"1\"")},
    {400, with_field("Content-Length: 1000000000000000000")},
    {400, with_field("Content-Length: 18446744073709551616")},
    {400, with_field("Content-Length: 0000000000000000001")},
    {400, with_field("Content-Length: 1\r\nContent-Length: 1")},
    {400, with_field("Content-Length: 1\r\ncontent-length: 2")},
    {400, with_field("Content-Length: 0\r\nContent-Length: 0")},
    {400, with_field("Content-Length:\r\nContent-Length: 5")},
    {400, with_field("Content-Length : 5")},
    // Transfer-Encoding
    {501, with_field("Transfer-Encoding: gzip")},
    {501, with_field("Transfer-Encoding: identity")},
    {400, with_field("Transfer-Encoding:")},
    {501, with_field("Transfer-Encoding: xchunked")},
    {501, with_field("Transfer-Encoding: chunkedx")},
    {400, with_field("Transfer-Encoding: \"chunked\"")},
    {400, with_field("Transfer-Encoding: chunked;q=1")},
    {400, with_field("Transfer-Encoding: chunked,")},
    {400, with_field("Transfer-Encoding: chunked, chunked")},
    {501, with_field("Transfer-Encoding: gzip, chunked")},
    {400, with_field("Transfer-Encoding: chunked, gzip")},
    {400, with_field("Transfer-Encoding: ,chunked")},
    {400, with_field("Transfer-Encoding: gzip, chunked, gzip")},
    {400, with_field("Transfer-Encoding: chunked chunked")},
    {400, with_field("Transfer-Encoding: \x85"
                     "chunked")},
    {400, with_field("Transfer-Encoding: chunked\xa0")},
    {501, with_field("Transfer-Encoding: gzip, deflate")},
    {400, with_field("Transfer-Encoding: chun\xe2\x84\xaa"
                     "ed")},
    {400, with_field("Transfer-Encoding: \x0b"
                     "chunked")},
    {400, with_field("Transfer-Encoding: chunked\0"s)},
    {400, with_field("Transfer-Encoding\x0b: chunked")},
    {400, with_field("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")},
    {400, with_field("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip")},
    {501, with_field("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked")},
    {400, with_field("Content-Length: 5\r\nTransfer-Encoding: chunked")},
    {400, with_field("Transfer-Encoding: chunked\r\nContent-Length: 0")},
    {400, with_field("Transfer-Encoding: gzip\r\nContent-Length: 5")},
    {400, post_1_0("Transfer-Encoding: chunked")},
    {501, post_1_0("Transfer-Encoding: gzip")},
    // Expect and Connection
    {417, with_field("Expect: 200-ok")},
    {417, with_field("Expect:")},
    {417, with_field("Expect: 100-continue, x")},
    {417, with_field("Expect: 100-continue\r\nExpect: x")},
    {417, post_1_0("Expect: x")},
    {400, with_field("Connection: clo se")},
    {400, with_field("Connection: close;")},
    {400, with_field("Connection: \"close\"")},
    {400, with_field("Connection: close, a/b")},
};

TEST(RequestHead, RefusesWhatIsBad) {
  EXPECT_GE(kBad.size(), 80u);
  for (const Bad& bad : kBad) {
    SCOPED_TRACE(visible(bad.text));
    RequestHead head;
    EXPECT_EQ(request_status(bad.text, scan_every_way(bad.text), head), bad.status);
  }
}

// -- The first line, while the rest has not come

TEST(FirstLine, OfAGoodRequestIsNeverRefused) {
  for (const Good& good : kGood) {
    const std::string_view text = good.text;
    for (std::size_t size = 0; size < text.size(); ++size) {
      EXPECT_EQ(refuse_first_line(testing::first_line_so_far(text.substr(0, size))), 0)
          << visible(text.substr(0, size));
    }
  }
}

TEST(FirstLine, IsRefusedAsTheWholeRequestWouldBe) {
  for (const Bad& bad : kBad) {
    const std::string_view text = bad.text;
    for (std::size_t size = 0; size < text.size(); ++size) {
      const int status = refuse_first_line(testing::first_line_so_far(text.substr(0, size)));
      EXPECT_TRUE(status == 0 || status == bad.status) << visible(text.substr(0, size));
    }
  }
}

TEST(FirstLine, ThatNothingCanMakeGoodIsRefusedBeforeTheRestComes) {
  const std::vector<Bad> beginnings = {
      {400, "GET /\r\n"},  // HTTP/0.9: no more will come.
      {400, "SSH-2.0-OpenSSH_9.2\r\n"},
      {400, "\r\nEHLO a\r\n"},
      {505, "GET / HTTP/2.0\r\n"},
      {400, "\x16\x03\x01\x02"},  // A TLS handshake.
      {400, "\0"s},
      {400, " GET"},
      {400, "\r\n\tGET"},
      {400, "GET / HTTP/1.1\rHost: a\r\r"},
      {400, "\r\r"},
  };
  for (const Bad& bad : beginnings) {
    EXPECT_EQ(refuse_first_line(testing::first_line_so_far(bad.text)), bad.status)
        << visible(bad.text);
  }
}

// -- Framing

enum class Lengths { absent, zero, five, bad, same_twice, different };
enum class Codings { absent, chunked, other, chunked_twice };

std::string framing_fields(Lengths lengths, Codings codings) {
  std::string fields;
  switch (lengths) {
    case Lengths::absent: break;
    case Lengths::zero: fields = "Content-Length: 0\r\n"; break;
    case Lengths::five: fields = "Content-Length: 5\r\n"; break;
    case Lengths::bad: fields = "Content-Length: five\r\n"; break;
    case Lengths::same_twice: fields = "Content-Length: 5\r\nContent-Length: 5\r\n"; break;
    case Lengths::different: fields = "Content-Length: 5\r\nContent-Length: 6\r\n"; break;
  }
  switch (codings) {
    case Codings::absent: break;
    case Codings::chunked: fields += "Transfer-Encoding: Chunked\r\n"; break;
    case Codings::other: fields += "Transfer-Encoding: gzip\r\n"; break;
    case Codings::chunked_twice:
      fields += "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n";
      break;
  }
  return fields;
}

constexpr Lengths kLengths[] = {Lengths::absent, Lengths::zero,       Lengths::five,
                                Lengths::bad,    Lengths::same_twice, Lengths::different};
constexpr Codings kCodings[] = {Codings::absent, Codings::chunked, Codings::other,
                                Codings::chunked_twice};

// No two fields may disagree, or even agree twice: any doubt is a refusal.
bool in_doubt(Lengths lengths, Codings codings) {
  const bool unclear = lengths == Lengths::bad || lengths == Lengths::same_twice ||
                       lengths == Lengths::different || codings == Codings::chunked_twice;
  return unclear || (lengths != Lengths::absent && codings != Codings::absent);
}

TEST(RequestFraming, IsDecidedOnceForEveryCombination) {
  for (const char* method : {"GET", "POST", "HEAD", "BREW"}) {
    for (const int minor : {0, 1}) {
      for (const Lengths lengths : kLengths) {
        for (const Codings codings : kCodings) {
          const std::string text = std::string{method} + " / HTTP/1." + std::to_string(minor) +
                                   "\r\nHost: a\r\n" + framing_fields(lengths, codings) + "\r\n";
          SCOPED_TRACE(visible(text));
          RequestHead head;
          const int status = parse_request_head(text, head);
          if (in_doubt(lengths, codings)) {
            EXPECT_EQ(status, 400);
          } else if (codings == Codings::other) {
            EXPECT_EQ(status, 501);
          } else if (codings == Codings::chunked) {
            EXPECT_EQ(status, minor == 0 ? 400 : 0);
            EXPECT_TRUE(status != 0 || head.framing.kind == Framing::Kind::chunked);
          } else {
            EXPECT_EQ(status, 0);
            const bool body = lengths == Lengths::five;
            EXPECT_EQ(head.framing.kind, body ? Framing::Kind::length : Framing::Kind::none);
            EXPECT_EQ(head.framing.length, body ? 5u : 0u);
          }
        }
      }
    }
  }
}

TEST(ResponseFraming, IsDecidedOnceForEveryCombination) {
  for (const int status : {100, 103, 199, 200, 204, 206, 304, 404, 500, 599}) {
    for (const bool to_head : {false, true}) {
      for (const int minor : {0, 1}) {
        for (const Lengths lengths : kLengths) {
          for (const Codings codings : kCodings) {
            const std::string text = "HTTP/1." + std::to_string(minor) + ' ' +
                                     std::to_string(status) + " X\r\n" +
                                     framing_fields(lengths, codings) + "\r\n";
            SCOPED_TRACE(visible(text) + (to_head ? " to HEAD" : ""));
            ResponseHead head;
            const bool good = parse_response_head(text, to_head, head);
            const bool bodiless = to_head || status < 200 || status == 204 || status == 304;
            if (in_doubt(lengths, codings) || codings == Codings::other) {
              EXPECT_FALSE(good);
            } else if (bodiless) {
              const bool tells = lengths == Lengths::five || codings == Codings::chunked;
              EXPECT_EQ(good, !tells || (status >= 200 && status != 204));
              EXPECT_EQ(head.framing.kind, Framing::Kind::none);
              EXPECT_TRUE(!good || head.withholds_body == tells);
            } else if (codings == Codings::chunked) {
              EXPECT_EQ(good, minor == 1);
              EXPECT_TRUE(!good || head.framing.kind == Framing::Kind::chunked);
            } else {
              EXPECT_TRUE(good);
              EXPECT_EQ(head.framing.kind, lengths == Lengths::absent ? Framing::Kind::until_close
                                           : lengths == Lengths::zero ? Framing::Kind::none
                                                                      : Framing::Kind::length);
            }
          }
        }
      }
    }
  }
}

// -- Hop by hop

TEST(HopByHop, DropsTheFieldsThatAreAboutThisConnection) {
  RequestHead head;
  const std::string text = with_field(
      "Connection: x-Mine , close\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nTE: trailers\r\n"
      "Trailer: x\r\nUpgrade: h2c\r\nX-Mine: 1\r\nX-Other: 2\r\nTransfer-Encoding: chunked");
  ASSERT_EQ(parse_request_head(text, head), 0);
  std::vector<std::string> kept;
  for (const Field& field : head.fields) {
    if (!is_hop_by_hop(field, head.fields)) kept.emplace_back(field.name);
  }
  EXPECT_EQ(kept, (std::vector<std::string>{"Host", "X-Other"}));
}

TEST(HopByHop, ConnectionCannotTakeAwayWhatOthersRelyOn) {
  RequestHead head;
  const std::string text = with_field(
      "Connection: Host, Content-Length, X-Forwarded-For\r\n"
      "Connection: x-forwarded-host, x-forwarded-proto\r\n"
      "Content-Length: 5\r\nX-Forwarded-For: a\r\nX-Forwarded-Host: b\r\nX-Forwarded-Proto: c");
  ASSERT_EQ(parse_request_head(text, head), 0);
  for (const Field& field : head.fields) {
    EXPECT_EQ(is_hop_by_hop(field, head.fields), field.id == FieldId::connection) << field.name;
  }
}

TEST(HopByHop, ANameIsTheWholeName) {
  RequestHead head;
  const std::string text = with_field("Connection: X-Min,X\r\nX-Mine: 1");
  ASSERT_EQ(parse_request_head(text, head), 0);
  EXPECT_FALSE(is_hop_by_hop(head.fields.back(), head.fields));
}

}  // namespace
}  // namespace lb::net::http
