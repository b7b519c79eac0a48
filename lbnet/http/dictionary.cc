#include "lbnet/http/dictionary.h"

#include <charconv>

#include "lbnet/http/head_parser.h"

namespace lb::net::http {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_letter(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }

}  // namespace

std::optional<Dictionary::Member> Dictionary::next() {
  if (malformed_ || rest_.empty()) return std::nullopt;
  Member member;
  malformed_ = !take_member(member) || !take_separator();
  if (malformed_) return std::nullopt;
  return member;
}

bool Dictionary::take_member(Member& member) {
  if (!take_key(member.key)) return false;
  // A key alone stands for the value "true".
  return take('=') ? take_value(member.integer) : take_parameters();
}

// The end, or a comma with another member after it.
bool Dictionary::take_separator() {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  take_while(is_space);
  if (rest_.empty()) return true;
  if (!take(',')) return false;
  take_while(is_space);
  return !rest_.empty();
}

bool Dictionary::take_key(std::string_view& key) {
  if (rest_.empty() || !(is_lower(rest_.front()) || rest_.front() == '*')) return false;
  key = take_while([](char c) {
    return is_lower(c) || is_digit(c) || std::string_view{"_-.*"}.find(c) != std::string_view::npos;
  });
  return true;
}

bool Dictionary::take_value(std::optional<std::int64_t>& integer) {
  return (at('(') ? take_inner_list() : take_bare_item(integer)) && take_parameters();
}

bool Dictionary::take_inner_list() {
  std::optional<std::int64_t> ignored;
  if (!take('(')) return false;
  for (;;) {
    skip_spaces();
    if (take(')')) return true;
    if (!take_bare_item(ignored) || !take_parameters()) return false;
    if (!at(' ') && !at(')')) return false;
  }
}

bool Dictionary::take_bare_item(std::optional<std::int64_t>& integer) {
  if (rest_.empty()) return false;
  const char first = rest_.front();
  if (first == '-' || is_digit(first)) return take_number(integer);
  if (first == '"') return take_string();
  if (first == '*' || is_letter(first)) return take_token();
  if (first == ':') return take_bytes();
  return take_boolean();
}

// An integer has 15 digits at most, a decimal 12 before its point and 3 after it.
bool Dictionary::take_number(std::optional<std::int64_t>& integer) {
  const bool negative = take('-');
  const std::string_view digits = take_while(is_digit);
  if (digits.empty() || digits.size() > 15) return false;
  if (take('.')) {
    const std::size_t decimals = take_while(is_digit).size();
    return digits.size() <= 12 && decimals >= 1 && decimals <= 3;
  }
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  integer = negative ? -value : value;
  return true;
}

bool Dictionary::take_string() {
  if (!take('"')) return false;
  while (!rest_.empty()) {
    if (take('"')) return true;
    const bool escaped = take('\\');
    if (escaped && !at('"') && !at('\\')) return false;
    if (rest_.empty() || rest_.front() < 0x20 || rest_.front() > 0x7e) return false;
    rest_.remove_prefix(1);
  }
  return false;
}

bool Dictionary::take_token() {
  take_while([](char c) { return is_token_char(c) || c == ':' || c == '/'; });
  return true;
}

bool Dictionary::take_bytes() {
  if (!take(':')) return false;
  take_while([](char c) {
    return is_letter(c) || is_digit(c) || std::string_view{"+/="}.find(c) != std::string_view::npos;
  });
  return take(':');
}

bool Dictionary::take_boolean() { return take('?') && (take('0') || take('1')); }

bool Dictionary::take_parameters() {
  std::string_view key;
  std::optional<std::int64_t> ignored;
  while (take(';')) {
    skip_spaces();
    if (!take_key(key)) return false;
    if (take('=') && !take_bare_item(ignored)) return false;
  }
  return true;
}

bool Dictionary::take(char c) {
  if (!at(c)) return false;
  rest_.remove_prefix(1);
  return true;
}

template <class Predicate>
std::string_view Dictionary::take_while(Predicate&& predicate) {
  std::size_t size = 0;
  while (size < rest_.size() && predicate(rest_[size])) ++size;
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

void Dictionary::skip_spaces() {
  take_while([](char c) { return c == ' '; });
}

}  // namespace lb::net::http
