#include "lbnet/proxy_header.h"

#include <algorithm>
#include <boost/crc.hpp>
#include <charconv>

#include "lbcore/assert.h"

namespace lb::net {
namespace {

using State = ProxyHeader::State;
using Read = ProxyHeader;

constexpr Read kMalformed{.state = State::malformed};

// Of as much of `bytes` as there is.
bool may_begin_with(std::string_view bytes, std::string_view start) {
  const std::size_t common = std::min(bytes.size(), start.size());
  return bytes.substr(0, common) == start.substr(0, common);
}

// ---------------------------------------------------------------------------------------------
// Version 1 (section 2.1): a line of text

constexpr std::string_view kStart1 = "PROXY ";
constexpr std::string_view kUnknown = "UNKNOWN";
constexpr std::size_t kMax1 = 107;  // With its CR LF.

// Takes a word off the front, and the one space behind it. What is missing is an empty word.
std::string_view take_word(std::string_view& line) {
  const std::size_t space = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, space);
  line.remove_prefix(std::min(space + 1, line.size()));
  return word;
}

std::optional<IpAddress> address_of_family(std::string_view text, bool v4) {
  // By its form: "::ffff:192.0.2.1" is how a proxy between two families writes one of IPv4.
  if ((text.find(':') == std::string_view::npos) != v4) return std::nullopt;
  return IpAddress::parse(text);
}

std::optional<std::uint16_t> port(std::string_view text) {
  std::uint16_t number = 0;
  const bool zeros = text.size() > 1 && text.front() == '0';
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (zeros || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<ProxiedWay> read_way(std::string_view line) {
  // A space at the end would go unseen.
  if (line.empty() || line.back() == ' ') return std::nullopt;
  const std::string_view family = take_word(line);
  if (family != "TCP4" && family != "TCP6") return std::nullopt;
  const bool v4 = family == "TCP4";
  const auto source = address_of_family(take_word(line), v4);
  const auto destination = address_of_family(take_word(line), v4);
  const auto source_port = port(take_word(line));
  const auto destination_port = port(take_word(line));
  if (!source || !destination || !source_port || !destination_port || !line.empty()) {
    return std::nullopt;
  }
  return ProxiedWay{*source, *destination, *source_port, *destination_port};
}

Read read_v1(std::string_view bytes) {
  if (!may_begin_with(bytes, kStart1)) return kMalformed;
  const std::size_t end = bytes.substr(0, kMax1).find("\r\n");
  if (end == std::string_view::npos) {
    return bytes.size() < kMax1 ? Read{} : kMalformed;
  }
  Read read{.state = State::complete, .size = end + 2};
  std::string_view line = bytes.substr(kStart1.size(), end - kStart1.size());
  std::string_view rest = line;
  if (take_word(rest) == kUnknown) return read;  // Whatever follows up to the end of the line.
  read.way = read_way(line);
  return read.way ? read : kMalformed;
}

// ---------------------------------------------------------------------------------------------
// Version 2 (section 2.2): a signature, version and command, family and protocol, the length of
// what follows: addresses, then types with lengths and values

constexpr std::string_view kSignature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t kFixed = kSignature.size() + 4;
constexpr unsigned kLocal = 0x20, kProxy = 0x21;
constexpr unsigned kUnspecified = 0x00, kTcp4 = 0x11, kTcp6 = 0x21;
constexpr unsigned kTypeCrc32c = 0x03;

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}
unsigned number_at(std::string_view bytes, std::size_t at) {
  return byte_at(bytes, at) << 8U | byte_at(bytes, at + 1);
}

// How many bytes the addresses of a family and protocol take; nothing when there is no such family.
std::optional<std::size_t> size_of_addresses(unsigned family) {
  switch (family) {
    case kUnspecified: return 0;
    case kTcp4:
    case 0x12: return 12;  // 0x.2: datagrams.
    case kTcp6:
    case 0x22: return 36;
    case 0x31:
    case 0x32: return 216;  // Unix sockets.
    default: return std::nullopt;
  }
}

IpAddress address_at(std::string_view bytes, std::size_t at, bool v4) {
  if (v4) return IpAddress::v4(number_at(bytes, at) << 16U | number_at(bytes, at + 2));
  IpAddress::Bytes address{};
  for (std::size_t i = 0; i < address.size(); ++i) {
    address[i] = static_cast<std::uint8_t>(byte_at(bytes, at + i));
  }
  return IpAddress::v6(address);
}

ProxiedWay way_at(std::string_view bytes, std::size_t at, bool v4) {
  const std::size_t size = v4 ? 4 : 16;
  return {.source = address_at(bytes, at, v4),
          .destination = address_at(bytes, at + size, v4),
          .source_port = static_cast<std::uint16_t>(number_at(bytes, at + 2 * size)),
          .destination_port = static_cast<std::uint16_t>(number_at(bytes, at + 2 * size + 2))};
}

// CRC-32C (Castagnoli) of the whole header with zeros where the sum itself is.
bool sum_is_right(std::string_view header, std::size_t at) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> sum;
  const std::array<char, 4> zeros{};
  sum.process_bytes(header.data(), at);
  sum.process_bytes(zeros.data(), zeros.size());
  sum.process_bytes(header.data() + at + 4, header.size() - at - 4);
  return sum.checksum() == (number_at(header, at) << 16U | number_at(header, at + 2));
}

// What follows the addresses has to be whole to the last byte. Of all its types the sum alone
// matters to us, and there may be one.
bool extensions_are_good(std::string_view header, std::size_t at) {
  constexpr std::size_t kTypeAndLength = 3;
  bool summed = false;
  while (at < header.size()) {
    if (header.size() - at < kTypeAndLength) return false;
    const unsigned type = byte_at(header, at);
    const unsigned length = number_at(header, at + 1);
    at += kTypeAndLength;
    if (length > header.size() - at) return false;
    if (type == kTypeCrc32c) {
      if (summed || length != 4 || !sum_is_right(header, at)) return false;
      summed = true;
    }
    at += length;
  }
  return true;
}

Read read_v2(std::string_view bytes) {
  if (!may_begin_with(bytes, kSignature)) return kMalformed;
  if (bytes.size() <= kSignature.size()) return {};
  const unsigned command = byte_at(bytes, kSignature.size());
  if (command != kLocal && command != kProxy) return kMalformed;
  if (bytes.size() < kFixed) return {};
  const unsigned family = byte_at(bytes, kSignature.size() + 1);
  const std::size_t size = kFixed + number_at(bytes, kSignature.size() + 2);
  const auto addresses = command == kLocal ? std::optional<std::size_t>{0}  // Of any family.
                                           : size_of_addresses(family);
  if (size > kProxyHeaderMax || !addresses || size < kFixed + *addresses) return kMalformed;
  if (bytes.size() < size) return {};
  Read read{.state = State::complete, .size = size};
  // "The receiver should ignore": what it is made of is nobody's business.
  if (command == kLocal || family == kUnspecified) return read;
  if (!extensions_are_good(bytes.substr(0, size), kFixed + *addresses)) return kMalformed;
  if (family == kTcp4 || family == kTcp6) read.way = way_at(bytes, kFixed, family == kTcp4);
  return read;
}

}  // namespace

