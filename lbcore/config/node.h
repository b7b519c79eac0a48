// Node: a parsed YAML or JSON document, every value with the place it stood at.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lb::config {

struct Position {
  int line = 1;  // Both from 1.
  int column = 1;
  bool operator==(const Position&) const = default;
};

struct Node {
  enum class Kind { null, scalar, list, map };
  struct Entry;

  Kind kind = Kind::null;
  Position at;
  std::string text;     // Of a scalar.
  bool quoted = false;  // It stood in quotes: a string whatever it looks like.
  std::vector<Node> items;
  std::vector<Entry> entries;  // In the order of the document; keys are unique.

  [[nodiscard]] const Node* find(std::string_view key) const;
};

struct Node::Entry {
  std::string key;
  Position at;  // Of the key.
  Node value;
};

// What is wrong, where, and (in the message) what would be right.
struct Problem {
  Position at;
  std::string path;  // Such as clusters[0].backends[2].weight; empty for the whole document.
  std::string message;
};

// "file:line:col: path: message", one line a problem, in the order of the document. A `kind` such
// as "warning: " stands before the path.
[[nodiscard]] std::string format_problems(std::string_view file_name, std::vector<Problem> problems,
                                          std::string_view kind = {});

// Parses `text` as JSON when `file_name` ends in .json and as YAML otherwise. What cannot be read
// (a syntax error, a key given twice) is added to `problems`.
[[nodiscard]] Node parse_document(std::string_view text, std::string_view file_name,
                                  std::vector<Problem>& problems);

}  // namespace lb::config
