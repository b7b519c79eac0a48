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
    if (size_ == capacity_) grow();
    items_[place(size_)] = std::move(value);
    ++size_;
  }

  // A place at the end, to be filled in: what is in it is of no meaning.
  [[nodiscard]] T& make() {
    if (size_ == capacity_) grow();
    return items_[place(size_++)];
  }

  [[nodiscard]] std::optional<T> pop() {
    if (size_ == 0) return std::nullopt;
    std::optional<T> value = std::move(items_[first_]);
    drop();
    return value;
  }

  // REQUIRES of the three below: !empty().
  [[nodiscard]] const T& front() const { return items_[first_]; }
  [[nodiscard]] const T& back() const { return items_[place(size_ - 1)]; }
  // Takes the first one out without looking at it.
  void drop() {
    first_ = place(1);
    --size_;
  }

  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  void grow() {
    std::vector<T> grown(items_.empty() ? 8 : items_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i) {
      grown[i] = std::move(items_[place(i)]);
    }
    items_ = std::move(grown);
    capacity_ = items_.size();
    first_ = 0;
  }
  // Of the one after so many others.
  [[nodiscard]] std::size_t place(std::size_t index) const {
    return (first_ + index) & (capacity_ - 1);
  }

  std::vector<T> items_;
  std::size_t capacity_ = 0;  // The size of items_: a power of two, or zero.
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace lb
