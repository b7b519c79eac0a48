// BodyDecoder: takes a body out of the bytes that carry it, by the one framing that was decided.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lbnet/buffer.h"
#include "lbnet/http/head.h"

namespace lb::net::http {

class BodyDecoder {
 public:
  BodyDecoder() = default;
  explicit BodyDecoder(const Framing& framing)
      : kind_(framing.kind), left_(framing.length), done_(framing.kind == Framing::Kind::none) {}

  struct Decoded {
    std::string_view data;   // Body bytes, in one piece; valid until the buffer is written to.
    std::size_t raw = 0;     // Bytes of the buffer this used up: consume them when done with data.
    bool malformed = false;  // Not a chunked body; nothing more can be read.
  };
  // Decodes what is in the buffer. Chunks are put together in place: their framing goes.
  // Does nothing once done().
  [[nodiscard]] Decoded decode(Buffer& buffer);

  // Keeps the fields behind a chunked body, which are read past otherwise.
  void keep_trailers() { keeps_trailers_ = true; }
  // They, each with its line end, and the empty line behind them; empty when there were none.
  // REQUIRES: done().
  [[nodiscard]] std::string_view trailers() const {
    constexpr std::size_t kEmptyLine = 2;
    return trailers_.size() > kEmptyLine ? std::string_view{trailers_} : std::string_view{};
  }

  // The peer finished sending what only that ends.
  void end_of_stream() { done_ = true; }

  // The body is complete; what follows in the buffer is not part of it.
  [[nodiscard]] bool done() const { return done_; }
  // The peer finished sending: whether that completes the body.
  [[nodiscard]] bool complete_at_end_of_stream() const {
    return done_ || kind_ == Framing::Kind::until_close;
  }

 private:
  enum class State : std::uint8_t {
    size,
    extension,  // At the start of its name.
    extension_name,
    extension_value,  // At the start of it.
    extension_token,
    quoted,
    escaped,
    unquoted,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer,
    trailer_name,
    trailer_value,
    trailer_lf,
    end_lf
  };

  Decoded decode_chunked(Buffer& buffer);
  [[nodiscard]] bool take_framing_byte(char c);
  [[nodiscard]] bool take_size_byte(char c);
  [[nodiscard]] bool take_extension_byte(char c);
  [[nodiscard]] bool end_extension(char c);
  // Goes on to `next` if this is the byte that is wanted.
  [[nodiscard]] bool expect(char c, char wanted, State next);
  [[nodiscard]] bool one_more();

  Framing::Kind kind_ = Framing::Kind::none;
  std::uint64_t left_ = 0;  // Of the body, or of the chunk.
  bool done_ = true;
  State state_ = State::size;
  std::uint32_t size_digits_ = 0;
  bool keeps_trailers_ = false;
  std::uint32_t framing_bytes_ = 0;  // Of extensions and trailers so far: bounded.
  std::string trailers_;
};

}  // namespace lb::net::http
