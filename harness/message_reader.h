// Cuts a byte stream into HTTP/1.1 messages and drops their bodies: all that a fake backend and a
// load client need of HTTP, without an allocation for each message. Beast does the parsing.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstring>
#include <optional>
#include <string>

namespace lb::harness {

namespace http = boost::beast::http;

// What is kept of a message's head.
struct Head {
  int status = 0;  // Of an answer.
  http::verb method = http::verb::unknown;
  std::string target;
  std::string backend;  // X-Backend
  bool expects_continue = false;
};

template <bool kIsRequest>
class HeadParser : public http::basic_parser<kIsRequest> {
 public:
  HeadParser() {
    this->eager(true);
    this->body_limit(boost::none);
  }
  [[nodiscard]] const Head& head() const { return head_; }

 private:
  using View = boost::beast::string_view;
  using Error = boost::beast::error_code;

  void on_request_impl(http::verb method, View, View target, int, Error&) override {
    head_.method = method;
    head_.target.assign(target.data(), target.size());
  }
  void on_response_impl(int status, View, int, Error&) override { head_.status = status; }
  void on_field_impl(http::field name, View name_text, View value, Error&) override {
    if (name == http::field::expect) head_.expects_continue = true;
    if (name == http::field::unknown && boost::beast::iequals(name_text, "X-Backend")) {
      head_.backend.assign(value.data(), value.size());
    }
  }
  void on_header_impl(Error&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Error&) override {}
  std::size_t on_body_impl(View body, Error&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, View, Error&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View body, Error&) override { return body.size(); }
  void on_finish_impl(Error&) override {}

  Head head_;
};

template <bool kIsRequest>
class MessageReader {
 public:
  enum class Progress { more, done, bad };

  MessageReader() { parser_.emplace(); }

  // Where the next bytes of the stream go; never empty.
  [[nodiscard]] boost::asio::mutable_buffer space() {
    return boost::asio::buffer(bytes_.data() + end_, bytes_.size() - end_);
  }
  // `count` bytes were put there. REQUIRES: the message before has been forgotten with next().
  Progress commit(std::size_t count) {
    end_ += count;
    return parse();
  }
  // The stream ended: the end of an answer without a length, a cut message otherwise.
  Progress commit_end() {
    boost::beast::error_code error;
    if (parser_->got_some()) parser_->put_eof(error);
    return !error && parser_->is_done() ? Progress::done : Progress::bad;
  }
  // Forgets the message and looks at the bytes that came after it.
  Progress next() {
    parser_.emplace();
    return parse();
  }

  // The answer that comes next is to a HEAD request: it has no body whatever its head says.
  // REQUIRES: no byte of it has been parsed.
  void expect_no_body() { parser_->skip(true); }

  [[nodiscard]] const Head& head() const { return parser_->head(); }
  [[nodiscard]] bool head_done() const { return parser_->is_header_done(); }
  [[nodiscard]] bool keep_alive() const { return parser_->keep_alive(); }
  [[nodiscard]] bool has_leftover() const { return begin_ != end_; }

 private:
  static constexpr std::size_t kCapacity = 16 * 1024;  // Heads up to 8 KiB, Beast's own limit.

  Progress parse() {
    boost::beast::error_code error;
    while (!parser_->is_done() && begin_ != end_) {
      const std::size_t used =
          parser_->put(boost::asio::const_buffer(bytes_.data() + begin_, end_ - begin_), error);
      begin_ += used;
      if (error == http::error::need_more) break;
      if (error) return Progress::bad;
    }
    if (begin_ == end_) begin_ = end_ = 0;
    if (parser_->is_done()) return Progress::done;
    if (begin_ > 0) {
      std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    return end_ == bytes_.size() ? Progress::bad : Progress::more;
  }

  std::array<char, kCapacity> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::optional<HeadParser<kIsRequest>> parser_;
};

using RequestReader = MessageReader<true>;
using AnswerReader = MessageReader<false>;

}  // namespace lb::harness
