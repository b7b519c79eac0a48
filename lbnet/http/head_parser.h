// Parses message heads to RFC 9110 and 9112, strictly: what two parsers could read differently is
// refused, in both directions. What is forwarded is written anew from the parsed form, not copied.
#pragma once

#include <cstddef>
#include <string_view>

#include "lbnet/http/head.h"

namespace lb::net::http {

inline constexpr std::size_t kHeadMax = std::size_t{32} << 10U;  // As it comes, and as it goes on.
inline constexpr std::size_t kRequestLineMax = std::size_t{8} << 10U;
inline constexpr std::size_t kFieldsMax = 100;

// Finds the end of a head in bytes that arrive bit by bit; each byte is looked at once.
class HeadScanner {
 public:
  enum class Result { incomplete, complete, malformed, too_long };

  // `bytes` is all there is so far of this message. Up to four empty lines before it are skipped
  // (RFC 9112, section 2.2, asks for one); they count for kHeadMax.
  Result scan(std::string_view bytes);

  [[nodiscard]] std::size_t start() const { return start_; }  // Of the head, after empty lines.
  [[nodiscard]] std::size_t end() const { return line_; }     // Past its last empty line.
  // Bytes of the first line so far, its CRLF included.
  [[nodiscard]] std::size_t first_line_size() const { return first_line_ - start_; }
  void reset() { *this = {}; }

 private:
  std::size_t start_ = 0;
  std::size_t first_line_ = 0;  // Past the first line, or what there is of it.
  std::size_t line_ = 0;        // Start of the line being looked at.
  std::size_t scanned_ = 0;
};

// 0 when the head is good, otherwise the status that answers it: 400, 405, 417, 431, 501 or 505.
// `head` is a whole head with its empty line. `secure`: it came over TLS, so that an absolute
// target is one of https (RFC 9110, section 7.4).
[[nodiscard]] int parse_request_head(std::string_view head, RequestHead& request,
                                     bool secure = false);

// For the first line of a head that is not whole yet, with its CRLF, or what there is of it: the
// status that refuses the request whatever follows, or 0. Who speaks something else than HTTP, or
// an HTTP without heads, waits for us where we would wait for the rest.
[[nodiscard]] int refuse_first_line(std::string_view line);

// False when the head is not one to pass on. `to_head`: the request was a HEAD.
[[nodiscard]] bool parse_response_head(std::string_view head, bool to_head, ResponseHead& response);

// For the first line of a head that is not whole yet, as above.
[[nodiscard]] bool may_be_status_line(std::string_view line);

// The fields behind a chunked body, in full, with their empty line. False when they are malformed.
[[nodiscard]] bool parse_trailers(std::string_view trailers, std::vector<Field>& fields);

// The value of the field of this kind; empty when there is none, or more than one.
[[nodiscard]] std::string_view the_one_value(const std::vector<Field>& fields, FieldId id);

[[nodiscard]] bool is_token_char(char c);
// Without spaces and tabs around it.
[[nodiscard]] std::string_view trim(std::string_view text);
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);

// Whether a field goes no further than this hop (RFC 9110, section 7.6.1). Framing fields are
// among them: the framing is written anew. `connection_options` are the values of Connection.
[[nodiscard]] bool is_hop_by_hop(const Field& field, const std::vector<Field>& fields);

}  // namespace lb::net::http
