#include "lbnet/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/detail/epoll_reactor.hpp>
#include <boost/asio/detail/reactor_op.hpp>
#include <boost/version.hpp>
#include <cerrno>
#include <cstring>

#include "lbnet/proxy_header.h"
#include "lbnet/tls/tls_connection.h"

// The reactor's operations are Asio's inside, not its interface. This file is the only one that
// knows them; it was written against the release that Debian 12 has, and a newer one needs a look.
static_assert(BOOST_VERSION / 100 == 1081, "check stream.cc against this release of Asio");

namespace lb::net {
namespace {

namespace detail = boost::asio::detail;
using Reactor = detail::epoll_reactor;

// Some of Asio's members that are not public. The arguments of an explicit instantiation may name
// such members, and a friend may hand them on.
template <auto Member, class Name>
struct Reveal {
  friend constexpr auto revealed(Name) { return Member; }
};
#define LB_REVEAL(name, member)           \
  struct name {                           \
    friend constexpr auto revealed(name); \
  };                                      \
  template struct Reveal<&member, name>
LB_REVEAL(Epoll, Reactor::epoll_fd_);
LB_REVEAL(MakeWatched, Reactor::allocate_descriptor_state);
// Of one descriptor that is watched.
LB_REVEAL(Watcher, Reactor::descriptor_state::reactor_);
LB_REVEAL(Watched, Reactor::descriptor_state::descriptor_);
LB_REVEAL(WatchedEvents, Reactor::descriptor_state::registered_events_);
LB_REVEAL(MayTry, Reactor::descriptor_state::try_speculative_);
LB_REVEAL(Ended, Reactor::descriptor_state::shutdown_);
LB_REVEAL(LastEvents, detail::operation::task_result_);  // What epoll said of it last.
#undef LB_REVEAL

// As Reactor::register_descriptor(), with two differences that save each connection system calls:
// it asks for the peer's end as well, which would take asking again later; and nothing is tried
// before epoll has said that it may succeed.
Reactor::per_descriptor_data watch(Reactor& reactor, int fd) {
  const Reactor::per_descriptor_data data = (reactor.*revealed(MakeWatched{}))();
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP | EPOLLPRI | EPOLLET;
  event.data.ptr = data;
  data->*revealed(Watcher{}) = &reactor;
  data->*revealed(Watched{}) = fd;
  data->*revealed(Ended{}) = false;
  for (bool& may_try : data->*revealed(MayTry{})) may_try = false;
  const bool watched = ::epoll_ctl(reactor.*revealed(Epoll{}), EPOLL_CTL_ADD, fd, &event) == 0;
  data->*revealed(WatchedEvents{}) = watched ? event.events : 0;  // Without any, all is refused.
  return data;
}

Reactor& reactor_of(boost::asio::io_context& io) {
  Reactor& reactor = boost::asio::use_service<Reactor>(io);
  reactor.init_task();
  return reactor;
}

// The kernel has less to look at in the plain form: to copy a few pieces together is cheaper than
// to have it follow them.
ssize_t send_vectors(int fd, std::span<const iovec> vectors, std::size_t bytes, int flags) {
  constexpr std::size_t kCopiedMax = 2048;
  if (vectors.size() == 1) return ::send(fd, vectors.front().iov_base, bytes, flags);
  if (bytes <= kCopiedMax) {
    std::array<char, kCopiedMax> together;
    char* end = together.data();
    for (const iovec& each : vectors) {
      std::memcpy(end, each.iov_base, each.iov_len);
      end += each.iov_len;
    }
    return ::send(fd, together.data(), bytes, flags);
  }
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(vectors.data());
  message.msg_iovlen = vectors.size();
  return ::sendmsg(fd, &message, flags);
}

// Sends as much of the pieces as the socket takes. Moves `first` and `offset` on.
IoError send_pieces(int fd, Pieces pieces, Stream::Next next, std::size_t& first,
                    std::size_t& offset) {
  // The kernel holds a packet that is not full back until the end of the stream comes.
  const int flags = MSG_NOSIGNAL | (next == Stream::Next::end ? MSG_MORE : 0);
  while (first < pieces.size()) {
    std::array<iovec, kPiecesMax> vectors{};
    std::size_t count = 0;
    std::size_t wanted = 0;
    for (std::size_t i = first; i < pieces.size() && count < kPiecesMax; ++i) {
      const std::string_view piece = i == first ? pieces[i].substr(offset) : pieces[i];
      if (piece.empty()) continue;
      vectors[count++] = {const_cast<char*>(piece.data()), piece.size()};
      wanted += piece.size();
    }
    if (count == 0) break;
    const ssize_t sent = send_vectors(fd, {vectors.data(), count}, wanted, flags);
    if (sent < 0) {
      if (errno == EINTR) continue;
      return errno == EWOULDBLOCK ? EAGAIN : errno;
    }
    auto left = static_cast<std::size_t>(sent);
    const bool all = left == wanted;
    while (left > 0) {
      const std::size_t of_first = pieces[first].size() - offset;
      if (left < of_first) {
        offset += left;
        break;
      }
      left -= of_first;
      offset = 0;
      ++first;
    }
    if (!all) return EAGAIN;  // A short write means the socket is full: no need to ask again.
    break;
  }
  return 0;
}

}  // namespace

struct Stream::ReadOp final : detail::reactor_op {
  explicit ReadOp(Stream::State& stream_state)
      : reactor_op({}, &ReadOp::do_perform, &ReadOp::do_complete), state(stream_state) {}
  static status do_perform(reactor_op* base);
  static void do_complete(void* owner, detail::operation* base, const boost::system::error_code&,
                          std::size_t);

