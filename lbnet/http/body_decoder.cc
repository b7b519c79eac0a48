#include "lbnet/http/body_decoder.h"

#include <algorithm>
#include <cstring>

#include "lbnet/http/head_parser.h"

namespace lb::net::http {
namespace {

// Extensions and trailers carry nothing we pass on; a peer that sends more of them than this wants
// to keep us busy.
constexpr std::uint32_t kFramingBytesMax = 16U << 10U;
constexpr std::uint32_t kSizeDigitsMax = 15;  // 2^60 bytes: more is not a size but an attack.

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

}  // namespace

BodyDecoder::Decoded BodyDecoder::decode(Buffer& buffer) {
  if (done_) return {};
  if (kind_ == Framing::Kind::chunked) return decode_chunked(buffer);
  std::string_view data = buffer.view();
  if (kind_ == Framing::Kind::length) {
    data = data.substr(0, std::min<std::uint64_t>(left_, data.size()));
    left_ -= data.size();
    done_ = left_ == 0;
  }
  return {data, data.size(), false};
}

BodyDecoder::Decoded BodyDecoder::decode_chunked(Buffer& buffer) {
  const std::span<char> bytes = buffer.bytes();
  std::size_t read = 0;
  std::size_t written = 0;
  while (read < bytes.size() && !done_) {
    if (state_ != State::data) {
      const bool trails = state_ >= State::trailer;
      if (!take_framing_byte(bytes[read])) return {{}, 0, true};
      if (trails && keeps_trailers_) trailers_.push_back(bytes[read]);
      ++read;
      continue;
    }
    const std::size_t count = std::min<std::uint64_t>(left_, bytes.size() - read);
    if (written != read) std::memmove(bytes.data() + written, bytes.data() + read, count);
    read += count;
    written += count;
    left_ -= count;
    if (left_ == 0) state_ = State::data_cr;
  }
  return {{bytes.data(), written}, read, false};
}

// One byte that is not data; false when it may not stand where it does (RFC 9112, section 7.1).
bool BodyDecoder::take_framing_byte(char c) {
  switch (state_) {
    case State::size: return take_size_byte(c);
    case State::extension:
    case State::extension_name:
    case State::extension_value:
    case State::extension_token:
    case State::quoted:
    case State::escaped:
    case State::unquoted: return take_extension_byte(c);
    case State::size_lf:
      size_digits_ = 0;
      return expect(c, '\n', left_ == 0 ? State::trailer : State::data);
    case State::data: return false;  // Never asked.
    case State::data_cr: return expect(c, '\r', State::data_lf);
    case State::data_lf: return expect(c, '\n', State::size);
    // Nobody gets to see a trailer, but what is no field could be the start of another message.
    case State::trailer:
      if (c == '\r') return state_ = State::end_lf, true;
      state_ = State::trailer_name;
      return is_token_char(c) && one_more();
    case State::trailer_name:
      if (c == ':') state_ = State::trailer_value;
      return (c == ':' || is_token_char(c)) && one_more();
    case State::trailer_value:
      if (c == '\r') return state_ = State::trailer_lf, true;
      return !is_control(c) && one_more();
    case State::trailer_lf: return expect(c, '\n', State::trailer);
    case State::end_lf: done_ = true; return c == '\n';
  }
  return false;
}

bool BodyDecoder::take_size_byte(char c) {
  const int digit = hex_digit(c);
  if (digit >= 0) {
    left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
    return ++size_digits_ <= kSizeDigitsMax;
  }
  if (size_digits_ == 0) return false;
  if (c == ';') return state_ = State::extension, true;
  return expect(c, '\r', State::size_lf);
}

// By the grammar, but for white space: what is to be skipped and where is what decoders disagree
// about, and nobody sends it.
bool BodyDecoder::take_extension_byte(char c) {
  switch (state_) {
    case State::extension: state_ = State::extension_name; return is_token_char(c) && one_more();
    case State::extension_name:
      if (c == '=') return state_ = State::extension_value, one_more();
      return is_token_char(c) ? one_more() : end_extension(c);
    case State::extension_value:
      state_ = c == '"' ? State::quoted : State::extension_token;
      return (c == '"' || is_token_char(c)) && one_more();
    case State::extension_token: return is_token_char(c) ? one_more() : end_extension(c);
    case State::quoted:
      if (c == '\\') state_ = State::escaped;
      if (c == '"') state_ = State::unquoted;
      return !is_control(c) && one_more();
    case State::escaped: state_ = State::quoted; return !is_control(c) && one_more();
    default: return end_extension(c);  // `unquoted`
  }
}

bool BodyDecoder::end_extension(char c) {
  if (c == ';') return state_ = State::extension, one_more();
  return expect(c, '\r', State::size_lf);
}

bool BodyDecoder::expect(char c, char wanted, State next) {
  state_ = next;
  return c == wanted;
}

bool BodyDecoder::one_more() { return ++framing_bytes_ <= kFramingBytesMax; }

}  // namespace lb::net::http
