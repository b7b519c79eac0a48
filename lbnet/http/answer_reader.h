// AnswerReader: takes one answer off what a backend sends: its heads, then its body. It reads no
// socket: whoever has one asks again when more has come.
#pragma once

#include "lbnet/buffer.h"
#include "lbnet/http/body_decoder.h"
#include "lbnet/http/head.h"
#include "lbnet/http/head_parser.h"

namespace lb::net::http {

class AnswerReader {
 public:
  // What there is to know of the request. `upgrade`: the protocol it asks for, and may be answered
  // with; it has to stay.
  struct Asked {
    bool head = false;
    bool takes_trailers = false;
    std::string_view upgrade;
  };
  explicit AnswerReader(const Asked& asked) : asked_(asked) {}

  enum class Result {
    incomplete,  // Nothing to say before more has come.
    interim,     // A 1xx; another head follows.
    final,       // Also a 101, after which the body is whatever comes.
    invalid,     // Not an answer that may be passed on.
  };
  // Looks at what is in the buffer. An interim or final head is in `head` then, with views into the
  // buffer, until take_head().
  [[nodiscard]] Result next_head(const Buffer& in, ResponseHead& head);
  void take_head(Buffer& in);

  // -- After the final head was taken
  [[nodiscard]] BodyDecoder& body() { return body_; }

 private:
  // Of a head that is not whole yet: a backend that speaks something else may wait for us.
  [[nodiscard]] Result look_at_first_line(std::string_view bytes);

  Asked asked_;
  int interims_ = 0;
  HeadScanner scanner_;
  bool first_line_is_good_ = false;
  Framing framing_;
  BodyDecoder body_;
};

}  // namespace lb::net::http