ProxyHeader read_proxy_header(std::string_view bytes, AcceptedProxyHeader accepted) {
  LB_ASSERT(accepted != AcceptedProxyHeader::none);
  if (bytes.empty()) return {};
  const bool may_be_v1 = accepted != AcceptedProxyHeader::v2;
  const bool may_be_v2 = accepted != AcceptedProxyHeader::v1;
  if (may_be_v1 && bytes.front() == kStart1.front()) return read_v1(bytes);
  return may_be_v2 ? read_v2(bytes) : kMalformed;
}

// ---------------------------------------------------------------------------------------------
// Writing

ProxyHeaderText::ProxyHeaderText(SentProxyHeader version, const std::optional<ProxiedWay>& way) {
  if (version == SentProxyHeader::v1) write_v1(way);
  if (version == SentProxyHeader::v2) write_v2(kProxy, way);
}

ProxyHeaderText ProxyHeaderText::local(SentProxyHeader version) {
  ProxyHeaderText text;
  if (version == SentProxyHeader::v1) text.write_v1(std::nullopt);
  if (version == SentProxyHeader::v2) text.write_v2(kLocal, std::nullopt);
  return text;
}

void ProxyHeaderText::append(std::string_view text) {
  LB_ASSERT(text.size() <= bytes_.size() - size_);
  text.copy(bytes_.data() + size_, text.size());
  size_ += text.size();
}

// One of IPv4 where the other side of the way is of IPv6 is written in its form.
void ProxyHeaderText::append_address(const IpAddress& address, bool v4) {
  const IpAddress::Bytes& bytes = address.bytes();
  for (std::size_t i = v4 ? 12 : 0; i < bytes.size(); ++i) append_byte(bytes[i]);
}
void ProxyHeaderText::append_address_text(const IpAddress& address, bool v4) {
  append(!v4 && address.is_v4() ? " ::ffff:" : " ");
  append(address.text().view());
}

void ProxyHeaderText::write_v1(const std::optional<ProxiedWay>& way) {
  append(kStart1);
  if (!way) {
    append(kUnknown);
  } else {
    const bool v4 = way->source.is_v4() && way->destination.is_v4();
    append(v4 ? "TCP4" : "TCP6");
    append_address_text(way->source, v4);
    append_address_text(way->destination, v4);
    for (const unsigned number : {way->source_port, way->destination_port}) {
      std::array<char, 5> digits{};
      const auto end = std::to_chars(digits.begin(), digits.end(), number).ptr;
      append(" ");
      append({digits.data(), static_cast<std::size_t>(end - digits.data())});
    }
  }
  append("\r\n");
}

void ProxyHeaderText::write_v2(unsigned command, const std::optional<ProxiedWay>& way) {
  append(kSignature);
  append_byte(command);
  const bool v4 = way && way->source.is_v4() && way->destination.is_v4();
  const unsigned family = !way ? kUnspecified : v4 ? kTcp4 : kTcp6;
  append_byte(family);
  append_number(static_cast<unsigned>(*size_of_addresses(family)));
  if (!way) return;
  append_address(way->source, v4);
  append_address(way->destination, v4);
  append_number(way->source_port);
  append_number(way->destination_port);
}

}  // namespace lb::net
