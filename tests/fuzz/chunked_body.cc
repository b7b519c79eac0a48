// A body in chunks: the same data and the same end however it arrives, and to a lenient decoder.
#include "lbnet/http/body_decoder.h"

#include <string>

#include "tests/fuzz/lenient.h"
#include "tests/fuzz/same_fields.h"
#include "tests/fuzz/target.h"

namespace lb::fuzz {
namespace {

using namespace lb::net;        // NOLINT
using namespace lb::net::http;  // NOLINT

struct Decoding {
  std::string data;
  std::size_t used = 0;
  bool done = false;
  bool malformed = false;
  bool operator==(const Decoding&) const = default;
};

Decoding decode(const std::vector<std::string_view>& pieces) {
  BufferPool pool;
  Buffer buffer(pool);
  BodyDecoder decoder({Framing::Kind::chunked, 0});
  Decoding result;
  for (std::string_view piece : pieces) {
    while (!piece.empty() && !decoder.done()) {
      const std::size_t size = std::min(piece.size(), buffer.room().size());
      buffer.append(piece.substr(0, size));
      piece.remove_prefix(size);
      const auto decoded = decoder.decode(buffer);
      if (decoded.malformed) return {"", 0, false, true};
      LB_ASSERT(decoded.raw <= buffer.size() && decoded.data.size() <= decoded.raw);
      result.data += decoded.data;
      result.used += decoded.raw;
      buffer.consume(decoded.raw);
      LB_ASSERT(decoder.done() || buffer.empty());
    }
  }
  result.done = decoder.done();
  return result;
}

}  // namespace

void run(std::string_view input) {
  const Decoding whole = decode({input});
  for (const auto& pieces : cut(input)) LB_ASSERT(decode(pieces) == whole);
  if (!whole.done) return;
  const std::string head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string message = head;
  message += input;
  for (const LineEnds ends : kLineEnds) {
    const auto lenient = read_message_leniently(message, Kind::request, ends);
    LB_ASSERT(lenient && lenient->complete);
    LB_ASSERT(lenient->body == whole.data);
    LB_ASSERT(lenient->size == head.size() + whole.used);
  }
  const std::string written = in_chunks(whole.data);
  LB_ASSERT(decode({written}) == (Decoding{whole.data, written.size(), true, false}));
}

}  // namespace lb::fuzz
