// RingQueue: first in, first out, without allocating once it has grown to its peak.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace lb {

template <class T>
class RingQueue {
 public:
  void push(T value) {
    if (size_ == items_.size()) grow();
    items_[(first_ + size_) & (items_.size() - 1)] = std::move(value);
    ++size_;
  }

  [[nodiscard]] std::optional<T> pop() {
    if (size_ == 0) return std::nullopt;
    std::optional<T> value = std::move(items_[first_]);
    first_ = (first_ + 1) & (items_.size() - 1);
    --size_;
    return value;
  }

  // REQUIRES of the three below: !empty().
  [[nodiscard]] const T& front() const { return items_[first_]; }
  [[nodiscard]] const T& back() const { return items_[(first_ + size_ - 1) & (items_.size() - 1)]; }
  // Takes the first one out without looking at it.
  void drop() {
    first_ = (first_ + 1) & (items_.size() - 1);
    --size_;
  }

  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  void grow() {
    std::vector<T> grown(items_.empty() ? 8 : items_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i) {
      grown[i] = std::move(items_[(first_ + i) & (items_.size() - 1)]);
    }
    items_ = std::move(grown);
    first_ = 0;
  }

  std::vector<T> items_;  // Its size is a power of two, or zero.
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace lb