  static status perform_tls(ReadOp& op);

  Stream::State& state;
  Buffer* buffer = nullptr;  // Null for a step of a handshake, and for a mere wait.
  bool queued = false;       // A wait has begun: what the reactor says from now on is news.
  std::coroutine_handle<> waiter;
  bool pending = false;    // The reactor has it.
  bool completed = false;  // It has a result nobody took yet.
  IoError result = 0;
};

// What a write that did not go through at once has left to do. Few connections have that at a time:
// it is not a part of all of them, and what one has used is the next one's.
struct Unsent {
  static void* operator new(std::size_t size) { return FrameMemory::take(size); }
  static void operator delete(void* memory, std::size_t size) { FrameMemory::give(memory, size); }

  [[nodiscard]] Pieces view() const { return {pieces.data(), piece_count}; }

  std::array<std::string_view, kPiecesMax> pieces{};
  std::size_t piece_count = 0;
  std::size_t first = 0;  // The piece to send next, and how much of it has been sent.
  std::size_t offset = 0;
  Stream::Next next = Stream::Next::anything;
};

struct Stream::WriteOp final : detail::reactor_op {
  explicit WriteOp(Stream::State& stream_state)
      : reactor_op({}, &WriteOp::do_perform, &WriteOp::do_complete), state(stream_state) {}
  static status do_perform(reactor_op* base);
  static void do_complete(void* owner, detail::operation* base, const boost::system::error_code&,
                          std::size_t);

  Stream::State& state;
  std::coroutine_handle<> waiter;
  bool pending = false;
  bool connecting = false;
  bool shutting_down = false;      // Nobody waits for it; then nothing more is sent.
  std::unique_ptr<Unsent> unsent;  // Null when no bytes are left to send.
  IoError result = 0;
};

struct Stream::State {
  static void* operator new(std::size_t size) { return FrameMemory::take(size); }
  static void operator delete(void* memory, std::size_t size) { FrameMemory::give(memory, size); }

  State(boost::asio::io_context& io, int socket)
      : reactor(reactor_of(io)),
        fd(socket),
        descriptor(watch(reactor, socket)),
        read(*this),
        write(*this) {}

  void release_if_idle() {
    if (stream == nullptr && !read.pending && !write.pending) delete this;
  }

