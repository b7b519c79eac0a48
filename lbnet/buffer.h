// Buffers of one fixed size, lent by a worker's pool. A connection holds one only while it has
// bytes in it: ten thousand idle connections hold none.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "lbcore/assert.h"

namespace lb::net {

// The 64 KiB that many servers write at a time, with a head in front: such an answer is one read
// and one write, which costs three fifths of what it does in pieces of 32 KiB.
inline constexpr std::size_t kBufferSize = std::size_t{80} << 10U;

// One worker's; not for several threads. Keeps what was given back, up to a bound.
class BufferPool {
 public:
  std::unique_ptr<char[]> take() {
    if (free_.empty()) return std::make_unique_for_overwrite<char[]>(kBufferSize);
    std::unique_ptr<char[]> memory = std::move(free_.back());
    free_.pop_back();
    return memory;
  }

  void give(std::unique_ptr<char[]> memory) {
    constexpr std::size_t kKeptMax = 128;  // 10 MiB: enough for a busy worker, not much for others.
    if (free_.size() < kKeptMax) free_.push_back(std::move(memory));
  }

 private:
  std::vector<std::unique_ptr<char[]>> free_;
};

// Bytes that came in and were not used yet: written at the end, taken from the front.
class Buffer {
 public:
  explicit Buffer(BufferPool& pool) : pool_(pool) {}
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() {
    if (memory_) pool_.give(std::move(memory_));
  }

  [[nodiscard]] std::string_view view() const { return {memory_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] std::span<char> bytes() { return {memory_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] std::size_t size() const { return end_ - begin_; }
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  [[nodiscard]] bool full() const { return size() == kBufferSize; }

  // Room to write to: all that is left, which may mean moving what is there to the front.
  // REQUIRES: !full(). Views taken before are void.
  [[nodiscard]] std::span<char> room() {
    if (!memory_) memory_ = pool_.take();
    if (end_ == kBufferSize && begin_ > 0) {
      std::memmove(memory_.get(), memory_.get() + begin_, size());
      end_ -= begin_;
      begin_ = 0;
    }
    return {memory_.get() + end_, kBufferSize - end_};
  }
  void commit(std::size_t bytes) { end_ += bytes; }

  // REQUIRES: text fits into room().
  void append(std::string_view text) {
    const std::span<char> space = room();
    LB_ASSERT(text.size() <= space.size());
    std::memcpy(space.data(), text.data(), text.size());
    commit(text.size());
  }

  // REQUIRES: bytes <= size(). The memory stays, so views into the rest stay valid.
  void consume(std::size_t bytes) {
    begin_ += bytes;
    LB_ASSERT(begin_ <= end_);
    if (begin_ == end_) begin_ = end_ = 0;
  }
  void clear() { begin_ = end_ = 0; }

  // Gives the memory back if nothing is in it.
  void rest() {
    if (empty() && memory_) pool_.give(std::move(memory_));
  }

 private:
  BufferPool& pool_;
  std::unique_ptr<char[]> memory_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace lb::net
