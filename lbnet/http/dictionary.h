// Dictionary: reads a field that is a dictionary of RFC 8941 ("Structured Field Values"), for the
// integers in it. Everything else such a field may hold is read past, and has to be well-formed.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace lb::net::http {

class Dictionary {
 public:
  explicit Dictionary(std::string_view field) : rest_(field) { skip_spaces(); }

  struct Member {
    std::string_view key;
    std::optional<std::int64_t> integer;  // 15 digits at most; nothing for a value of another type.
  };
  // The next member, or nothing: at the end, or because what comes is malformed(). By the RFC a
  // malformed field says nothing at all, and of two members with one key the last one counts.
  [[nodiscard]] std::optional<Member> next();

  [[nodiscard]] bool malformed() const { return malformed_; }

 private:
  // Each takes something off the front; false when it is not there as it should be.
  [[nodiscard]] bool take_member(Member& member);
  [[nodiscard]] bool take_separator();
  [[nodiscard]] bool take_key(std::string_view& key);
  [[nodiscard]] bool take_value(std::optional<std::int64_t>& integer);
  [[nodiscard]] bool take_inner_list();
  [[nodiscard]] bool take_bare_item(std::optional<std::int64_t>& integer);
  [[nodiscard]] bool take_number(std::optional<std::int64_t>& integer);
  [[nodiscard]] bool take_string();
  [[nodiscard]] bool take_token();
  [[nodiscard]] bool take_bytes();
  [[nodiscard]] bool take_boolean();
  [[nodiscard]] bool take_parameters();

  [[nodiscard]] bool at(char c) const { return !rest_.empty() && rest_.front() == c; }
  [[nodiscard]] bool take(char c);
  template <class Predicate>
  std::string_view take_while(Predicate&& predicate);
  void skip_spaces();

  std::string_view rest_;
  bool malformed_ = false;
};

}  // namespace lb::net::http
