// The head of an answer, to a request that was a HEAD or not: what is accepted has one reading, and
// what is written of it means the same to the client.
#include "lbnet/http/head_parser.h"
#include "lbnet/http/head_writer.h"
#include "tests/fuzz/lenient.h"
#include "tests/fuzz/same_fields.h"
#include "tests/fuzz/target.h"

namespace lb::fuzz {
namespace {

using namespace lb::net;        // NOLINT
using namespace lb::net::http;  // NOLINT

void check_written(const ResponseHead& head, bool to_head) {
  BufferPool pool;
  Buffer out(pool);
  const BodyCoding coding = coding_for_client(head, 1);
  if (!write_response_head(head, {.coding = coding}, out)) return;
  for (const LineEnds ends : kLineEnds) {
    const auto lenient = read_leniently(out.view(), ends);
    LB_ASSERT(lenient.has_value());
    LB_ASSERT(lenient->size == out.size());
  }
  if (!may_be_read_again(head)) return;
  ResponseHead again;
  LB_ASSERT(parse_response_head(out.view(), to_head, again));
  LB_ASSERT(again.status == head.status);
  LB_ASSERT(again.reason == head.reason);
  const bool unbounded = head.framing.kind == Framing::Kind::until_close;
  LB_ASSERT(again.framing.kind == (unbounded ? Framing::Kind::chunked : head.framing.kind));
  LB_ASSERT(again.framing.length == head.framing.length);
  LB_ASSERT(end_to_end(again.fields) == end_to_end(head.fields));
}

void check(std::string_view text, bool to_head) {
  ResponseHead head;
  if (!parse_response_head(text, to_head, head)) return;
  LB_ASSERT(head.status >= 100 && head.status <= 999);
  const bool bodiless = to_head || head.status < 200 || head.status == 204 || head.status == 304;
  LB_ASSERT(!bodiless || head.framing.kind == Framing::Kind::none);
  for (const LineEnds ends : kLineEnds) {
    const auto lenient = read_leniently(text, ends);
    LB_ASSERT(lenient.has_value());
    LB_ASSERT(lenient->size == text.size());
    LB_ASSERT(same_names(head.fields, lenient->names));
    LB_ASSERT(bodiless || same_framing(head.framing, *lenient));
  }
  check_written(head, to_head);
}

}  // namespace

void run(std::string_view input) {
  HeadScanner scanner;
  if (scanner.scan(input) != HeadScanner::Result::complete || scanner.start() != 0) return;
  for (const bool to_head : {false, true}) check(input.substr(0, scanner.end()), to_head);
}

}  // namespace lb::fuzz
