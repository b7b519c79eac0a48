// Goal: an answer that is good is read as it was meant; one that a client could take for another
// is not passed on.
// Method: tables. Each head is scanned whole, at every split and byte by byte first.
#include <gtest/gtest.h>

#include "tests/lbnet/http/heads.h"

namespace lb::net::http {
namespace {

using namespace std::string_literals;
using testing::response_good;
using testing::scan_every_way;
using testing::visible;

std::string with_line(const std::string& line) { return line + "\r\nX: y\r\n\r\n"; }
std::string with_field(const std::string& field) {
  return "HTTP/1.1 200 OK\r\n" + field + "\r\n\r\n";
}

struct Good {
  std::string text;
  int status;
  std::string reason;
  int minor_version = 1;
  bool persistent = true;
};

const std::vector<Good> kGood = {
    {with_line("HTTP/1.1 200 OK"), 200, "OK"},
    {with_line("HTTP/1.1 404 Not Found"), 404, "Not Found"},
    {with_line("HTTP/1.1 200 "), 200, ""},
    {with_line("HTTP/1.1 200"), 200, ""},
    {with_line("HTTP/1.1 200  two  spaces"), 200, " two  spaces"},
    {with_line("HTTP/1.1 200 \xc3\xa9\t!"), 200, "\xc3\xa9\t!"},
    {with_line("HTTP/1.1 100 Continue"), 100, "Continue"},
    {with_line("HTTP/1.1 599 X"), 599, "X"},
    {with_line("HTTP/1.1 999 X"), 999, "X"},
    {with_line("HTTP/1.0 200 OK"), 200, "OK", 0, false},
    {"HTTP/1.1 200 OK\r\n\r\n", 200, "OK"},
    {with_field("Connection: close"), 200, "OK", 1, false},
    {with_field("Connection: keep-alive, Close"), 200, "OK", 1, false},
    {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", 200, "OK", 0, true},
};

TEST(ResponseHead, ReadsWhatIsGood) {
  for (const Good& good : kGood) {
    SCOPED_TRACE(visible(good.text));
    ResponseHead head;
    ASSERT_TRUE(response_good(good.text, scan_every_way(good.text), false, head));
    EXPECT_EQ(head.status, good.status);
    EXPECT_EQ(head.reason, good.reason);
    EXPECT_EQ(head.minor_version, good.minor_version);
    EXPECT_EQ(head.persistent(), good.persistent);
    EXPECT_EQ(head.interim(), good.status < 200);
  }
}

TEST(ResponseHead, ReadsOneHeadAfterAnotherIntoTheSamePlace) {
  ResponseHead head;
  const std::string first = with_field("Content-Length: 5\r\nConnection: close");
  ASSERT_TRUE(parse_response_head(first, false, head));
  const std::string second = "HTTP/1.1 204\r\n\r\n";
  ASSERT_TRUE(parse_response_head(second, false, head));
  EXPECT_EQ(head.reason, "");
  EXPECT_TRUE(head.fields.empty());
  EXPECT_FALSE(head.connection.close);
  EXPECT_EQ(head.framing.kind, Framing::Kind::none);
}

const std::vector<std::string> kBad = {
    // The line
    "\r\n",
    "\r\n" + with_line("HTTP/1.1 200 OK"),
    with_line(""),
    with_line("200 OK"),
    with_line("ICY 200 OK"),
    with_line("HTTP/1.1"),
    with_line("HTTP/1.1 "),
    with_line("HTTP/1.1 20"),
    with_line("HTTP/1.1 20 OK"),
    with_line("HTTP/1.1 2000 OK"),
    with_line("HTTP/1.1  200 OK"),
    with_line("HTTP/1.1 200OK"),
    with_line("HTTP/1.1 200\tOK"),
    with_line("HTTP/1.1\t200 OK"),
    with_line("HTTP/1.1 000 X"),
    with_line("HTTP/1.1 099 X"),
    with_line("HTTP/1.1 -12 X"),
    with_line("HTTP/1.1 +20 X"),
    with_line("HTTP/1.1 2x0 X"),
    with_line("HTTP/1.1 0x2 X"),
    with_line("HTTP/2 200 OK"),
    with_line("HTTP/2.0 200 OK"),
    with_line("HTTP/1.2 200 OK"),
    with_line("HTTP/0.9 200 OK"),
    with_line("http/1.1 200 OK"),
    with_line(" HTTP/1.1 200 OK"),
    with_line("HTTP/1.1 200 a\0b"s),
    with_line("HTTP/1.1 200 a\rb"),
    with_line("HTTP/1.1 200 a\x01"),
    with_line("HTTP/1.1 200 a\x7f"),
    with_line("HTTP/1.1 200 OK\r"),
    // Line ends
    "HTTP/1.1 200 OK\nX: y\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX: y\n\r\n",
    "HTTP/1.1 200 OK\r\nX: y\r\n\n",
    // Fields
    with_field("X"),
    with_field(": y"),
    with_field("X : y"),
    with_field(" X: y"),
    with_field("X: y\r\n z"),
    with_field("X: y\r\n\tz"),
    with_field("X: a\0b"s),
    with_field("X: a\rb"),
    with_field("X: \x1b"),
    with_field("Connection: a b"),
    // Length
    with_field("Content-Length:"),
    with_field("Content-Length: +1"),
    with_field("Content-Length: -1"),
    with_field("Content-Length: 1,1"),
    with_field("Content-Length: 1 1"),
    with_field("Content-Length: 0x1"),
    with_field("Content-Length: 1000000000000000000"),
    with_field("Content-Length: 1\r\nContent-Length: 1"),
    with_field("Content-Length: 1\r\nContent-Length: 2"),
    with_field("Transfer-Encoding: gzip"),
    with_field("Transfer-Encoding: identity"),
    with_field("Transfer-Encoding:"),
    with_field("Transfer-Encoding: chunked, chunked"),
    with_field("Transfer-Encoding: gzip, chunked"),
    with_field("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
    with_field("Transfer-Encoding: chunked\r\nContent-Length: 5"),
    with_field("Content-Length: 5\r\nTransfer-Encoding: chunked"),
    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    with_field("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"),
    with_field("Transfer_Encoding: chunked"),
    with_field("Content_Length: 5\r\nContent-Length: 6"),
    // Bodies where none may be
    "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
    "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n",
    "HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n",
};

TEST(ResponseHead, RefusesWhatIsBad) {
  EXPECT_GE(kBad.size(), 40u);
  for (const std::string& bad : kBad) {
    SCOPED_TRACE(visible(bad));
    ResponseHead head;
    EXPECT_FALSE(response_good(bad, scan_every_way(bad), false, head));
  }
}

TEST(StatusLine, OfAGoodAnswerIsNeverRefused) {
  for (const Good& good : kGood) {
    const std::string_view text = good.text;
    for (std::size_t size = 0; size < text.size(); ++size) {
      EXPECT_TRUE(may_be_status_line(testing::first_line_so_far(text.substr(0, size))))
          << visible(text.substr(0, size));
    }
  }
}

TEST(StatusLine, ThatNothingCanMakeGoodIsRefusedBeforeTheRestComes) {
  for (const std::string bad :
       {"SSH-2.0", "220 mail", "<", "HTTP/2", "http", " H", "HTTP/1.1 99 X\r\n",
        "HTTP/1.1 2000 X\r\n", "HTTP/1.2 200 OK\r\n"}) {
    EXPECT_FALSE(may_be_status_line(testing::first_line_so_far(bad))) << visible(bad);
  }
}

TEST(ResponseHead, KnowsOfABodyThatIsNotToCome) {
  const auto withholds = [](const std::string& text, bool to_head) {
    ResponseHead head;
    EXPECT_TRUE(parse_response_head(text, to_head, head)) << visible(text);
    EXPECT_TRUE(!to_head || head.framing.kind == Framing::Kind::none);
    return head.withholds_body;
  };
  const std::string length = "Content-Length: 5\r\n\r\n";
  EXPECT_TRUE(withholds("HTTP/1.1 200 OK\r\n" + length, true));
  EXPECT_TRUE(withholds(with_field("Transfer-Encoding: chunked"), true));
  EXPECT_TRUE(withholds("HTTP/1.1 304 Not Modified\r\n" + length, false));
  EXPECT_FALSE(withholds("HTTP/1.1 200 OK\r\n" + length, false));
  EXPECT_FALSE(withholds(with_field("Content-Length: 0"), true));
  EXPECT_FALSE(withholds(with_field("X: y"), true));
  EXPECT_FALSE(withholds("HTTP/1.1 304 Not Modified\r\n\r\n", false));
  EXPECT_FALSE(withholds("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", false));
}

TEST(ResponseHead, ForgetsTheHeadBeforeIt) {
  ResponseHead head;
  const std::string first = with_field("Content-Length: 5\r\nConnection: close");
  ASSERT_TRUE(parse_response_head(first, true, head));
  const std::string second = with_field("X: y");
  ASSERT_TRUE(parse_response_head(second, true, head));
  EXPECT_FALSE(head.withholds_body);
  EXPECT_FALSE(head.connection.close);
}

TEST(ResponseHead, RefusesALengthInDoubtEvenWhereThereIsNoBody) {
  ResponseHead head;
  const std::string text = with_field("Content-Length: 5\r\nTransfer-Encoding: chunked");
  EXPECT_FALSE(parse_response_head(text, true, head));
}

TEST(ResponseHead, TakesUpToOneHundredFields) {
  std::string text = "HTTP/1.1 200 OK\r\n";
  for (std::size_t n = 0; n < kFieldsMax; ++n) text += "X: y\r\n";
  ResponseHead head;
  const std::string most = text + "\r\n";
  const std::string more = text + "X: y\r\n\r\n";
  EXPECT_TRUE(parse_response_head(most, false, head));
  EXPECT_FALSE(parse_response_head(more, false, head));
}

}  // namespace
}  // namespace lb::net::http
