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
  // To a request that was a HEAD, or not.
  explicit AnswerReader(bool to_head) : to_head_(to_head) {}

  enum class Result {
    incomplete,  // Nothing to say before more has come.
    interim,     // A 1xx; another head follows.
    final,
    invalid,  // Not an answer that may be passed on.
  };
  // Looks at what is in the buffer. An interim or final head is in `head` then, with views into the
  // buffer, until take_head().
  [[nodiscard]] Result next_head(const Buffer& in, ResponseHead& head);
  void take_head(Buffer& in);

  // -- After the final head was taken
  [[nodiscard]] BodyDecoder& body() { return body_; }

 private:
  bool to_head_;
  int interims_ = 0;
  HeadScanner scanner_;
  Framing framing_;
  BodyDecoder body_;
};

}  // namespace lb::net::http
