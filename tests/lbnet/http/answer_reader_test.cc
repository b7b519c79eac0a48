// Goal: what a backend says is taken for the same answer however its bytes arrive, one answer is
// taken and not a byte more, and what is no answer is refused.
// Method: each text whole, at every split and byte by byte, read as a session does.
#include "lbnet/http/answer_reader.h"

#include <gtest/gtest.h>

#include "tests/lbnet/http/heads.h"

namespace lb::net::http {
namespace {

using testing::visible;

struct Reading {
  std::vector<int> statuses;  // Of the heads in order, the interim ones too.
  std::string body;
  std::string left;  // Behind the answer.
  bool done = false;
  bool invalid = false;
  bool operator==(const Reading&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Reading& reading) {
  for (const int status : reading.statuses) out << status << ' ';
  return out << '"' << visible(reading.body) << "\" left \"" << visible(reading.left) << "\" "
             << (reading.done ? "done " : "") << (reading.invalid ? "invalid" : "");
}

// Reads what has come; true when there is nothing to say before more has.
class Session {
 public:
  explicit Session(bool to_head) : in_(pool_), answer_({.head = to_head}) {}

  void take(std::string_view piece) {
    if (reading_.invalid) return;
    in_.append(piece);
    while (!in_body_ && !reading_.invalid && take_head()) {
    }
    if (in_body_) take_body();
  }

  Reading end() {
    if (reading_.invalid) return {{}, "", "", false, true};  // What came before is as it may be.
    reading_.left = in_.view();
    return reading_;
  }

 private:
  bool take_head() {
    ResponseHead head;
    const auto found = answer_.next_head(in_, head);
    reading_.invalid = found == AnswerReader::Result::invalid;
    if (reading_.invalid || found == AnswerReader::Result::incomplete) return false;
    reading_.statuses.push_back(head.status);
    in_body_ = found == AnswerReader::Result::final;
    answer_.take_head(in_);
    return true;
  }

  void take_body() {
    const auto decoded = answer_.body().decode(in_);
    reading_.body += decoded.data;
    in_.consume(decoded.raw);
    reading_.invalid = decoded.malformed;
    reading_.done = answer_.body().done();
  }

  BufferPool pool_;
  Buffer in_;
  AnswerReader answer_;
  Reading reading_;
  bool in_body_ = false;
};

Reading read_pieces(const std::vector<std::string_view>& pieces, bool to_head) {
  Session session(to_head);
  for (const std::string_view piece : pieces) session.take(piece);
  return session.end();
}

Reading read_every_way(std::string_view text, bool to_head = false) {
  const Reading whole = read_pieces({text}, to_head);
  std::vector<std::string_view> bytes;
  for (std::size_t n = 0; n < text.size(); ++n) {
    bytes.push_back(text.substr(n, 1));
    EXPECT_EQ(read_pieces({text.substr(0, n), text.substr(n)}, to_head), whole)
        << "split after " << n << " of " << visible(text);
  }
  EXPECT_EQ(read_pieces(bytes, to_head), whole) << "byte by byte: " << visible(text);
  return whole;
}

constexpr bool kToHead = true;
const std::string kOk = "HTTP/1.1 200 OK\r\n";
const std::string kNext = kOk + "Content-Length: 0\r\n\r\n";

TEST(AnswerReader, TakesOneAnswerAndNotAByteMore) {
  EXPECT_EQ(read_every_way(kOk + "Content-Length: 5\r\n\r\nhello" + kNext),
            (Reading{{200}, "hello", kNext, true}));
  EXPECT_EQ(
      read_every_way(kOk + "Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nT: x\r\n\r\n" +
                     kNext),
      (Reading{{200}, "hello", kNext, true}));
  EXPECT_EQ(read_every_way(kNext + kNext), (Reading{{200}, "", kNext, true}));
}

TEST(AnswerReader, TakesInterimAnswersBeforeTheFinalOne) {
  EXPECT_EQ(
      read_every_way("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" +
                     kOk + "Content-Length: 2\r\n\r\nab"),
      (Reading{{100, 103, 200}, "ab", "", true}));
}

TEST(AnswerReader, TakesNoBodyWhereNoneMayCome) {
  EXPECT_EQ(read_every_way(kOk + "Content-Length: 5\r\n\r\nhello", kToHead),
            (Reading{{200}, "", "hello", true}));
  EXPECT_EQ(read_every_way(kOk + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", kToHead),
            (Reading{{200}, "", "0\r\n\r\n", true}));
  EXPECT_EQ(read_every_way("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello"),
            (Reading{{304}, "", "hello", true}));
  EXPECT_EQ(read_every_way("HTTP/1.1 204 No Content\r\n\r\nhello"),
            (Reading{{204}, "", "hello", true}));
}

TEST(AnswerReader, TakesABodyWithoutALengthToTheEndOfTheStream) {
  EXPECT_EQ(read_every_way(kOk + "\r\n" + kNext), (Reading{{200}, kNext, "", false}));
}

TEST(AnswerReader, WaitsForWhatIsMissing) {
  const std::string text = kOk + "Content-Length: 2\r\n\r\nab";
  for (std::size_t size = 0; size < text.size(); ++size) {
    const Reading part = read_pieces({std::string_view{text}.substr(0, size)}, false);
    EXPECT_FALSE(part.done || part.invalid) << size;
  }
}

TEST(AnswerReader, RefusesWhatIsNoAnswer) {
  const Reading invalid{{}, "", "", false, true};
  const std::vector<std::string> bad = {
      "\r\n" + kNext,
      "hello\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\n\r\n" + kNext,
      "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhello" + kNext,
      "HTTP/1.1 103 Early Hints\r\n\r\nhello" + kNext + "\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
      kOk + "A: b\n\r\n",
      kOk + "A: b\r\n\n",
      kOk + "Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
      kOk + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
  };
  for (const std::string& text : bad) EXPECT_EQ(read_every_way(text), invalid) << visible(text);
}

TEST(AnswerReader, BoundsInterimAnswers) {
  const auto after = [](int interims) {
    Session session(false);
    for (int n = 0; n < interims; ++n) session.take("HTTP/1.1 103 Early Hints\r\n\r\n");
    session.take(kNext);
    return session.end();
  };
  EXPECT_TRUE(after(100).done);
  EXPECT_TRUE(after(101).invalid);
}

TEST(AnswerReader, BoundsAHead) {
  const std::string start = kOk + "Content-Length: 0\r\nX: ";
  const auto fits = [&](std::size_t size) {
    const std::string text = start + std::string(size - start.size() - 4, 'y') + "\r\n\r\n";
    return read_pieces({text}, false).done;
  };
  EXPECT_TRUE(fits(kHeadMax));
  EXPECT_FALSE(fits(kHeadMax + 1));
}

}  // namespace
}  // namespace lb::net::http
