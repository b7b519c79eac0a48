// Splicing: bytes go from one socket to another through a pipe (splice(2)) and never come up to us.
//
// It saves both copies of a long stream and costs more system calls than a short message is worth,
// so a direction is copied until it proves to be bulk. Between the two calls the bytes are in a
// pipe, which is lent by a worker's pool and held only while it has something in it: a stream that
// stands still because nothing comes holds none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "lbnet/stream.h"
#include "lbnet/task.h"

namespace lb::net {

// A read that brings so much is of a stream that may be bulk.
inline constexpr std::size_t kBulkRead = std::size_t{32} << 10U;

struct Pipe {
  int out = -1;  // Where bytes come out of it, and where they go in.
  int in = -1;
  std::size_t size = 0;  // Bytes in it.
};

// One worker's; not for several threads. Pipes are made when they are first wanted. The system
// bounds what all pipes of a user may hold, and gives very small ones beyond: `max` of these stay
// below that bound.
class PipePool {
 public:
  static constexpr std::size_t kMax = 128;

  explicit PipePool(std::size_t max = kMax) : max_(max) {}
  PipePool(const PipePool&) = delete;
  PipePool& operator=(const PipePool&) = delete;
  ~PipePool();  // REQUIRES: none is lent.

  // An empty pipe, or one without descriptors when there is none to be had.
  [[nodiscard]] Pipe take();
  // One that still has something in it is closed, as nobody else may get that.
  void give(const Pipe& pipe);

  [[nodiscard]] std::size_t open() const { return open_; }  // Lent or kept for the next.
  [[nodiscard]] std::size_t lent() const { return open_ - free_.size(); }

 private:
  std::vector<Pipe> free_;
  std::size_t max_;
  std::size_t open_ = 0;
  std::uint32_t refused_asks_ = 0;  // Left to refuse without asking the system: see take().
};

// Whether the bytes of these sockets are the bytes of their streams: not so where one is encrypted.
[[nodiscard]] bool can_splice(const Stream& from, const Stream& to);

// Told of what was moved; what it answers decides whether moving goes on.
class SpliceWatcher {
 public:
  virtual bool moved(std::size_t bytes) = 0;

 protected:
  ~SpliceWatcher() = default;
};

enum class Spliced : std::uint8_t {
  trickles,  // Bytes come in pieces that are cheaper to copy, or there is no pipe. Nothing is lost.
  ended,     // The end of the stream; all before it has been passed on.
  broken,    // Either side broke, was cancelled, or the watcher said no.
};

// Moves bytes until one of these. REQUIRES: can_splice(from, to); nothing is awaited on `from` for
// reading or on `to` for writing; SIGPIPE is ignored, as splice() knows no other way.
[[nodiscard]] Task<Spliced> splice_while_bulk(PipePool& pipes, Stream& from, Stream& to,
                                              SpliceWatcher& watcher);

}  // namespace lb::net
