#include "lbcore/config/node.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace lb::config {
namespace {

// No configuration is nested nearly as deep; without a limit a hostile text, or YAML that refers to
// itself, would overflow the stack.
constexpr std::size_t kDepthMax = 64;
constexpr const char* kTooDeep = "nested deeper than 64 levels";

std::string path_below(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + '.' + key;
}

Position behind(Position at, char c) {
  return c == '\n' ? Position{at.line + 1, 1} : Position{at.line, at.column + 1};
}

// Of the byte number `offset`, from 0.
Position place_of(std::string_view text, std::size_t offset) {
  Position at;
  for (const char c : text.substr(0, offset)) at = behind(at, c);
  return at;
}

// The bytes that a character of UTF-8 at the front of the text has (RFC 3629, section 4); 0 when
// there is none.
std::size_t utf8_character(std::string_view text) {
  const auto byte = [&](std::size_t n) -> unsigned {
    return n < text.size() ? static_cast<unsigned char>(text[n]) : 0;
  };
  const auto follows = [&](std::size_t n) { return (byte(n) & 0xc0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const std::size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  for (std::size_t n = 1; n < size; ++n) {
    if (!follows(n)) return 0;
  }
  // Longer than needed, a half of a pair of UTF-16, or behind the last one.
  const bool wrong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) ||
                     (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f);
  return wrong ? 0 : size;
}

// How much of the text is UTF-8. JSON is that or no JSON; what is not could not be written again.
std::size_t valid_utf8(std::string_view text) {
  std::size_t good = 0;
  while (good < text.size()) {
    const std::size_t size = utf8_character(text.substr(good));
    if (size == 0) break;
    good += size;
  }
  return good;
}

void add_entry(Node& map, Node::Entry entry, std::string path, std::vector<Problem>& problems) {
  if (map.find(entry.key) != nullptr) {
    problems.push_back(
        {entry.at, std::move(path), "this key is given twice; remove one of the two"});
    return;
  }
  map.entries.push_back(std::move(entry));
}

// -- YAML: yaml-cpp parses and knows where each node stood.

Position position_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1};
}

// Of "\N" and "\_" yaml-cpp makes a byte of Latin-1 each, and of all others UTF-8.
std::string text_of(const YAML::Node& scalar) {
  std::string text;
  std::string_view rest = scalar.Scalar();
  for (std::size_t good = valid_utf8(rest); good < rest.size(); good = valid_utf8(rest)) {
    text.append(rest.substr(0, good)).append({'\xc2', rest[good]});
    rest.remove_prefix(good + 1);
  }
  return text.append(rest);
}

Node from_yaml(const YAML::Node& yaml, const std::string& path, std::size_t depth,
               std::vector<Problem>& problems) {
  Node node;
  node.at = position_of(yaml.Mark());
  if (depth > kDepthMax) {
    problems.push_back({node.at, path, kTooDeep});
    return node;
  }
  switch (yaml.Type()) {
    case YAML::NodeType::Undefined:
    case YAML::NodeType::Null: break;
    case YAML::NodeType::Scalar:
      node.kind = Node::Kind::scalar;
      node.text = text_of(yaml);
      node.quoted = yaml.Tag() == "!";  // yaml-cpp's mark of a quoted scalar.
      break;
    case YAML::NodeType::Sequence:
      node.kind = Node::Kind::list;
      for (const YAML::Node& item : yaml) {
        const std::string item_path = path + '[' + std::to_string(node.items.size()) + ']';
        node.items.push_back(from_yaml(item, item_path, depth + 1, problems));
      }
      break;
    case YAML::NodeType::Map:
      node.kind = Node::Kind::map;
      for (const auto& entry : yaml) {
        const Position at = position_of(entry.first.Mark());
        if (!entry.first.IsScalar()) {
          problems.push_back({at, path, "a key has to be a plain word"});
          continue;
        }
        const std::string key = text_of(entry.first);
        const std::string below = path_below(path, key);
        Node value = from_yaml(entry.second, below, depth + 1, problems);
        // Of nothing, yaml-cpp tells the place of what comes next.
        if (value.kind == Node::Kind::null) value.at = at;
        add_entry(node, {key, at, std::move(value)}, below, problems);
      }
      break;
  }
  return node;
}

// yaml-cpp's words for a tab do not mention it.
bool indented_by_tab(std::string_view text, int line) {
  for (int n = 1; n < line && !text.empty(); ++n) {
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  }
  const std::string_view indent = text.substr(0, text.find_first_not_of(" \t"));
  return indent.find('\t') != std::string_view::npos;
}

// YAML 1.2, section 5.1: there are none but tabs and the ends of lines. To yaml-cpp a NUL is what a
// backslash is in quotes.
bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0x7f || (byte < 0x20 && c != '\t' && c != '\n' && c != '\r');
}

Node parse_yaml(std::string_view text, std::vector<Problem>& problems) {
  if (const std::size_t good = valid_utf8(text); good < text.size()) {
    problems.push_back({place_of(text, good), "", "not UTF-8; save the file in that encoding"});
    return {};
  }
  if (const auto* at = std::find_if(text.begin(), text.end(), is_control); at != text.end()) {
    const auto offset = static_cast<std::size_t>(at - text.begin());
    problems.push_back({place_of(text, offset), "",
                        "a control character; in quotes write it as \\x and two hex digits"});
    return {};
  }
  try {
    return from_yaml(YAML::Load(std::string{text}), "", 0, problems);
  } catch (const YAML::Exception& error) {
    const Position at = position_of(error.mark);
    const bool tab = indented_by_tab(text, at.line);
    problems.push_back(
        {at, "", "not YAML: " + error.msg + (tab ? "; indent with spaces, not tabs" : "")});
    return {};
  }
}

