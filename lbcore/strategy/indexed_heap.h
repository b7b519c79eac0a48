// IndexedHeap: numbers below a count, each with a key or absent, the least key on top. A number's
// key can change where it stands, and the least of those that pass a test is found without a sort.
//
// A heap of four children a node, with the keys beside the numbers: one step down reads four
// neighbours in memory instead of following four numbers to their keys. Changes are O(log n).
// Nothing allocates but reset().
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lbcore/open_set.h"

namespace lb {

// A Key is small, copied freely and compared with <. Equal keys come out in no particular order.
template <class Key>
class IndexedHeap {
 public:
  struct Node {
    Key key{};
    std::uint32_t index = 0;
  };

  // Empty, for numbers below `count`.
  void reset(std::size_t count) {
    nodes_.clear();
    nodes_.reserve(count);
    places_.assign(count, kNowhere);
  }

  // Puts `index` in, or to where its new key belongs.
  void put(std::size_t index, const Key& key) {
    const Node node{key, static_cast<std::uint32_t>(index)};
    std::size_t place = places_[index];
    if (place == kNowhere) {
      nodes_.push_back(node);
      return rise(nodes_.size() - 1, node);
    }
    key < nodes_[place].key ? rise(place, node) : sink(place, node);
  }

  // Takes `index` out, if it is in.
  void erase(std::size_t index) {
    const std::size_t place = places_[index];
    if (place == kNowhere) return;
    places_[index] = kNowhere;
    const Node last = nodes_.back();
    const Key old = nodes_[place].key;
    nodes_.pop_back();
    if (place == nodes_.size()) return;
    last.key < old ? rise(place, last) : sink(place, last);
  }

  [[nodiscard]] bool contains(std::size_t index) const { return places_[index] != kNowhere; }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }

  // The least of all; null when there is none. Valid until the next change.
  [[nodiscard]] const Node* least() const { return nodes_.empty() ? nullptr : nodes_.data(); }

  // The least of those that are open; null when there is none. O(1) when the top is open. Looks
  // below closed nodes only, and of those below the ones that are less than the best so far.
  [[nodiscard]] const Node* least_open(const OpenSet& open) const {
    if (nodes_.empty() || open.contains(nodes_.front().index)) return least();
    const Node* best = nullptr;
    search(0, open, best);
    return best;
  }

 private:
  static constexpr std::uint32_t kNowhere = 0xffffffffU;
  static constexpr std::size_t kChildren = 4;

  void set(std::size_t place, const Node& node) {
    nodes_[place] = node;
    places_[node.index] = static_cast<std::uint32_t>(place);
  }

  void rise(std::size_t place, const Node& node) {
    while (place > 0) {
      const std::size_t parent = (place - 1) / kChildren;
      if (!(node.key < nodes_[parent].key)) break;
      set(place, nodes_[parent]);
      place = parent;
    }
    set(place, node);
  }

  void sink(std::size_t place, const Node& node) {
    for (;;) {
      const std::size_t child = least_child(place);
      if (child >= nodes_.size() || !(nodes_[child].key < node.key)) break;
      set(place, nodes_[child]);
      place = child;
    }
    set(place, node);
  }

  // The place of the least child; nodes_.size() or above when there is none. A full set of four is
  // compared in pairs, without branches: which of them is less is anybody's guess.
  [[nodiscard]] std::size_t least_child(std::size_t place) const {
    const std::size_t first = kChildren * place + 1;
    const auto lesser = [this](std::size_t a, std::size_t b) {
      return nodes_[b].key < nodes_[a].key ? b : a;
    };
    if (first + kChildren <= nodes_.size()) {
      return lesser(lesser(first, first + 1), lesser(first + 2, first + 3));
    }
    std::size_t least = first;
    for (std::size_t next = first + 1; next < nodes_.size(); ++next) least = lesser(least, next);
    return least;
  }

  // The call stack is as deep as the heap: 16 at four thousand million.
  void search(std::size_t place, const OpenSet& open, const Node*& best) const {
    const Node& node = nodes_[place];
    if (best != nullptr && !(node.key < best->key)) return;
    if (open.contains(node.index)) {
      best = &node;
      return;
    }
    const std::size_t first = kChildren * place + 1;
    for (std::size_t child = first; child < first + kChildren && child < nodes_.size(); ++child) {
      search(child, open, best);
    }
  }

  std::vector<Node> nodes_;
  std::vector<std::uint32_t> places_;  // Where each number stands.
};

}  // namespace lb
