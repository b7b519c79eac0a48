// Stream: a connected, non-blocking socket on a worker's Asio reactor.
//
// Asio's own operations cost a system call that is bound to fail for each wait: async_read_some
// tries to read first and gets EAGAIN, async_wait re-arms epoll. A proxy always waits before it
// reads, twice a request, so Stream puts operations of its own on Asio's reactor (docs/decisions,
// 0003): a read that came up short is remembered as "nothing more there", unless epoll has told of
// the peer's end or of urgent data, and the next read only queues. One read and one write may be
// under way at the same time, none of them allocates.
#pragma once

#include <sys/uio.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "lbnet/admission.h"
#include "lbnet/buffer.h"
#include "lbnet/io.h"
#include "lbnet/task.h"

namespace lb::net {

struct ProxiedWay;
class TlsConnection;
struct TlsFacts;

class Stream {
 public:
  // Takes over a socket. It is made non-blocking by whoever opened it.
  Stream(boost::asio::io_context& io, int fd);
  // Closes it. REQUIRES: no read or write is awaited; a read that only watches is dropped.
  ~Stream();
  // REQUIRES: nothing is under way on it.
  Stream(Stream&& other) noexcept;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // -- Reading. `co_await read_into(buffer)` resumes when bytes were added to the buffer (0) or
  //    with an error. Started by start_read_into(), the read goes on without anyone waiting: then
  //    the watcher is called when something comes, and a later read_into() takes the result or
  //    waits on. A connection in a pool is watched that way, and the watch becomes the read of the
  //    next answer at no cost.
  class ReadAwaiter;
  [[nodiscard]] ReadAwaiter read_into(Buffer& buffer);
  void start_read_into(Buffer& buffer);
  void on_unawaited_read(void (*watcher)(void*), void* subject) {
    watcher_ = watcher;
    watcher_subject_ = subject;
  }

  // Nothing has come since a read found that there was nothing more. What epoll has said in one go
  // with the event that is worked on counts as well, and costs a system call only then.
  [[nodiscard]] bool quiet() const;

  // -- Writing, all or nothing. try_write() says true when it is done: everything was written, or
  //    it failed (see write_error()). Otherwise `co_await finish_write()` waits until it is; the
  //    pieces' bytes must stay until then.
  class WriteAwaiter;
  enum class Next : std::uint8_t {
    anything,
    end,  // The end of the stream follows at once, by whatever way: it goes in the same packet.
  };
  [[nodiscard]] bool try_write(Pieces pieces, Next next = Next::anything);
  [[nodiscard]] WriteAwaiter finish_write();
  [[nodiscard]] IoError write_error() const { return write_error_; }

  // Waits until a connection under way is made: 0, or why not.
  [[nodiscard]] WriteAwaiter finish_connect();

  // -- For whoever moves bytes by fd() himself (splice.h): until there may be something to read, or
  //    room to write: 0, or ECANCELED.
  //    REQUIRES: the socket has just said EAGAIN, and nothing was awaited since.
  class ReadableAwaiter;
  [[nodiscard]] ReadableAwaiter readable();
  [[nodiscard]] WriteAwaiter writable();

  // The same without anyone waiting: the watcher is called. For a socket that listens.
  void watch_readable();
  // Another process or thread has this socket open, too: epoll would not forget it by itself.
  void share() { shared_ = true; }

  // -- TLS. From start_tls() on, all that is read and written goes through the session; before
  //    anything else does, handshake() has to have come to 0, in the time its caller gives it.
  void start_tls(std::unique_ptr<TlsConnection> tls);
  [[nodiscard]] Task<IoError> handshake();
  // Null without TLS.
  [[nodiscard]] const TlsConnection* tls() const;
  // What was agreed on; null without TLS. REQUIRES: the handshake is done.
  [[nodiscard]] const TlsFacts* tls_facts() const;

  // What is awaited resumes soon with ECANCELED. Nothing else happens to the connection.
  void cancel();

  void shut_down_write();       // No more bytes from us: the peer reads the end of the stream.
  void reset_when_destroyed();  // End with RST instead of FIN: what was sent may be cut short.

  // Holds the place of this connection from now on, until it is closed.
  void hold(Place place) { place_ = std::move(place); }

  // Whose connection a PROXY header said it is. Null: the socket's own addresses count.
  void set_proxied(const ProxiedWay& way);
  [[nodiscard]] const ProxiedWay* proxied() const { return proxied_.get(); }

  [[nodiscard]] int fd() const { return fd_; }

 private:
  struct ReadOp;
  struct WriteOp;
  struct State;  // Lives until the reactor has let go of it.
  class HandshakeAwaiter;

  int fd_;
  State* state_;
  void (*watcher_)(void*) = nullptr;
  void* watcher_subject_ = nullptr;
  IoError write_error_ = 0;
  bool resets_ = false;
  bool shared_ = false;
  Place place_;
  std::unique_ptr<const ProxiedWay> proxied_;  // Apart: few connections have one.

  friend class ReadAwaiter;
  friend class ReadableAwaiter;
  friend class WriteAwaiter;
};

// Resumes when a step of the handshake has come to something.
class Stream::HandshakeAwaiter {
 public:
  explicit HandshakeAwaiter(Stream& stream) : stream_(stream) {}
  [[nodiscard]] static bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<> waiter);
  [[nodiscard]] IoError await_resume();

 private:
  Stream& stream_;
};

class Stream::ReadAwaiter {
 public:
  ReadAwaiter(Stream& stream, Buffer& buffer) : stream_(stream), buffer_(buffer) {}
  [[nodiscard]] bool await_ready() const;
  void await_suspend(std::coroutine_handle<> waiter);
  [[nodiscard]] IoError await_resume();

 private:
  Stream& stream_;
  Buffer& buffer_;
};

class Stream::ReadableAwaiter {
 public:
  explicit ReadableAwaiter(Stream& stream) : stream_(stream) {}
  [[nodiscard]] static bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<> waiter);
  [[nodiscard]] IoError await_resume();

 private:
  Stream& stream_;
};

class Stream::WriteAwaiter {
 public:
  WriteAwaiter(Stream& stream, bool connecting) : stream_(stream), connecting_(connecting) {}
  [[nodiscard]] static bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<> waiter);
  [[nodiscard]] IoError await_resume();

 private:
  Stream& stream_;
  bool connecting_;
};

}  // namespace lb::net
