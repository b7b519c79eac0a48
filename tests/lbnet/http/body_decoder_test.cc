// Goal: a body comes out of its framing the same however its bytes arrive, nothing after it is
// touched, and framing that two decoders could read differently ends it.
// Method: each body whole, at every split and byte by byte; a table of bad chunks.
#include "lbnet/http/body_decoder.h"

#include <gtest/gtest.h>

#include "tests/lbnet/http/heads.h"

namespace lb::net::http {
namespace {

using namespace std::string_literals;
using testing::visible;

struct Decoding {
  std::string data;
  std::string left;  // In the buffer, after the body.
  bool done = false;
  bool malformed = false;
  bool operator==(const Decoding&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Decoding& decoding) {
  return out << '"' << visible(decoding.data) << "\" left \"" << visible(decoding.left) << "\" "
             << (decoding.done ? "done " : "") << (decoding.malformed ? "malformed" : "");
}

// Decodes a body that arrives in these pieces, as a session does: decode, use, consume.
Decoding decode(const Framing& framing, const std::vector<std::string_view>& pieces) {
  BufferPool pool;
  Buffer buffer(pool);
  BodyDecoder decoder(framing);
  Decoding result;
  for (const std::string_view piece : pieces) {
    buffer.append(piece);
    const auto decoded = decoder.decode(buffer);
    // How much came out before the fault was met depends on the pieces, and nobody minds.
    if (decoded.malformed) return {"", "", false, true};
    result.data += decoded.data;
    buffer.consume(decoded.raw);
    EXPECT_TRUE(decoder.done() || buffer.empty()) << "a body takes all there is of it";
  }
  result.left = buffer.view();
  result.done = decoder.done();
  return result;
}

// The result of decoding the text whole; fails the test when any other way differs.
Decoding decode_every_way(const Framing& framing, std::string_view text) {
  const Decoding whole = decode(framing, {text});
  std::vector<std::string_view> bytes;
  for (std::size_t n = 0; n < text.size(); ++n) {
    bytes.push_back(text.substr(n, 1));
    EXPECT_EQ(decode(framing, {text.substr(0, n), text.substr(n)}), whole)
        << "split after " << n << " of " << visible(text);
  }
  EXPECT_EQ(decode(framing, bytes), whole) << "byte by byte: " << visible(text);
  return whole;
}

constexpr Framing kChunked{Framing::Kind::chunked, 0};

Decoding decode_chunked(std::string_view text) { return decode_every_way(kChunked, text); }

Decoding whole(std::string data, std::string left = "") {
  return {std::move(data), std::move(left), true, false};
}

TEST(BodyDecoder, NoBodyIsDoneAtOnce) {
  BufferPool pool;
  Buffer buffer(pool);
  buffer.append("next");
  BodyDecoder none;
  EXPECT_TRUE(none.done());
  EXPECT_TRUE(none.complete_at_end_of_stream());
  const auto decoded = none.decode(buffer);
  EXPECT_EQ(decoded.data, "");
  EXPECT_EQ(decoded.raw, 0u);
  EXPECT_EQ(buffer.view(), "next");
}

TEST(BodyDecoder, TakesALengthAndNotAByteMore) {
  const Framing five{Framing::Kind::length, 5};
  EXPECT_EQ(decode_every_way(five, "helloGET /"), whole("hello", "GET /"));
  EXPECT_EQ(decode_every_way(five, "hello"), whole("hello"));
  EXPECT_EQ(decode_every_way(five, "hell"), (Decoding{"hell", "", false, false}));
}

TEST(BodyDecoder, ALengthIsNotCompleteAtTheEndOfTheStream) {
  EXPECT_FALSE(BodyDecoder({Framing::Kind::length, 5}).complete_at_end_of_stream());
  EXPECT_FALSE(BodyDecoder(kChunked).complete_at_end_of_stream());
}

TEST(BodyDecoder, UntilCloseTakesEverything) {
  const Framing until_close{Framing::Kind::until_close, 0};
  EXPECT_EQ(decode_every_way(until_close, "0\r\n\r\nany"),
            (Decoding{"0\r\n\r\nany", "", false, false}));
  EXPECT_TRUE(BodyDecoder(until_close).complete_at_end_of_stream());
}

TEST(BodyDecoder, PutsChunksTogether) {
  EXPECT_EQ(decode_chunked("0\r\n\r\n"), whole(""));
  EXPECT_EQ(decode_chunked("5\r\nhello\r\n0\r\n\r\n"), whole("hello"));
  EXPECT_EQ(decode_chunked("1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n"), whole("abcdef"));
  EXPECT_EQ(decode_chunked("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"),
            whole("01234567890123456789"));
  EXPECT_EQ(decode_chunked("005\r\nhello\r\n000\r\n\r\n"), whole("hello"));
  EXPECT_EQ(decode_chunked("4\r\n\r\n\r\n\r\n0\r\n\r\n"), whole("\r\n\r\n"));
  EXPECT_EQ(decode_chunked("3\r\n\0\xff\x01\r\n0\r\n\r\n"s), whole("\0\xff\x01"s));
}

TEST(BodyDecoder, LeavesWhatFollowsTheLastChunk) {
  EXPECT_EQ(decode_chunked("2\r\nab\r\n0\r\n\r\nGET / HTTP/1.1\r\n"),
            whole("ab", "GET / HTTP/1.1\r\n"));
  EXPECT_EQ(decode_chunked("0\r\n\r\n0\r\n\r\n"), whole("", "0\r\n\r\n"));
}

TEST(BodyDecoder, DropsExtensionsAndTrailers) {
  EXPECT_EQ(decode_chunked("2;a=b;c\r\nab\r\n0;x=\"y z\"\r\n\r\n"), whole("ab"));
  EXPECT_EQ(decode_chunked("2;a=\"\";b=\"\\\"\\\\;\t\xff\";c\r\nab\r\n0\r\n\r\n"), whole("ab"));
  EXPECT_EQ(decode_chunked("2;a\r\nab\r\n0\r\nX: y\r\nX-Two:\r\nX-Three: \xff\t1\r\n\r\nn"),
            whole("ab", "n"));
}

TEST(BodyDecoder, IsNotDoneBeforeTheLastByte) {
  const std::string text = "2\r\nab\r\n0\r\nX: y\r\n\r\n";
  for (std::size_t size = 0; size < text.size(); ++size) {
    const Decoding part = decode(kChunked, {std::string_view{text}.substr(0, size)});
    EXPECT_FALSE(part.done) << size;
    EXPECT_FALSE(part.malformed) << size;
  }
}

const std::vector<std::string> kBad = {
    // The size
    "\r\nhello",
    "x\r\n",
    "g\r\n",
    "0x5\r\nhello\r\n",
    "+5\r\nhello\r\n",
    "-5\r\nhello\r\n",
    " 5\r\nhello\r\n",
    "5 \r\nhello\r\n",
    "5\t\r\nhello\r\n",
    "5 ;a\r\nhello\r\n",
    "1_0\r\n0123456789abcdef\r\n",
    "5,\r\nhello\r\n",
    "\"5\"\r\nhello\r\n",
    ";a\r\n",
    "5\0\r\nhello\r\n"s,
    "\xef\xbc\x95\r\nhello\r\n",
    "0000000000000005\r\nhello\r\n",
    "ffffffffffffffff\r\n",
    "10000000000000000\r\n",
    // Line ends
    "5\nhello\r\n",
    "5\rhello\r\n",
    "5\r\r\nhello\r\n",
    "5\n\rhello\r\n",
    "5\r\nhello\n",
    "5\r\nhello0\r\n\r\n",
    "5\r\nhelloX\r\n",
    "5\r\nhello\r0\r\n",
    "5\r\nhello\r\r\n",
    "5\r\nhello\r\n\r\n0\r\n\r\n",
    "0\n\n",
    "0\r\n\n",
    "0\r\n\rX",
    "0\r\rX",
    // Extensions
    "5;a\nb\r\nhello\r\n",
    "5;a\rb\r\nhello\r\n",
    "5;a\0b\r\nhello\r\n"s,
    "5;\x01\r\nhello\r\n",
    "5;\x7f\r\nhello\r\n",
    "5;\r\nhello\r\n",
    "5;;a\r\nhello\r\n",
    "5;=b\r\nhello\r\n",
    "5;a=\r\nhello\r\n",
    "5;a=;b\r\nhello\r\n",
    "5;a=b=c\r\nhello\r\n",
    "5; a\r\nhello\r\n",
    "5;a =b\r\nhello\r\n",
    "5;a= b\r\nhello\r\n",
    "5;a\t\r\nhello\r\n",
    "5;a=\"b\"c\r\nhello\r\n",
    "5;a=\"b\" \r\nhello\r\n",
    "5;a=b\"c\"\r\nhello\r\n",
    "5;a=\"b\r\nhello\r\n\"\r\n",
    "5;a=\"b\nc\"\r\nhello\r\n",
    "5;a=\"b\rc\"\r\nhello\r\n",
    "5;a=\"\\\r\nhello\r\n",
    "5;a=\"\\\0\"\r\nhello\r\n"s,
    "5;a=\xc3\xa9\r\nhello\r\n",
    // Trailers
    "0\r\n X: y\r\n\r\n",
    "0\r\n\tX: y\r\n\r\n",
    "0\r\nX: y\r\n z\r\n\r\n",
    "0\r\nX: y\r\n\tz\r\n\r\n",
    "0\r\nX: y\n\r\n",
    "0\r\nX: y\rz\r\n\r\n",
    "0\r\nX: \0\r\n\r\n"s,
    "0\r\nX\x7f: y\r\n\r\n",
    "0\r\n: y\r\n\r\n",
    "0\r\nX\r\n\r\n",
    "0\r\nX : y\r\n\r\n",
    "0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
};

TEST(BodyDecoder, RefusesWhatAnotherDecoderCouldReadDifferently) {
  for (const std::string& bad : kBad) {
    const Decoding result = decode_chunked(bad);
    EXPECT_TRUE(result.malformed) << visible(bad);
  }
}

// One message in chunks of a byte with `extension` bytes of extension each.
bool takes_extensions(std::size_t chunks, std::size_t extension) {
  BufferPool pool;
  Buffer buffer(pool);
  BodyDecoder decoder(kChunked);
  const std::string name = extension == 0 ? "" : ";" + std::string(extension, 'x');
  const std::string chunk = "1" + name + "\r\na\r\n";
  for (std::size_t n = 0; n < chunks; ++n) {
    buffer.append(chunk);
    const auto decoded = decoder.decode(buffer);
    if (decoded.malformed) return false;
    buffer.consume(decoded.raw);
  }
  return true;
}

TEST(BodyDecoder, BoundsTheExtensionsOfAWholeMessage) {
  EXPECT_TRUE(takes_extensions(1, 16384));
  EXPECT_FALSE(takes_extensions(1, 16385));
  EXPECT_TRUE(takes_extensions(16, 1024));
  EXPECT_FALSE(takes_extensions(17, 1024));
  EXPECT_TRUE(takes_extensions(100'000, 0)) << "a body of many chunks is only a body";
}

TEST(BodyDecoder, BoundsTheTrailers) {
  const auto good = [](std::size_t size) {
    const std::string text = "0\r\nX:" + std::string(size - 2, 'y') + "\r\n\r\n";
    return !decode(kChunked, {text}).malformed;
  };
  EXPECT_TRUE(good(16384));
  EXPECT_FALSE(good(16385));
}

TEST(BodyDecoder, TakesTheLargestSizeItAllows) {
  BufferPool pool;
  Buffer buffer(pool);
  BodyDecoder decoder(kChunked);
  buffer.append("fffffffffffffff\r\nabc");
  const auto decoded = decoder.decode(buffer);
  EXPECT_FALSE(decoded.malformed);
  EXPECT_EQ(decoded.data, "abc");
}

}  // namespace
}  // namespace lb::net::http
