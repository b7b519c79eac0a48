#include "lbnet/http/field_names.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace lb::net::http {
namespace {

// By its letters: "_" counts as "-" here, see may_have_underscore().
constexpr bool same_letter(char c, char known) { return (c == '_' ? '-' : lower(c)) == known; }

bool same_letters(std::string_view name, std::string_view known) {
  return std::equal(name.begin(), name.end(), known.begin(), known.end(), same_letter);
}

bool begins_with(std::string_view name, std::string_view known) {
  return name.size() > known.size() && same_letters(name.substr(0, known.size()), known);
}

// Eight bytes, with the letters among them in lower case.
constexpr std::uint64_t folded(const char* bytes) {
  std::array<char, sizeof(std::uint64_t)> eight{};
  std::copy_n(bytes, eight.size(), eight.begin());
  return std::bit_cast<std::uint64_t>(eight) | 0x2020202020202020;
}

// Whether a token of the same size is this name, "_" for "-" included. By eights, the last of which
// may overlap: nearly all that are compared are the same, or are not from the beginning.
template <std::size_t kSize>
bool is(std::string_view name, const char (&known)[kSize]) {
  constexpr std::size_t kChars = kSize - 1;
  if constexpr (kChars < sizeof(std::uint64_t)) {
    return same_letters(name, known);
  } else {
    std::uint64_t differences = 0;
    for (std::size_t at = 0; at < kChars; at += sizeof(std::uint64_t)) {
      const std::size_t from = std::min(at, kChars - sizeof(std::uint64_t));
      differences |= folded(name.data() + from) ^ folded(known + from);
    }
    // That of "_", of which the case bit makes 0x7f, from "-", and no other.
    constexpr std::uint64_t kUnderscores = 0x5252525252525252;
    return differences == 0 || ((differences & ~kUnderscores) == 0 && same_letters(name, known));
  }
}

FieldId identify_by_beginning(std::string_view name) {
  if (lower(name.front()) != 'x') return FieldId::other;
  if (begins_with(name, "x-ssl-client-")) return FieldId::x_ssl_client;
  return begins_with(name, "x-forwarded-") ? FieldId::x_forwarded_other : FieldId::other;
}

}  // namespace

FieldId identify(std::string_view name) {
  switch (name.size()) {
    case 2: return is(name, "te") ? FieldId::te : FieldId::other;
    case 4: return is(name, "host") ? FieldId::host : FieldId::other;
    case 6: return is(name, "expect") ? FieldId::expect : FieldId::other;
    case 7:
      return is(name, "upgrade")   ? FieldId::upgrade
             : is(name, "trailer") ? FieldId::trailer
                                   : FieldId::other;
    case 9:
      return is(name, "forwarded")   ? FieldId::forwarded
             : is(name, "x-real-ip") ? FieldId::x_real_ip
                                     : FieldId::other;
    case 10:
      return is(name, "connection")   ? FieldId::connection
             : is(name, "keep-alive") ? FieldId::keep_alive
             : is(name, "tracestate") ? FieldId::tracestate
                                      : FieldId::other;
    case 11: return is(name, "traceparent") ? FieldId::traceparent : FieldId::other;
    case 12:
      return is(name, "max-forwards")   ? FieldId::max_forwards
             : is(name, "x-request-id") ? FieldId::x_request_id
                                        : FieldId::other;
    case 14:
      if (is(name, "content-length")) return FieldId::content_length;
      break;
    case 15:
      if (is(name, "x-forwarded-for")) return FieldId::x_forwarded_for;
      break;
    case 16:
      if (is(name, "x-forwarded-host")) return FieldId::x_forwarded_host;
      if (is(name, "proxy-connection")) return FieldId::proxy_connection;
      break;
    case 17:
      if (is(name, "transfer-encoding")) return FieldId::transfer_encoding;
      if (is(name, "x-forwarded-proto")) return FieldId::x_forwarded_proto;
      break;
    default: break;
  }
  return name.size() > 12 ? identify_by_beginning(name) : FieldId::other;
}

bool may_have_underscore(FieldId id) {
  return id == FieldId::other || id == FieldId::forwarded || id == FieldId::x_forwarded_other ||
         id == FieldId::x_real_ip || id == FieldId::x_request_id || id == FieldId::traceparent ||
         id == FieldId::tracestate;
}

}  // namespace lb::net::http
