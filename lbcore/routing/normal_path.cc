#include "lbcore/routing/normal_path.h"

#include <array>
#include <cstdint>
#include <optional>

namespace lb {
namespace {

enum class Class : std::uint8_t {
  unreserved,  // RFC 3986, section 2.3: an escape of it says nothing.
  reserved,    // The rest of what a segment may hold: an escape of it may say something.
  slash,
  not_in_path,  // Only as an escape.
};

constexpr std::array<Class, 256> kClasses = [] {
  std::array<Class, 256> table{};
  for (Class& entry : table) entry = Class::not_in_path;
  for (const char c : std::string_view{"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789-._~"}) {
    table[static_cast<unsigned char>(c)] = Class::unreserved;
  }
  for (const char c : std::string_view{"!$&'()*+,;=:@"}) {
    table[static_cast<unsigned char>(c)] = Class::reserved;
  }
  table['/'] = Class::slash;
  return table;
}();

constexpr Class class_of(char c) { return kClasses[static_cast<unsigned char>(c)]; }

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  return std::nullopt;
}

// The byte that the escape at `at` stands for.
std::optional<char> escaped(std::string_view path, std::size_t at) {
  if (at + 2 >= path.size()) return std::nullopt;
  const auto high = hex_digit(path[at + 1]);
  const auto low = hex_digit(path[at + 2]);
  if (!high || !low) return std::nullopt;
  return static_cast<char>(*high * 16 + *low);
}

bool in_lower_case(char hex) { return hex >= 'a' && hex <= 'f'; }

// Whether a segment that starts at `at` is "." or "..".
bool is_dot_segment(std::string_view path, std::size_t at) {
  const std::string_view segment = path.substr(at, path.find('/', at) - at);
  return segment == "." || segment == "..";
}

void look_at_escape(std::string_view path, std::size_t at, PathShape& shape) {
  const auto byte = escaped(path, at);
  if (!byte || *byte == '\0') {
    shape.malformed = true;
    return;
  }
  switch (class_of(*byte)) {
    case Class::unreserved: shape.normal = false; break;
    case Class::reserved:
    case Class::slash: shape.ambiguous = true; break;
    case Class::not_in_path:
      if (*byte == '\\') shape.ambiguous = true;
      break;
  }
  if (in_lower_case(path[at + 1]) || in_lower_case(path[at + 2])) shape.normal = false;
}

enum class Reading : std::uint8_t { strict, liberal };

// Reads a path segment by segment and writes it in one of the two forms.
class Rewriter {
 public:
  Rewriter(std::string_view path, Reading reading, std::string& out)
      : path_(path), liberal_(reading == Reading::liberal), out_(out) {}

  void run() {
    out_.clear();
    while (at_ < path_.size()) {
      const std::size_t start = out_.size();
      out_ += '/';
      at_ += slash_at(at_);
      write_segment();
      close_segment(start, at_ >= path_.size());
    }
    if (out_.empty()) out_ = "/";
  }

 private:
  // Bytes of the slash that is here: 0 for none.
  [[nodiscard]] std::size_t slash_at(std::size_t at) const {
    const char c = path_[at];
    if (c == '/') return 1;
    if (!liberal_) return 0;
    if (c == '\\') return 1;
    if (c != '%') return 0;
    const auto byte = escaped(path_, at);
    return byte == '/' || byte == '\\' ? 3 : 0;
  }

  [[nodiscard]] bool starts_parameters(std::size_t at) const {
    return path_[at] == ';' || (path_[at] == '%' && escaped(path_, at) == ';');
  }

  void write_segment() {
    bool parameters = false;
    while (at_ < path_.size() && slash_at(at_) == 0) {
      if (liberal_ && starts_parameters(at_)) parameters = true;
      if (parameters) {
        ++at_;
      } else {
        write_character();
      }
    }
  }

  void write_character() {
    const char c = path_[at_];
    if (c != '%') {
      write_byte(c, class_of(c) != Class::not_in_path);
      ++at_;
      return;
    }
    const auto byte = escaped(path_, at_);
    if (!byte) {  // Malformed, and allowed by the configuration: it stays.
      out_ += c;
      ++at_;
      return;
    }
    const Class kind = class_of(*byte);
    write_byte(*byte, kind == Class::unreserved || (liberal_ && kind == Class::reserved));
    at_ += 3;
  }

  void write_byte(char c, bool plain) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    if (plain) {
      out_ += c;
      return;
    }
    const auto byte = static_cast<unsigned char>(c);
    out_ += '%';
    out_ += kDigits[byte >> 4U];
    out_ += kDigits[byte & 15U];
  }

  // RFC 3986, section 5.2.4, for the segment written from `start` on.
  void close_segment(std::size_t start, bool last) {
    const std::string_view segment = std::string_view{out_}.substr(start + 1);
    const bool up = segment == "..";
    const bool dots = up || segment == ".";
    if (!dots && !(liberal_ && segment.empty() && !last)) return;
    out_.resize(start);
    if (up && !out_.empty()) out_.resize(out_.rfind('/'));
    if (last) out_ += '/';
  }

  std::string_view path_;
  bool liberal_;
  std::string& out_;
  std::size_t at_ = 0;
};

void write_path(std::string_view path, Reading reading, std::string& out) {
  if (path.starts_with('/')) {
    Rewriter(path, reading, out).run();
  } else {
    out = path;
  }
}

}  // namespace

PathShape shape_of(std::string_view path) {
  PathShape shape;
  if (!path.starts_with('/')) return shape;
  for (std::size_t at = 0; at < path.size(); ++at) {
    const char c = path[at];
    switch (class_of(c)) {
      case Class::unreserved: break;
      case Class::reserved:
        if (c == ';') shape.ambiguous = true;
        break;
      case Class::slash:
        if (at + 1 == path.size()) break;
        if (path[at + 1] == '/') shape.ambiguous = true;
        if (path[at + 1] == '.' && is_dot_segment(path, at + 1)) shape.normal = false;
        break;
      case Class::not_in_path:
        if (c == '%') {
          look_at_escape(path, at, shape);
          break;
        }
        shape.normal = false;
        if (c == '\\') shape.ambiguous = true;
        break;
    }
  }
  return shape;
}

void write_normal_path(std::string_view path, std::string& out) {
  write_path(path, Reading::strict, out);
}

void write_liberal_path(std::string_view path, std::string& out) {
  write_path(path, Reading::liberal, out);
}

}  // namespace lb
