#include "lbcore/routing/prefix_trie.h"

#include <algorithm>

#include "lbcore/assert.h"

namespace lb {
namespace {

// How many bytes two texts share from `depth` on.
std::size_t shared(std::string_view a, std::string_view b, std::size_t depth) {
  const std::size_t size = std::min(a.size(), b.size());
  std::size_t end = depth;
  while (end < size && a[end] == b[end]) ++end;
  return end - depth;
}

}  // namespace

PrefixTrie::Root PrefixTrie::add(std::vector<Key> keys) {
  std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) { return a.text < b.text; });
  const auto same = [](const Key& a, const Key& b) { return a.text == b.text; };
  LB_ASSERT(std::adjacent_find(keys.begin(), keys.end(), same) == keys.end());
  const auto root = static_cast<Root>(nodes_.size());
  nodes_.emplace_back();
  firsts_ += '\0';
  std::vector<Range> pending{{root, 0, keys.size(), 0}};
  while (!pending.empty()) {
    const Range range = pending.back();
    pending.pop_back();
    add_children(keys, range, pending);
  }
  return root;
}

void PrefixTrie::add_children(const std::vector<Key>& keys, Range range,
                              std::vector<Range>& pending) {
  if (range.begin < range.end && keys[range.begin].text.size() == range.depth) {
    nodes_[range.node].value = keys[range.begin].value;
    ++range.begin;
  }
  nodes_[range.node].first_child = static_cast<std::uint32_t>(nodes_.size());
  for (std::size_t begin = range.begin; begin < range.end;) {
    const char first = keys[begin].text[range.depth];
    std::size_t end = begin + 1;
    while (end < range.end && keys[end].text[range.depth] == first) ++end;
    // Sorted: what the first and the last share all between them do.
    const std::size_t edge = shared(keys[begin].text, keys[end - 1].text, range.depth);
    Node node;
    node.edge = static_cast<std::uint32_t>(bytes_.size());
    node.edge_size = static_cast<std::uint32_t>(edge);
    bytes_.append(keys[begin].text, range.depth, edge);
    pending.push_back({static_cast<Root>(nodes_.size()), begin, end, range.depth + edge});
    nodes_.push_back(node);
    firsts_ += first;
    ++nodes_[range.node].child_count;
    begin = end;
  }
}

}  // namespace lb
