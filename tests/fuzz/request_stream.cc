// All that a client sends on a connection, requests with bodies one after the other: the same
// requests however it arrives. Written anew they are the same requests again, and a lenient reader
// finds exactly those, in what came and in what is written.
#include <string>

#include "lbnet/http/body_decoder.h"
#include "lbnet/http/head_parser.h"
#include "lbnet/http/head_writer.h"
#include "tests/fuzz/lenient.h"
#include "tests/fuzz/same_fields.h"
#include "tests/fuzz/target.h"

namespace lb::fuzz {
namespace {

using namespace lb::net;        // NOLINT
using namespace lb::net::http;  // NOLINT

struct Request {
  std::string head;  // As a backend gets it.
  std::string body;
  bool chunked = false;
  bool may_be_read_again = false;
  std::size_t end = 0;  // In the stream.
  bool operator==(const Request&) const = default;
};

struct Reading {
  std::vector<Request> requests;  // The complete ones.
  bool refused = false;
  bool operator==(const Reading&) const = default;
};

// Reads as Http1Client does.
class Connection {
 public:
  void take(std::string_view bytes) {
    while (!bytes.empty() && !reading_.refused) {
      const std::size_t size = std::min(bytes.size(), in_.room().size());
      in_.append(bytes.substr(0, size));
      bytes.remove_prefix(size);
      while (!reading_.refused && (in_body_ ? take_body() : take_head())) {
      }
    }
  }
  Reading reading() && { return std::move(reading_); }

 private:
  // Each is true when there may be more to take of what is there.
  bool take_head() {
    if (in_.empty()) return false;
    const auto found = scanner_.scan(in_.view());
    if (found == HeadScanner::Result::malformed || found == HeadScanner::Result::too_long ||
        scanner_.first_line_size() > kRequestLineMax) {
      return refuse();
    }
    if (found == HeadScanner::Result::incomplete) return false;
    const std::size_t size = scanner_.end() - scanner_.start();
    RequestHead head;
    Buffer out(pool_);
    if (parse_request_head(in_.view().substr(scanner_.start(), size), head) != 0) return refuse();
    head.max_forwards.reset();  // It would not be the same request.
    if (!write_request_head(head, "192.0.2.7", out)) return refuse();
    request_ = {.head = std::string{out.view()},
                .chunked = head.framing.kind == Framing::Kind::chunked,
                .may_be_read_again = may_be_read_again(head)};
    body_ = BodyDecoder(head.framing);
    consume(scanner_.end());
    scanner_.reset();
    return in_body_ = true;
  }

  bool take_body() {
    const auto decoded = body_.decode(in_);
    if (decoded.malformed) return refuse();
    request_.body += decoded.data;
    consume(decoded.raw);
    if (!body_.done()) return false;
    request_.end = used_;
    reading_.requests.push_back(std::move(request_));
    in_body_ = false;
    return true;
  }

  bool refuse() {
    reading_.refused = true;
    return false;
  }

  void consume(std::size_t bytes) {
    in_.consume(bytes);
    used_ += bytes;
  }

  BufferPool pool_;
  Buffer in_{pool_};
  HeadScanner scanner_;
  BodyDecoder body_;
  Request request_;
  bool in_body_ = false;
  std::size_t used_ = 0;
  Reading reading_;
};

Reading read(const std::vector<std::string_view>& pieces) {
  Connection connection;
  for (const std::string_view piece : pieces) connection.take(piece);
  return std::move(connection).reading();
}

// A lenient reader finds these requests and no others.
void check_leniently(std::string_view text, const std::vector<Request>& requests, LineEnds ends) {
  for (const Request& request : requests) {
    const auto lenient = read_message_leniently(text, Kind::request, ends);
    LB_ASSERT(lenient && lenient->complete);
    LB_ASSERT(lenient->body == request.body);
    text.remove_prefix(lenient->size);
  }
  LB_ASSERT(text.empty());
}

void check_written(const std::vector<Request>& requests) {
  std::string text;
  bool readable = true;
  for (const Request& request : requests) {
    text += request.head;
    text += request.chunked ? in_chunks(request.body) : request.body;
    readable = readable && request.may_be_read_again;
  }
  for (const LineEnds ends : kLineEnds) check_leniently(text, requests, ends);
  if (!readable) return;
  const Reading again = read({text});
  LB_ASSERT(!again.refused && again.requests.size() == requests.size());
  for (std::size_t n = 0; n < requests.size(); ++n) {
    LB_ASSERT(again.requests[n].head == requests[n].head);
    LB_ASSERT(again.requests[n].body == requests[n].body);
  }
}

}  // namespace

void run(std::string_view input) {
  const Reading whole = read({input});
  for (const auto& pieces : cut(input)) LB_ASSERT(read(pieces) == whole);
  if (whole.requests.empty()) return;
  const std::string_view read_so_far = input.substr(0, whole.requests.back().end);
  for (const LineEnds ends : kLineEnds) check_leniently(read_so_far, whole.requests, ends);
  check_written(whole.requests);
}

}  // namespace lb::fuzz
