#include "lbnet/http/request_ids.h"

#include <algorithm>

#include "lbnet/http/head_parser.h"

namespace lb::net::http {
namespace {

bool is_lower_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// An id of all zeros means none.
bool is_id(std::string_view text) {
  return is_lower_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

// version "-" trace-id "-" parent-id "-" flags. Later versions may add something.
bool is_traceparent(std::string_view text) {
  constexpr std::size_t kSize = 55;
  if (text.size() < kSize || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  const std::string_view version = text.substr(0, 2);
  const bool as_long_as_it_may_be = text.size() == kSize || (version != "00" && text[kSize] == '-');
  return as_long_as_it_may_be && is_lower_hex(version) && version != "ff" &&
         is_id(text.substr(3, 32)) && is_id(text.substr(36, 16)) &&
         is_lower_hex(text.substr(53, 2));
}

void append_hex(std::uint64_t bits, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) {
    out += kDigits[(bits >> static_cast<unsigned>(shift)) & 0xfU];
  }
}

}  // namespace

std::string_view request_id(const std::vector<Field>& request) {
  constexpr std::size_t kSizeMax = 128;
  const std::string_view value = the_one_value(request, FieldId::x_request_id);
  const bool visible =
      std::all_of(value.begin(), value.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  return visible && value.size() <= kSizeMax ? value : std::string_view{};
}

std::string_view traceparent(const std::vector<Field>& request) {
  const std::string_view value = the_one_value(request, FieldId::traceparent);
  return is_traceparent(value) ? value : std::string_view{};
}

void make_request_id(Prng& random, std::string& out) {
  out.clear();
  append_hex(random.next(), out);
  append_hex(random.next(), out);
}

// The lowest bit of each id is set: none of them is all zeros.
void make_traceparent(Prng& random, std::string& out) {
  out.assign("00-");
  append_hex(random.next(), out);
  append_hex(random.next() | 1U, out);
  out += '-';
  append_hex(random.next() | 1U, out);
  out += "-01";
}

}  // namespace lb::net::http