// -- JSON: nlohmann/json parses, but does not say where a value stood. Its events come in the order
//    of the text, so a walk along the text, token by token, knows the place of each.

class TokenWalk {
 public:
  explicit TokenWalk(std::string_view text) : text_(text) {}

  // The place of the next token; steps over it. Only valid JSON is walked.
  Position next() {
    while (offset_ < text_.size() && is_between(text_[offset_])) step();
    const Position start = at_;
    if (offset_ >= text_.size()) return start;
    const char first = text_[offset_];
    step();
    if (first == '"') {
      while (offset_ < text_.size() && text_[offset_] != '"') {
        if (text_[offset_] == '\\') step();
        step();
      }
      step();
    } else if (!is_bracket(first)) {
      while (offset_ < text_.size() && !is_between(text_[offset_]) && !is_bracket(text_[offset_])) {
        step();
      }
    }
    return start;
  }

 private:
  static bool is_between(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',' || c == ':';
  }
  static bool is_bracket(char c) { return c == '{' || c == '}' || c == '[' || c == ']'; }

  void step() {
    if (offset_ >= text_.size()) return;
    at_ = behind(at_, text_[offset_++]);
  }

  std::string_view text_;
  std::size_t offset_ = 0;
  Position at_;
};

class JsonReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  JsonReader(std::string_view text, std::vector<Problem>& problems)
      : text_(text), walk_(text), problems_(problems) {}

  Node take() { return std::move(root_); }

  bool null() override {
    Node node;
    node.at = walk_.next();
    return add(std::move(node));
  }
  bool boolean(bool value) override { return scalar(value ? "true" : "false", false); }
  bool number_integer(number_integer_t value) override {
    return scalar(std::to_string(value), false);
  }
  bool number_unsigned(number_unsigned_t value) override {
    return scalar(std::to_string(value), false);
  }
  bool number_float(number_float_t, const string_t& text) override { return scalar(text, false); }
  bool string(string_t& value) override { return scalar(value, true); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Node::Kind::map); }
  bool start_array(std::size_t) override { return open(Node::Kind::list); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& key) override {
    keys_.back() = {key, walk_.next(), {}};
    return true;
  }
  bool parse_error(std::size_t offset, const std::string&,
                   const nlohmann::detail::exception& error) override {
    const std::string what = error.what();
    const std::size_t reason = what.find(": ");
    problems_.push_back({place_of(text_, offset == 0 ? 0 : offset - 1), "",
                         "not JSON: " + what.substr(reason == std::string::npos ? 0 : reason + 2)});
    return false;
  }

 private:
  bool scalar(std::string text, bool quoted) {
    Node node;
    node.kind = Node::Kind::scalar;
    node.at = walk_.next();
    node.text = std::move(text);
    node.quoted = quoted;
    return add(std::move(node));
  }
  bool open(Node::Kind kind) {
    Node node;
    node.kind = kind;
    node.at = walk_.next();
    if (open_.size() == kDepthMax) {
      problems_.push_back({node.at, path_here(), kTooDeep});
      return false;
    }
    open_.push_back(std::move(node));
    keys_.emplace_back();
    return true;
  }
  bool close() {
    walk_.next();
    Node done = std::move(open_.back());
    open_.pop_back();
    keys_.pop_back();
    return add(std::move(done));
  }
  bool add(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
    } else if (open_.back().kind == Node::Kind::list) {
      open_.back().items.push_back(std::move(node));
    } else {
      std::string path = path_here();
      keys_.back().value = std::move(node);
      add_entry(open_.back(), std::move(keys_.back()), std::move(path), problems_);
    }
    return true;
  }
  // Of the value that is being read.
  std::string path_here() const {
    std::string path;
    for (std::size_t i = 0; i < open_.size(); ++i) {
      const bool in_list = open_[i].kind == Node::Kind::list;
      path = in_list ? path + '[' + std::to_string(open_[i].items.size()) + ']'
                     : path_below(path, keys_[i].key);
    }
    return path;
  }

  std::string_view text_;
  TokenWalk walk_;
  std::vector<Problem>& problems_;
  Node root_;
  std::vector<Node> open_;
  std::vector<Node::Entry> keys_;  // The key awaiting its value, one an open node.
};

Node parse_json(std::string_view text, std::vector<Problem>& problems) {
  JsonReader reader(text, problems);
  nlohmann::json::sax_parse(text, &reader);
  return reader.take();
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

std::string format_problems(std::string_view file_name, std::vector<Problem> problems,
                            std::string_view kind) {
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::pair{a.at.line, a.at.column} < std::pair{b.at.line, b.at.column};
  });
  std::string out;
  for (const Problem& problem : problems) {
    out += file_name;
    out += ':' + std::to_string(problem.at.line) + ':' + std::to_string(problem.at.column) + ": ";
    out += kind;
    if (!problem.path.empty()) out += problem.path + ": ";
    out += problem.message + '\n';
  }
  return out;
}

Node parse_document(std::string_view text, std::string_view file_name,
                    std::vector<Problem>& problems) {
  return file_name.ends_with(".json") ? parse_json(text, problems) : parse_yaml(text, problems);
}

}  // namespace lb::config
