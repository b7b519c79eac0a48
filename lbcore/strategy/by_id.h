// ById: what a strategy has learnt of each backend, kept for as long as the backend stays eligible.
#pragma once

#include <utility>
#include <vector>

#include "lbcore/strategy/strategy.h"

namespace lb {

template <class T>
class ById {
 public:
  // Who stays keeps its value at its new position, who is new begins with T{}, who is gone is
  // forgotten. O(n).
  void rebuild(EligibleView eligible) {
    std::vector<BackendId> ids;
    std::vector<T> values(eligible.size());
    ids.reserve(eligible.size());
    std::size_t old = 0;
    for (std::size_t i = 0; i < eligible.size(); ++i) {  // Both lists are sorted by id.
      const BackendId id = eligible[i].id;
      while (old < ids_.size() && ids_[old] < id) ++old;
      if (old < ids_.size() && ids_[old] == id) values[i] = std::move(values_[old]);
      ids.push_back(id);
    }
    ids_ = std::move(ids);
    values_ = std::move(values);
  }

  [[nodiscard]] T& operator[](std::size_t index) { return values_[index]; }
  [[nodiscard]] const T& operator[](std::size_t index) const { return values_[index]; }
  [[nodiscard]] std::size_t size() const { return values_.size(); }

 private:
  std::vector<BackendId> ids_;
  std::vector<T> values_;
};

}  // namespace lb
