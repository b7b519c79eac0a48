#include "lbsim/scenario/override.h"

#include <algorithm>

namespace lb::scenario {

using config::Node;

bool set_at(Node& root, std::string_view path, const Node& value) {
  Node* node = &root;
  while (!path.empty()) {
    const std::size_t end = path.find_first_of(".[");
    const std::string_view key = path.substr(0, end);
    if (!key.empty()) {
      if (node->kind == Node::Kind::null) node->kind = Node::Kind::map;
      if (node->kind != Node::Kind::map) return false;
      auto entry = std::find_if(node->entries.begin(), node->entries.end(),
                                [&](const Node::Entry& e) { return e.key == key; });
      if (entry == node->entries.end()) {
        node->entries.push_back({std::string{key}, node->at, {}});
        entry = std::prev(node->entries.end());
        entry->value.at = node->at;
      }
      node = &entry->value;
    }
    if (end == std::string_view::npos) break;
    if (path[end] == '.') {
      path.remove_prefix(end + 1);
      continue;
    }
    const std::size_t close = path.find(']', end);
    if (close == std::string_view::npos || node->kind != Node::Kind::list) return false;
    const std::string index_text{path.substr(end + 1, close - end - 1)};
    const bool digits = !index_text.empty() && index_text.size() < 9 &&
                        index_text.find_first_not_of("0123456789") == std::string::npos;
    const std::size_t index = digits ? std::stoul(index_text) : node->items.size();
    if (index >= node->items.size()) return false;
    node = &node->items[index];
    path.remove_prefix(close + 1);
    if (path.starts_with('.')) path.remove_prefix(1);
  }
  const config::Position at = node->at;
  *node = value;
  node->at = at;
  return true;
}

}  // namespace lb::scenario