  // A short read is not the last one, and epoll has said why. It says so once, maybe together with
  // the last bytes: the peer has finished sending, or the connection is broken; or there are urgent
  // data, in front of which a read stops short.
  [[nodiscard]] bool more_is_known() const {
    return (last_events() & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI)) != 0;
  }

  // What epoll said last. A private base of the descriptor has it.
  [[nodiscard]] unsigned& last_events() const {
    return (*(detail::operation*)descriptor).*revealed(LastEvents{});
  }

  // The socket was read empty: what epoll said of bytes has been looked at.
  void note_drained() { last_events() &= ~static_cast<unsigned>(EPOLLIN); }

  // Hands an operation to the reactor.
  void start(int kind, detail::reactor_op& op, bool may_try) {
    reactor.start_op(kind, fd, descriptor, &op, true, may_try);
  }

  Reactor& reactor;
  int fd;
  Stream* stream = nullptr;  // Null once the Stream is gone and only the reactor holds on.
  Reactor::per_descriptor_data descriptor;
  std::unique_ptr<TlsConnection> tls;
  ReadOp read;
  WriteOp write;
};

detail::reactor_op::status Stream::ReadOp::do_perform(reactor_op* base) {
  auto& op = static_cast<ReadOp&>(*base);
  if (op.state.stream == nullptr) return done;
  if (op.state.tls) return perform_tls(op);
  if (op.buffer == nullptr) return op.queued ? done : not_done;
  const std::span<char> room = op.buffer->room();
  ssize_t got = 0;
  do {
    got = ::recv(op.state.fd, room.data(), room.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    op.state.note_drained();
    op.buffer->rest();
    return not_done;
  }
  if (got > 0) {
    op.buffer->commit(static_cast<std::size_t>(got));
    op.result = 0;
    // A short read emptied the socket: the next read need not try before it waits.
    const bool drained = static_cast<std::size_t>(got) < room.size() && !op.state.more_is_known();
    if (drained) op.state.note_drained();
    return drained ? done_and_exhausted : done;
  }
  op.result = got == 0 ? kEndOfStream : errno;
  op.buffer->rest();
  return done_and_exhausted;
}

// What TLS holds back of what came is for the next read to take: see read_into().
detail::reactor_op::status Stream::ReadOp::perform_tls(ReadOp& op) {
  TlsConnection& tls = *op.state.tls;
  const bool more_is_known = op.state.more_is_known();
  if (op.buffer == nullptr) {
    op.result = tls.handshake(more_is_known);
    if (op.result == EAGAIN && !tls.unsent()) return not_done;
  } else {
    op.result = tls.read(*op.buffer, more_is_known);
    if (op.result != 0) op.buffer->rest();
    if (op.result == EAGAIN) return not_done;
  }
  if (!tls.drained()) return done;
  op.state.note_drained();
  return done_and_exhausted;
}

void Stream::ReadOp::do_complete(void* owner, detail::operation* base,
                                 const boost::system::error_code&, std::size_t) {
  auto& op = static_cast<ReadOp&>(*base);
  op.pending = false;
  if (op.state.stream == nullptr) return op.state.release_if_idle();
  if (owner == nullptr) return;  // The io_context is being destroyed.
  if (op.ec_) op.result = ECANCELED;
  op.completed = true;
  if (op.waiter) return std::exchange(op.waiter, {}).resume();
  const Stream& stream = *op.state.stream;
  if (stream.watcher_ != nullptr) stream.watcher_(stream.watcher_subject_);
}

detail::reactor_op::status Stream::WriteOp::do_perform(reactor_op* base) {
  auto& op = static_cast<WriteOp&>(*base);
  if (op.state.stream == nullptr) return done;
  if (op.connecting) {
    socklen_t size = sizeof(op.result);
    ::getsockopt(op.state.fd, SOL_SOCKET, SO_ERROR, &op.result, &size);
    return done;
  }
  Unsent nothing;
  Unsent& unsent = op.unsent ? *op.unsent : nothing;
  op.result = op.state.tls ? op.state.tls->write(unsent.view(), unsent.first, unsent.offset)
                           : send_pieces(op.state.fd, unsent.view(), unsent.next, unsent.first,
                                         unsent.offset);
  return op.result == EAGAIN ? not_done : done;
}

void Stream::WriteOp::do_complete(void* owner, detail::operation* base,
                                  const boost::system::error_code&, std::size_t) {
  auto& op = static_cast<WriteOp&>(*base);
  op.pending = false;
  if (op.state.stream == nullptr) return op.state.release_if_idle();
  if (owner == nullptr) return;
  if (op.ec_) op.result = ECANCELED;
  op.unsent.reset();
  if (std::exchange(op.shutting_down, false)) ::shutdown(op.state.fd, SHUT_WR);
  if (op.waiter) std::exchange(op.waiter, {}).resume();
}

Stream::Stream(boost::asio::io_context& io, int fd) : fd_(fd), state_(new State(io, fd)) {
  state_->stream = this;
}

Stream::Stream(Stream&& other) noexcept
    : fd_(other.fd_),
      state_(std::exchange(other.state_, nullptr)),
      place_(std::move(other.place_)),
      proxied_(std::move(other.proxied_)) {
  LB_ASSERT(!state_->read.pending && !state_->write.pending);
  state_->stream = this;
}

Stream::~Stream() {
  if (state_ == nullptr) return;
  if (state_->tls && !resets_) state_->tls->end();
  state_->tls.reset();
  LB_ASSERT(!state_->read.waiter && !state_->write.waiter);
  state_->reactor.deregister_descriptor(fd_, state_->descriptor, !shared_);
  ::close(fd_);
  state_->reactor.cleanup_descriptor_data(state_->descriptor);
  state_->stream = nullptr;
  state_->release_if_idle();
}

void Stream::start_read_into(Buffer& buffer) {
  ReadOp& op = state_->read;
  if (op.pending || op.completed) return;  // With what TLS had, it may be full already.
  LB_ASSERT(!buffer.full());
  op.buffer = &buffer;
  op.ec_ = {};
  op.pending = true;
  if (state_->tls && state_->tls->has_received()) {
    op.result = state_->tls->read_received(buffer);
    if (op.result != EAGAIN) return state_->reactor.post_immediate_completion(&op, false);
  }
  state_->start(Reactor::read_op, op, true);
}

Stream::ReadAwaiter Stream::read_into(Buffer& buffer) {
  ReadOp& op = state_->read;
  // Bytes that TLS has already do not announce themselves.
  if (state_->tls && !op.pending && !op.completed && state_->tls->has_received()) {
    op.buffer = &buffer;
    op.result = state_->tls->read_received(buffer);
    op.completed = op.result != EAGAIN;
  }
  start_read_into(buffer);
  return {*this, buffer};
}

bool Stream::quiet() const {
  if (state_->read.completed) return false;
  if ((state_->last_events() & ~static_cast<unsigned>(EPOLLOUT)) == 0) return true;
  char next = 0;
  const ssize_t got = ::recv(fd_, &next, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

bool Stream::ReadAwaiter::await_ready() const { return stream_.state_->read.completed; }

void Stream::ReadAwaiter::await_suspend(std::coroutine_handle<> waiter) {
  stream_.state_->read.waiter = waiter;
}

IoError Stream::ReadAwaiter::await_resume() {
  ReadOp& op = stream_.state_->read;
  op.completed = false;
  LB_ASSERT(op.buffer == &buffer_);
  return op.result;
}

Stream::ReadableAwaiter Stream::readable() { return ReadableAwaiter{*this}; }

void Stream::ReadableAwaiter::await_suspend(std::coroutine_handle<> waiter) {
  stream_.state_->read.waiter = waiter;
  stream_.watch_readable();
}

// "Speculative", though there is nothing to try: the reactor would make another system call to arm
// what is armed already. What it asks us at once is answered with no.
void Stream::watch_readable() {
  ReadOp& op = state_->read;
  LB_ASSERT(!op.pending);
  op.buffer = nullptr;
  op.result = 0;
  op.ec_ = {};
  op.pending = true;
  op.completed = op.queued = false;
  state_->start(Reactor::read_op, op, true);
  op.queued = true;
}

IoError Stream::ReadableAwaiter::await_resume() {
  ReadOp& op = stream_.state_->read;
  op.completed = false;
  return op.result;
}

bool Stream::try_write(Pieces pieces, Next next) {
  LB_ASSERT(pieces.size() <= kPiecesMax && !state_->write.pending);
  std::size_t first = 0;
  std::size_t offset = 0;
  write_error_ = state_->tls ? state_->tls->write(pieces, first, offset)
                             : send_pieces(fd_, pieces, next, first, offset);
  if (write_error_ != EAGAIN) return true;
  auto unsent = std::make_unique<Unsent>();
  std::copy(pieces.begin(), pieces.end(), unsent->pieces.begin());
  unsent->piece_count = pieces.size();
  unsent->first = first;
  unsent->offset = offset;
  unsent->next = next;
  state_->write.unsent = std::move(unsent);
  return false;
}

Stream::WriteAwaiter Stream::finish_write() { return {*this, false}; }

// With nothing left to send, a write is done as soon as there is room.
Stream::WriteAwaiter Stream::writable() { return {*this, false}; }

Stream::WriteAwaiter Stream::finish_connect() { return {*this, true}; }

void Stream::WriteAwaiter::await_suspend(std::coroutine_handle<> waiter) {
  WriteOp& op = stream_.state_->write;
  op.waiter = waiter;
  op.connecting = connecting_;
  op.ec_ = {};
  op.pending = true;
  // Not speculative: we know the socket is not ready, and epoll is armed for writing.
  stream_.state_->start(Reactor::write_op, op, false);
}

IoError Stream::WriteAwaiter::await_resume() {
  stream_.write_error_ = stream_.state_->write.result;
  return stream_.write_error_;
}

void Stream::set_proxied(const ProxiedWay& way) {
  proxied_ = std::make_unique<const ProxiedWay>(way);
}

void Stream::cancel() { state_->reactor.cancel_ops(fd_, state_->descriptor); }

void Stream::shut_down_write() {
  if (state_->tls) state_->tls->end();
  if (!state_->tls || !state_->tls->unsent() || state_->write.pending) {
    ::shutdown(fd_, SHUT_WR);
    return;
  }
  // The end goes the way of all bytes, in its turn.
  WriteOp& op = state_->write;
  op.unsent.reset();
  op.shutting_down = true;
  finish_write().await_suspend({});
}

// ---------------------------------------------------------------------------------------------
// TLS

void Stream::start_tls(std::unique_ptr<TlsConnection> tls) {
  tls->attach(fd_);
  state_->tls = std::move(tls);
}

const TlsConnection* Stream::tls() const { return state_->tls.get(); }

const TlsFacts* Stream::tls_facts() const { return state_->tls ? &state_->tls->facts() : nullptr; }

Task<IoError> Stream::handshake() {
  TlsConnection& tls = *state_->tls;
  IoError error = tls.begin();
  if (error == 0) error = EAGAIN;
  while (error == EAGAIN) {
    if (tls.unsent()) {
      error = co_await finish_write();
      if (error == 0 && !tls.established()) error = EAGAIN;
    } else {
      error = co_await HandshakeAwaiter(*this);
    }
  }
  co_return error;
}

void Stream::HandshakeAwaiter::await_suspend(std::coroutine_handle<> waiter) {
  ReadOp& op = stream_.state_->read;
  op.buffer = nullptr;
  op.waiter = waiter;
  op.ec_ = {};
  op.pending = true;
  stream_.state_->start(Reactor::read_op, op, true);
}

IoError Stream::HandshakeAwaiter::await_resume() {
  stream_.state_->read.completed = false;
  return stream_.state_->read.result;
}

void Stream::reset_when_destroyed() {
  resets_ = true;
  const linger abort{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
}

}  // namespace lb::net
