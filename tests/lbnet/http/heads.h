// How the tests of heads feed bytes in: whole, in two pieces, and byte by byte. A head that means
// one thing when it comes in one packet and another thing when it comes in two is an attack.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "lbnet/http/head_parser.h"

namespace lb::net::http::testing {

struct Scan {
  HeadScanner::Result result = HeadScanner::Result::incomplete;
  std::size_t start = 0;
  std::size_t end = 0;
  bool operator==(const Scan&) const = default;
};

// Scans the first sizes[0] bytes, then the first sizes[1] and so on, until there is a result.
inline Scan scan_growing(std::string_view text, const std::vector<std::size_t>& sizes) {
  HeadScanner scanner;
  for (const std::size_t size : sizes) {
    const HeadScanner::Result result = scanner.scan(text.substr(0, size));
    if (result == HeadScanner::Result::complete) return {result, scanner.start(), scanner.end()};
    const bool refused =
        result == HeadScanner::Result::malformed || result == HeadScanner::Result::too_long;
    if (refused) return {result, 0, 0};
  }
  return {};
}

// The result of scanning the text whole; fails the test when any other way differs.
inline Scan scan_every_way(std::string_view text) {
  const Scan whole = scan_growing(text, {text.size()});
  std::vector<std::size_t> each;
  for (std::size_t size = 1; size <= text.size(); ++size) {
    each.push_back(size);
    EXPECT_EQ(scan_growing(text, {size, text.size()}), whole) << "split after " << size;
  }
  EXPECT_EQ(scan_growing(text, each), whole) << "byte by byte";
  return whole;
}

constexpr int kIncomplete = -1;

// What a session answers to these bytes: 0 when the request is good. The head's views point into
// `text`.
inline int request_status(std::string_view text, const Scan& scan, RequestHead& head) {
  if (scan.result == HeadScanner::Result::malformed) return 400;
  if (scan.result == HeadScanner::Result::too_long) return 431;
  if (scan.result == HeadScanner::Result::incomplete) return kIncomplete;
  return parse_request_head(text.substr(scan.start, scan.end - scan.start), head);
}

inline bool response_good(std::string_view text, const Scan& scan, bool to_head,
                          ResponseHead& head) {
  if (scan.result != HeadScanner::Result::complete || scan.start != 0) return false;
  return parse_response_head(text.substr(0, scan.end), to_head, head);
}

// What there is of the first line of a head that is not whole yet.
inline std::string_view first_line_so_far(std::string_view text) {
  HeadScanner scanner;
  if (scanner.scan(text) != HeadScanner::Result::incomplete) return {};
  return text.substr(scanner.start(), scanner.first_line_size());
}

// For messages of failed tests: controls and other bytes made visible.
inline std::string visible(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string shown;
  for (const char c : text.substr(0, 200)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\r') {
      shown += "\\r";
    } else if (c == '\n') {
      shown += "\\n";
    } else if (byte >= 0x20 && byte < 0x7f) {
      shown += c;
    } else {
      shown += "\\x";
      shown += kDigits[byte >> 4U];
      shown += kDigits[byte & 0xfU];
    }
  }
  return shown;
}

}  // namespace lb::net::http::testing
