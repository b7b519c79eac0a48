// Reads HTTP/1.1 as careless programs do: names may have white space and controls around them, "_"
// is
// "-", sizes may have signs, prefixes and trash behind them. Some see the end of a line in LF, in
// CR and in both, others in both alone. They share nothing with the parser they are held against.
// What that one accepts and what it writes, these have to read in the same way: as many messages,
// with the same fields and bodies.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lb::fuzz {

enum class LineEnds { any, crlf };
inline constexpr LineEnds kLineEnds[] = {LineEnds::any, LineEnds::crlf};

struct LenientHead {
  std::string first_line;
  std::vector<std::string> names;  // Of all fields in order, in lower case.
  std::vector<std::string> hosts;
  std::vector<std::string> lengths;
  std::vector<std::string> codings;
  std::size_t size = 0;  // With its empty line, and those before it.
};
// Nothing when it has no end.
[[nodiscard]] std::optional<LenientHead> read_leniently(std::string_view text, LineEnds ends);

struct LenientMessage {
  LenientHead head;
  std::string body;
  bool complete = false;
  std::size_t size = 0;
};

enum class Kind { request, response, bodiless_response };

// The message at the front of `text`, with its body by whatever framing can be made out.
[[nodiscard]] std::optional<LenientMessage> read_message_leniently(std::string_view text, Kind kind,
                                                                   LineEnds ends);

}  // namespace lb::fuzz
