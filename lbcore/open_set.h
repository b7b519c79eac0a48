// OpenSet: which positions of the eligible set may take one more request right now.
//
// Being eligible changes rarely and rebuilds what strategies know; being open (below its limit,
// breaker not open, not tried by this request before) changes with every request. So it is a bit
// that a strategy can ask for, and costs nothing to flip.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "lbcore/assert.h"

namespace lb {

class OpenSet {
 public:
  // `size` positions, all open.
  void reset(std::size_t size) {
    words_.assign((size + 63) / 64, ~std::uint64_t{0});
    if (size % 64 != 0) words_.back() = (std::uint64_t{1} << (size % 64)) - 1;
    size_ = count_ = size;
  }

  void open(std::size_t index) {
    if (contains(index)) return;
    words_[index / 64] |= bit(index);
    ++count_;
  }
  void close(std::size_t index) {
    if (!contains(index)) return;
    words_[index / 64] &= ~bit(index);
    --count_;
  }

  [[nodiscard]] bool contains(std::size_t index) const {
    return (words_[index / 64] & bit(index)) != 0;
  }
  [[nodiscard]] bool all() const { return count_ == size_; }
  [[nodiscard]] bool none() const { return count_ == 0; }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::size_t size() const { return size_; }

  // The first open position at or after `index`, going round. O(size / 64). REQUIRES: !none().
  [[nodiscard]] std::size_t next(std::size_t index) const {
    LB_ASSERT(count_ > 0);
    std::size_t word = index / 64;
    std::uint64_t bits = words_[word] & (~std::uint64_t{0} << (index % 64));
    while (bits == 0) {
      word = word + 1 == words_.size() ? 0 : word + 1;
      bits = words_[word];
    }
    return word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
  }

 private:
  static std::uint64_t bit(std::size_t index) { return std::uint64_t{1} << (index % 64); }

  std::vector<std::uint64_t> words_;
  std::size_t size_ = 0;
  std::size_t count_ = 0;
};

}  // namespace lb
