#include "lbnet/http/answer_reader.h"

namespace lb::net::http {
namespace {

// A backend that goes on and on without an answer keeps us busy.
constexpr int kInterimMax = 100;

}  // namespace

AnswerReader::Result AnswerReader::next_head(const Buffer& in, ResponseHead& head) {
  if (in.empty()) return Result::incomplete;
  const std::string_view bytes = in.view();
  switch (scanner_.scan(bytes)) {
    case HeadScanner::Result::malformed:
    case HeadScanner::Result::too_long: return Result::invalid;
    case HeadScanner::Result::incomplete: return look_at_first_line(bytes);
    case HeadScanner::Result::complete: break;
  }
  // Nothing may stand in front of an answer, not even an empty line.
  if (scanner_.start() != 0) return Result::invalid;
  if (!parse_response_head(bytes.substr(0, scanner_.end()), asked_.head, head))
    return Result::invalid;
  framing_ = head.framing;
  if (head.status == 101) {
    // Nobody switches who was not asked to, nor to anything else.
    const bool asked = !asked_.upgrade.empty() && equal_ignoring_case(head.upgrade, asked_.upgrade);
    framing_.kind = Framing::Kind::until_close;
    return asked ? Result::final : Result::invalid;
  }
  if (!head.interim()) return Result::final;
  return ++interims_ > kInterimMax ? Result::invalid : Result::interim;
}

AnswerReader::Result AnswerReader::look_at_first_line(std::string_view bytes) {
  if (scanner_.start() != 0) return Result::invalid;
  if (first_line_is_good_) return Result::incomplete;
  const std::string_view line = bytes.substr(0, scanner_.first_line_size());
  if (!may_be_status_line(line)) return Result::invalid;
  first_line_is_good_ = line.ends_with('\n');
  return Result::incomplete;
}

void AnswerReader::take_head(Buffer& in) {
  in.consume(scanner_.end());
  scanner_.reset();
  first_line_is_good_ = false;
  body_ = BodyDecoder(framing_);
  if (asked_.takes_trailers) body_.keep_trailers();
}

}  // namespace lb::net::http
