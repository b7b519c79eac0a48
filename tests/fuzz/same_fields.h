// Compares what the parser made of a head with what it was before, and with what a lenient reader
// makes of it.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "lbcore/assert.h"
#include "lbnet/http/head_parser.h"
#include "tests/fuzz/lenient.h"

namespace lb::fuzz {

// The fields that go on to the other side, in order.
inline std::vector<std::pair<std::string, std::string>> end_to_end(
    const std::vector<net::http::Field>& fields) {
  using net::http::FieldId;
  std::vector<std::pair<std::string, std::string>> all;
  for (const net::http::Field& field : fields) {
    const bool ours = field.id == FieldId::content_length || field.id == FieldId::expect ||
                      field.id == FieldId::max_forwards || tells_origin(field.id);
    if (!ours && !is_hop_by_hop(field, fields)) all.emplace_back(field.name, field.value);
  }
  return all;
}

// Whether what is written of it keeps to our own rules: with the fields we add it may be above the
// limit, and a request of HTTP/1.0 may have no host.
inline constexpr std::size_t kAddedMax = 6;
inline bool may_be_read_again(const net::http::RequestHead& head) {
  return !head.host.empty() && head.fields.size() + kAddedMax <= net::http::kFieldsMax;
}
inline bool may_be_read_again(const net::http::ResponseHead& head) {
  return head.fields.size() + kAddedMax <= net::http::kFieldsMax;
}

// In order, for a reader that takes "_" for "-".
inline bool same_names(const std::vector<net::http::Field>& fields,
                       const std::vector<std::string>& names) {
  return std::equal(fields.begin(), fields.end(), names.begin(), names.end(),
                    [](const net::http::Field& field, const std::string& name) {
                      return std::equal(field.name.begin(), field.name.end(), name.begin(),
                                        name.end(), [](char a, char b) {
                                          const char lower =
                                              a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a;
                                          return (lower == '_' ? '-' : lower) == b;
                                        });
                    });
}

inline bool same_framing(const net::http::Framing& framing, const LenientHead& head) {
  using Kind = net::http::Framing::Kind;
  switch (framing.kind) {
    case Kind::chunked:
      return head.lengths.empty() && head.codings == std::vector<std::string>{"chunked"};
    case Kind::length:
      return head.codings.empty() && head.lengths.size() == 1 &&
             std::stoull(head.lengths.front()) == framing.length;
    case Kind::none:
      return head.codings.empty() &&
             (head.lengths.empty() ||
              (head.lengths.size() == 1 && std::stoull(head.lengths.front()) == 0));
    case Kind::until_close: return head.codings.empty() && head.lengths.empty();
  }
  return false;
}

// The body as one chunk, or as none, and the last chunk.
inline std::string in_chunks(std::string_view body) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string size;
  for (std::size_t left = body.size(); left > 0; left /= 16) {
    size.insert(size.begin(), kDigits[left % 16]);
  }
  std::string text;
  if (!body.empty()) text.append(size).append("\r\n").append(body).append("\r\n");
  return text.append("0\r\n\r\n");
}

}  // namespace lb::fuzz
