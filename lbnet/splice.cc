#include "lbnet/splice.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "lbcore/assert.h"
#include "lbnet/buffer.h"

namespace lb::net {
namespace {

// What a pipe is made to hold. CPU per answer of 1 MiB over loopback, 50 connections: 177 us with
// the system's 64 KiB, 133 us with 256 KiB, 184 us with 1 MiB, which no cache holds. A pipe has a
// slot for each 4 KiB, and a piece of a packet fills one whatever its size: of packets that came
// over a network a pipe holds a third of this.
constexpr int kPipeSize = 256 << 10;

// What the system gives at the least while a user has few pipes (pipe(7)). Beyond its bound for all
// of them it gives 8 KiB, through which a stream would pass more slowly than it is copied.
constexpr int kPipeSizeMin = 64 << 10;

// Empty pipes that are kept for the next stream; each is two descriptors.
constexpr std::size_t kKept = 32;

// A piece smaller than this between two waits is a message, not a stream.
constexpr std::size_t kBulk = kBulkRead / 2;
// After the system had no pipe, so many asks are refused without asking it again.
constexpr std::uint32_t kRefusedAsks = 64;

// Once. EAGAIN when there is nothing to move or no room for it, kEndOfStream at the end of a
// stream.
IoError splice_once(int from, int to, std::size_t most, std::size_t& moved) {
  ssize_t got = 0;
  do {
    got = ::splice(from, nullptr, to, nullptr, most, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
  } while (got < 0 && errno == EINTR);
  moved = got > 0 ? static_cast<std::size_t>(got) : 0;
  if (got > 0) return 0;
  return got == 0 ? kEndOfStream : errno;
}

void close_pipe(const Pipe& pipe) {
  ::close(pipe.out);
  ::close(pipe.in);
}

// A pipe for as long as it is held.
class Lent {
 public:
  explicit Lent(PipePool& pool) : pool_(pool), pipe_(pool.take()) {}
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  ~Lent() { give_back(); }

  [[nodiscard]] bool there() const { return pipe_.out >= 0; }
  Pipe& operator*() { return pipe_; }
  void give_back() {
    if (there()) pool_.give(std::exchange(pipe_, {}));
  }

 private:
  PipePool& pool_;
  Pipe pipe_;
};

// All that is in the pipe. False when that did not work.
Task<bool> pour_out(Pipe& pipe, Stream& to, SpliceWatcher& watcher) {
  while (pipe.size > 0) {
    std::size_t moved = 0;
    IoError error = splice_once(pipe.out, to.fd(), pipe.size, moved);
    pipe.size -= moved;
    if (moved > 0 && !watcher.moved(moved)) co_return false;
    if (error == EAGAIN) error = co_await to.writable();
    if (error != 0) co_return false;
  }
  co_return true;
}

}  // namespace

PipePool::~PipePool() {
  LB_ASSERT(lent() == 0);
  for (const Pipe& pipe : free_) close_pipe(pipe);
}

Pipe PipePool::take() {
  if (!free_.empty()) {
    const Pipe pipe = free_.back();
    free_.pop_back();
    return pipe;
  }
  if (open_ >= max_) return {};
  if (refused_asks_ > 0) {
    --refused_asks_;
    return {};
  }
  int ends[2];
  if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) {
    refused_asks_ = kRefusedAsks;
    return {};
  }
  const Pipe pipe{.out = ends[0], .in = ends[1]};
  const bool large = ::fcntl(pipe.in, F_SETPIPE_SZ, kPipeSize) >= 0;
  if (!large && ::fcntl(pipe.in, F_GETPIPE_SZ) < kPipeSizeMin) {
    close_pipe(pipe);
    refused_asks_ = kRefusedAsks;
    return {};
  }
  ++open_;
  return pipe;
}

void PipePool::give(const Pipe& pipe) {
  if (pipe.size == 0 && free_.size() < kKept) return free_.push_back(pipe);
  close_pipe(pipe);
  --open_;
}

bool can_splice(const Stream& from, const Stream& to) {
  return from.tls() == nullptr && to.tls() == nullptr;
}

Task<Spliced> splice_while_bulk(PipePool& pipes, Stream& from, Stream& to, SpliceWatcher& watcher) {
  for (;;) {
    Lent pipe(pipes);
    if (!pipe.there()) co_return Spliced::trickles;
    std::size_t since_wait = 0;
    IoError error = 0;
    while (error == 0) {
      error = splice_once(from.fd(), (*pipe).in, kPipeSize, (*pipe).size);
      since_wait += (*pipe).size;
      const bool poured = error != 0 || co_await pour_out(*pipe, to, watcher);
      if (!poured) co_return Spliced::broken;
    }
    if (error == kEndOfStream) co_return Spliced::ended;
    if (error != EAGAIN) co_return Spliced::broken;
    if (since_wait < kBulk) co_return Spliced::trickles;
    pipe.give_back();
    error = co_await from.readable();
    if (error != 0) co_return Spliced::broken;
  }
}

}  // namespace lb::net
