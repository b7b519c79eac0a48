#include "harness/proxy_header.h"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <cstdint>
#include <string>

#include "lbcore/assert.h"

namespace lb::harness {
namespace {

constexpr ProxyHeader kMore{};
constexpr ProxyHeader kBad{ProxyHeader::State::bad};

ProxyHeader whole(std::size_t size) { return {ProxyHeader::State::whole, size}; }

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size();
}

bool is_address(std::string_view text, bool v6) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(std::string{text}, error);
  return !error && address.is_v6() == v6;
}

// PROXY TCP4 SOURCE DESTINATION PORT PORT, or PROXY UNKNOWN
bool is_line(std::string_view line) {
  std::array<std::string_view, 6> words;
  std::size_t count = 0;
  for (std::size_t begin = 0; begin <= line.size(); ++count) {
    if (count == words.size()) return false;
    const std::size_t end = std::min(line.find(' ', begin), line.size());
    words[count] = line.substr(begin, end - begin);
    begin = end + 1;
  }
  if (words[0] != "PROXY") return false;
  if (words[1] == "UNKNOWN") return true;
  const bool v6 = words[1] == "TCP6";
  return count == words.size() && (v6 || words[1] == "TCP4") && is_address(words[2], v6) &&
         is_address(words[3], v6) && is_port(words[4]) && is_port(words[5]);
}

ProxyHeader read_line(std::string_view bytes) {
  constexpr std::size_t kMax = 107;  // With its end, whatever the addresses.
  const std::size_t end = bytes.substr(0, kMax).find("\r\n");
  if (end != std::string_view::npos) return is_line(bytes.substr(0, end)) ? whole(end + 2) : kBad;
  constexpr std::string_view kBegin = "PROXY ";
  const bool begins = kBegin.starts_with(bytes.substr(0, kBegin.size()));
  return begins && bytes.size() < kMax ? kMore : kBad;
}

ProxyHeader read_binary(std::string_view bytes) {
  using namespace std::string_view_literals;
  constexpr std::string_view kSignature = "\r\n\r\n\0\r\nQUIT\n"sv;
  constexpr std::size_t kFixed = 16;
  if (!kSignature.starts_with(bytes.substr(0, kSignature.size()))) return kBad;
  if (bytes.size() < kFixed) return kMore;
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
  const std::size_t size = kFixed + byte(14) * 256U + byte(15);
  const bool local = byte(12) == 0x20;
  const bool v4 = byte(13) == 0x11;
  const bool v6 = byte(13) == 0x21;
  const std::size_t addresses = v4 ? 12 : 36;
  const bool told = byte(12) == 0x21 && (v4 || v6) && size >= kFixed + addresses;
  if (!local && !told) return kBad;
  return bytes.size() < size ? kMore : whole(size);
}

}  // namespace

ProxyHeader read_proxy_header(std::string_view bytes, SentProxyHeader version) {
  LB_ASSERT(version != SentProxyHeader::none);
  return version == SentProxyHeader::v1 ? read_line(bytes) : read_binary(bytes);
}

}  // namespace lb::harness
