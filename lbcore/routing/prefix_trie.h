// PrefixTrie: which of many keys a text starts with, at a cost that grows with the text and not
// with the number of keys. A radix tree (Morrison: "PATRICIA", JACM 1968) in flat arrays.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lb {

class PrefixTrie {
 public:
  struct Key {
    std::string text;
    std::uint32_t value = 0;
  };
  using Root = std::uint32_t;

  // A tree of its own over these keys, each of them given once. Many trees share the arrays.
  [[nodiscard]] Root add(std::vector<Key> keys);

  // Calls visit(value, length) for every key of the tree that the text starts with, the shortest
  // first. Text has size(), operator[] and has(position, piece). No allocation.
  template <class Text, class Visit>
  void for_each_prefix(Root root, const Text& text, Visit&& visit) const {
    std::size_t length = 0;
    for (const Node* node = &nodes_[root];;) {
      if (node->value != kNoValue) visit(node->value, length);
      if (length == text.size() || node->child_count == 0) return;
      node = child(*node, text[length]);
      if (node == nullptr) return;
      const std::string_view edge{bytes_.data() + node->edge, node->edge_size};
      if (!text.has(length, edge)) return;
      length += edge.size();
    }
  }

 private:
  static constexpr std::uint32_t kNoValue = 0xffffffffU;

  struct Node {
    std::uint32_t edge = 0;  // What leads here, in bytes_.
    std::uint32_t edge_size = 0;
    std::uint32_t first_child = 0;  // They are neighbours, ordered by their first byte.
    std::uint32_t child_count = 0;
    std::uint32_t value = kNoValue;
  };
  // Keys that go through one node, and how much of them leads to it.
  struct Range {
    Root node = 0;
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t depth = 0;
  };

  void add_children(const std::vector<Key>& keys, Range range, std::vector<Range>& pending);
  [[nodiscard]] const Node* child(const Node& node, char first) const {
    const std::string_view firsts{firsts_.data() + node.first_child, node.child_count};
    const std::size_t found = firsts.find(first);
    return found == std::string_view::npos ? nullptr : &nodes_[node.first_child + found];
  }

  std::vector<Node> nodes_;
  std::string firsts_;  // The first byte of each node's edge.
  std::string bytes_;
};

// A text as it stands.
class PlainText {
 public:
  explicit PlainText(std::string_view text) : text_(text) {}
  [[nodiscard]] std::size_t size() const { return text_.size(); }
  [[nodiscard]] char operator[](std::size_t i) const { return text_[i]; }
  [[nodiscard]] bool has(std::size_t at, std::string_view piece) const {
    return text_.substr(at).starts_with(piece);
  }

 private:
  std::string_view text_;
};

}  // namespace lb
