// Outgoing: the pieces of one write of a message.
#pragma once

#include <array>
#include <charconv>
#include <string_view>

#include "lbnet/stream.h"

namespace lb::net::http {

// What one write sends: a head or none, and body bytes, plain or as one chunk.
class Outgoing {
 public:
  explicit Outgoing(bool chunked) : chunked_(chunked) {}

  void set_head(std::string_view head) { add(head); }
  // `last` closes a chunked body, with these fields behind it; each with its line end.
  void set_body(std::string_view data, bool last, std::string_view trailers = {}) {
    if (!data.empty()) {
      if (chunked_) add(size_line(data.size()));
      add(data);
      if (chunked_) add("\r\n");
    }
    if (!chunked_ || !last) return;
    add(trailers.empty() ? "0\r\n\r\n" : "0\r\n");
    if (trailers.empty()) return;
    add(trailers);
    add("\r\n");
  }

  void clear() { count_ = 0; }

  // Valid until the next call of the above.
  [[nodiscard]] Pieces pieces() const { return {pieces_.data(), count_}; }

 private:
  void add(std::string_view piece) { pieces_[count_++] = piece; }
  std::string_view size_line(std::size_t size) {
    char* end = std::to_chars(line_.data(), line_.data() + line_.size() - 2, size, 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    return {line_.data(), static_cast<std::size_t>(end - line_.data())};
  }

  bool chunked_;
  std::array<char, 20> line_{};
  std::array<std::string_view, kPiecesMax> pieces_;
  std::size_t count_ = 0;
};

}  // namespace lb::net::http
