// Http1Client: the client's side of a connection that speaks HTTP/1.1. Requests come in, answers go
// out, one after the other. What a request is about and who serves it is HttpSession's to say; how
// it is framed on the wire, and for how long a client may take, is said here only.
//
// One request: read_request(), serve_with(), take_request(), read_body() until body_complete(),
// then either begin_answer() and try_send() until its last bytes, or an answer of our own;
// end_request(). Reading the body and sending the answer may be under way at the same time.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "lbcore/ids.h"
#include "lbnet/buffer.h"
#include "lbnet/http/body_decoder.h"
#include "lbnet/http/head.h"
#include "lbnet/http/head_parser.h"
#include "lbnet/http/head_writer.h"
#include "lbnet/http/outgoing.h"
#include "lbnet/listener.h"
#include "lbnet/session.h"
#include "lbnet/stream.h"
#include "lbnet/task.h"

namespace lb::net {

class Worker;

class Http1Client {
 public:
  // Takes over a connection. Deadlines are those of `session`, which has to pass them on.
  Http1Client(Worker& worker, Stream stream, SessionId session);
  ~Http1Client();
  Http1Client(const Http1Client&) = delete;
  Http1Client& operator=(const Http1Client&) = delete;

  // The settings to go by from now on. They have to stay until others are given.
  void use(const ListenerSetup& setup) { setup_ = &setup; }

  // What there is of a request and its answer while it is served: an idle connection has none.
  struct Message {
    explicit Message(BufferPool& buffers) : head(buffers), trailers(buffers) {}

    // -- The request
    bool chunked_body = false;
    bool tunnel = false;
    http::BodyDecoder body;
    http::BodyDecoder::Decoded part;
    std::uint64_t bytes_in = 0;
    Duration waited_in{};  // For bytes of the body.
    // -- The answer
    Buffer head;  // Until it is out.
    Buffer trailers;
    http::Outgoing outgoing{false};
    std::uint64_t bytes_out = 0;
    Duration waited_out{};  // For the client to take them.
  };

  // -- A request
  enum class Read {
    request,  // Its head is in worker.request_head(), until something is awaited.
    refused,  // To be answered with refusal(); the connection ends after it.
    closed,   // There is none any more.
  };
  [[nodiscard]] Task<Read> read_request();
  [[nodiscard]] int refusal() const { return refusal_; }
  // All that follows about the request and its answer is kept there, until end_request().
  void serve_with(Message& message) { message_ = &message; }
  // The head will not be looked at any more; its bytes stay until something is awaited. 0, or the
  // status that refuses what came of the body with it.
  [[nodiscard]] int take_request(const http::RequestHead& head);
  // Whatever was not read of it is not there any more, or the connection ends with it. `at`: now,
  // or just before.
  void end_request(Instant at);

  [[nodiscard]] bool is_head() const { return is_head_; }
  // When its first byte came, and when its head was whole.
  [[nodiscard]] Instant began() const { return began_; }
  [[nodiscard]] Instant heard() const { return heard_; }

  // -- Its body
  // What came with the head. It stays until the first read_body().
  [[nodiscard]] std::string_view body_at_hand() const { return message_->part.data; }
  // Nothing of it is still to come.
  [[nodiscard]] bool body_complete() const { return message_->body.done(); }
  [[nodiscard]] bool body_is_chunked() const { return message_->chunked_body; }
  enum class BodyRead { part, gone, malformed, too_large, stopped };
  // The next part(), which stays until the call after. `gone`: it left, or is too slow; `stopped`:
  // by cancel().
  [[nodiscard]] Task<BodyRead> read_body();
  [[nodiscard]] std::string_view part() const { return message_->part.data; }
  [[nodiscard]] std::uint64_t bytes_in() const { return message_->bytes_in; }

  // -- Its answer
  // 0, or why it did not go out. Interim answers are nothing to a client of HTTP/1.0, and left out.
  [[nodiscard]] Task<IoError> send_interim(const http::ResponseHead& answer);
  [[nodiscard]] Task<IoError> send_continue();
  // The head of the answer, to go out with the first bytes of its body. False when it does not fit.
  struct AnswerOptions {
    http::AnswerChanges changes;
    std::string_view session_field;  // See http::ResponseOptions.
    bool trailers = false;           // Fields may follow the body, if the client's framing can.
  };
  [[nodiscard]] bool begin_answer(const http::ResponseHead& answer, const AnswerOptions& options);
  // After the answer was begun with a 101: from here on its body, and the request's, are whatever
  // comes until the end of either stream.
  void begin_tunnel();
  // Fields to go out behind the last bytes of the body. False when they do not fit.
  [[nodiscard]] bool set_trailers(const std::vector<http::Field>& trailers,
                                  const HeaderRules* rules);
  // Bytes of the body, maybe none. True when they are out or cannot go out: see write_error().
  // Otherwise finish_send() waits until then.
  [[nodiscard]] bool try_send(std::string_view data, bool last);
  [[nodiscard]] Task<IoError> finish_send();
  [[nodiscard]] IoError write_error() const { return stream_.write_error(); }
  // Answers of our own.
  [[nodiscard]] Task<void> answer(int status, Duration retry_after = {});
  [[nodiscard]] Task<void> answer(http::RouteAnswer answer, std::string_view body);
  [[nodiscard]] std::uint64_t bytes_out() const { return message_->bytes_out; }

  // -- The connection
  // Another request may follow this one.
  [[nodiscard]] bool goes_on() const { return keep_alive_; }
  void end_after_this() { keep_alive_ = false; }
  // The client got a part of an answer and must not take it for the whole.
  void cut();
  // After the last answer: lets the client read it in peace, then ends.
  [[nodiscard]] Task<void> linger();
  // Whatever is awaited ends soon.
  void cancel() { stream_.cancel(); }
  void deadline_passed();
  // It waits for a request of which nothing has come.
  [[nodiscard]] bool idle() const { return idle_; }
  [[nodiscard]] Stream& stream() { return stream_; }
  [[nodiscard]] const Stream& stream() const { return stream_; }

 private:
  Read refuse(int status);
  void begin_request();
  [[nodiscard]] int look_at_first_line();
  [[nodiscard]] Read take_head();
  [[nodiscard]] Stream::Next after(bool last) const;
  [[nodiscard]] Task<IoError> write(Pieces pieces, Stream::Next next);
  [[nodiscard]] Duration patience(std::uint64_t bytes, Duration waited) const;
  [[nodiscard]] Task<void> write_own(std::string_view head, std::string_view body);
  void release_part();
  void decide_own_close();
  void set_deadline(DeadlineKind kind, Instant at);

  Worker& worker_;
  const SessionId session_;
  const ListenerSetup* setup_ = nullptr;
  Stream stream_;
  Buffer in_;
  DeadlineId deadline_;
  bool late_ = false;  // Our deadline has passed.
  bool idle_ = false;
  Instant idle_since_;
  bool keep_alive_ = false;
  bool cut_ = false;
  bool answered_ = false;   // Something of ours is on its way to the client, or there.
  bool heard_out_ = false;  // Nothing of what it began to say is missing.
  http::HeadScanner scanner_;
  bool first_line_is_good_ = false;

  // -- The request
  Instant began_;  // When its first byte came.
  Instant heard_;  // When its head was whole.
  int refusal_ = 0;
  bool is_head_ = false;
  int minor_version_ = 1;
  Message* message_ = nullptr;
};

}  // namespace lb::net
