// A request head: scanned the same however it arrives; what is accepted has one reading, and what
// is written of it means the same and has one reading, too.
#include <algorithm>
#include <array>

#include "lbnet/http/head_parser.h"
#include "lbnet/http/head_writer.h"
#include "tests/fuzz/lenient.h"
#include "tests/fuzz/same_fields.h"
#include "tests/fuzz/target.h"

namespace lb::fuzz {
namespace {

using namespace lb::net;        // NOLINT: a short file about one part.
using namespace lb::net::http;  // NOLINT

struct Scan {
  HeadScanner::Result result = HeadScanner::Result::incomplete;
  std::size_t start = 0;
  std::size_t end = 0;
  bool operator==(const Scan&) const = default;
};

Scan scan(const std::vector<std::string_view>& pieces) {
  HeadScanner scanner;
  std::string_view so_far{pieces.front().data(), 0};
  for (const std::string_view piece : pieces) {
    so_far = {so_far.data(), so_far.size() + piece.size()};
    const HeadScanner::Result result = scanner.scan(so_far);
    if (result == HeadScanner::Result::complete) return {result, scanner.start(), scanner.end()};
    const bool refused =
        result == HeadScanner::Result::malformed || result == HeadScanner::Result::too_long;
    if (refused) return {result, 0, 0};
  }
  return {};
}

void check_reading(const RequestHead& head, std::string_view text) {
  for (const LineEnds ends : kLineEnds) {
    const auto lenient = read_leniently(text, ends);
    LB_ASSERT(lenient.has_value());
    LB_ASSERT(lenient->size == text.size());
    LB_ASSERT(same_names(head.fields, lenient->names));
    LB_ASSERT(same_framing(head.framing, *lenient));
    LB_ASSERT(lenient->hosts.size() == (head.host.empty() ? 0U : 1U));
  }
}

void check_written(RequestHead& head) {
  head.max_forwards.reset();  // One less would go on, or none at all: that is the session's to say.
  BufferPool pool;
  Buffer out(pool);
  if (!write_request_head(head, "192.0.2.7", out)) return;  // It may have been at the limit before.
  for (const LineEnds ends : kLineEnds) {
    const auto lenient = read_leniently(out.view(), ends);
    LB_ASSERT(lenient.has_value());
    LB_ASSERT(lenient->size == out.size());
    LB_ASSERT(lenient->hosts.size() == 1);
    LB_ASSERT(same_framing(head.framing, *lenient));
  }
  if (!may_be_read_again(head)) return;
  RequestHead again;
  LB_ASSERT(parse_request_head(out.view(), again) == 0);
  LB_ASSERT(again.method == head.method);
  LB_ASSERT(again.target == head.target);
  LB_ASSERT(again.host == head.host);
  LB_ASSERT(again.persistent());
  LB_ASSERT(again.framing.kind == head.framing.kind);
  LB_ASSERT(again.framing.length == head.framing.length);
  LB_ASSERT(end_to_end(again.fields) == end_to_end(head.fields));
}

}  // namespace

void run(std::string_view input) {
  if (input.empty()) return;
  const Scan whole = scan({input});
  for (const auto& pieces : cut(input)) LB_ASSERT(scan(pieces) == whole);
  if (whole.result != HeadScanner::Result::complete) return;
  const std::string_view text = input.substr(whole.start, whole.end - whole.start);
  RequestHead head;
  const int status = parse_request_head(text, head);
  constexpr std::array<int, 6> kRefusals{400, 405, 417, 431, 501, 505};
  if (status != 0) {
    LB_ASSERT(std::find(kRefusals.begin(), kRefusals.end(), status) != kRefusals.end());
    return;
  }
  check_reading(head, text);
  check_written(head);
}

}  // namespace lb::fuzz
