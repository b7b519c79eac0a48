// Goal: of a PROXY header one reading, or none. Method: tables of good and bad ones, each whole,
// cut short at every place, and with bytes of the connection behind it; a law for what is written.
#include "lbnet/proxy_header.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace lb::net {
namespace {

using namespace std::string_literals;
using State = ProxyHeader::State;
using Accepted = AcceptedProxyHeader;

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }

const ProxiedWay kWay4{ip("192.0.2.1"), ip("198.51.100.2"), 56324, 443};
const ProxiedWay kWay6{ip("2001:db8::1"), ip("2001:db8::2"), 1, 65535};

std::string number(unsigned value) {
  return {static_cast<char>(value >> 8U), static_cast<char>(value & 0xffU)};
}

// A header of version 2 with this length in it, whatever follows.
std::string v2(unsigned command, unsigned family, unsigned length, const std::string& rest) {
  std::string header = "\r\n\r\n\0\r\nQUIT\n"s;
  header += static_cast<char>(command);
  header += static_cast<char>(family);
  header += number(length);
  return header += rest;
}
std::string v2(unsigned command, unsigned family, const std::string& rest) {
  return v2(command, family, static_cast<unsigned>(rest.size()), rest);
}

const std::string kTcp4 = "\xc0\x00\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb"s;
const std::string kTcp6 =
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"
    "\0\x01\xff\xff"s;

std::string tlv(unsigned type, const std::string& value) {
  std::string text(1, static_cast<char>(type));
  text += number(static_cast<unsigned>(value.size()));
  return text += value;
}

struct Good {
  const char* what;
  std::string header;
  std::optional<ProxiedWay> way;
};

const std::vector<Good> kGood{
    {"IPv4", "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", kWay4},
    {"IPv6", "PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n", kWay6},
    {"capitals", "PROXY TCP6 2001:DB8::1 2001:DB8::2 1 65535\r\n", kWay6},
    {"mixed", "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1 2\r\n",
     ProxiedWay{ip("192.0.2.1"), ip("2001:db8::2"), 1, 2}},
    {"ports of zero", "PROXY TCP4 1.2.3.4 0.0.0.0 0 0\r\n",
     ProxiedWay{ip("1.2.3.4"), ip("0.0.0.0"), 0, 0}},
    {"the longest of IPv6",
     "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
     ProxiedWay{ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
                ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 65535, 65535}},
    {"unknown", "PROXY UNKNOWN\r\n", {}},
    {"unknown, and more", "PROXY UNKNOWN ffff::1 whatever\n \0 this is\r\n"s, {}},
    {"the longest there is", "PROXY UNKNOWN " + std::string(107 - 16, 'x') + "\r\n", {}},
    {"v2, IPv4", v2(0x21, 0x11, kTcp4), kWay4},
    {"v2, IPv6", v2(0x21, 0x21, kTcp6), kWay6},
    {"v2, extensions", v2(0x21, 0x11, kTcp4 + tlv(4, "") + tlv(0xea, "vpc-1")), kWay4},
    // CRC-32C of this header, by another implementation.
    {"v2, a sum", v2(0x21, 0x11, kTcp4 + tlv(3, "\x20\xec\x95\x49")), kWay4},
    {"v2, datagrams", v2(0x21, 0x12, kTcp4), {}},
    {"v2, datagrams of IPv6", v2(0x21, 0x22, kTcp6), {}},
    {"v2, unix sockets", v2(0x21, 0x31, std::string(216, '/')), {}},
    {"v2, unix datagrams", v2(0x21, 0x32, std::string(216, '/') + tlv(4, "")), {}},
    {"v2, unspecified", v2(0x21, 0x00, ""), {}},
    {"v2, unspecified, and more", v2(0x21, 0x00, "rubbish"), {}},
    {"v2, local", v2(0x20, 0x00, ""), {}},
    {"v2, local with addresses", v2(0x20, 0x11, kTcp4), {}},
    {"v2, local with rubbish", v2(0x20, 0xff, "\xff\xff\xff rubbish"), {}},
    {"v2, the longest we take", v2(0x21, 0x11, kTcp4 + tlv(4, std::string(4096 - 31, 'x'))), kWay4},
};

const std::vector<std::pair<const char*, std::string>> kBad{
    {"nothing of the kind", "GET / HTTP/1.1\r\n\r\n"},
    {"TLS", "\x16\x03\x01\x02\x00"s},
    {"small letters", "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n"},
    {"an empty line before it", "\r\nPROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n"},
    {"no family", "PROXY \r\n"},
    {"another family", "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n"},
    {"a family in small letters", "PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n"},
    {"nearly unknown", "PROXY UNKNOWNS\r\n"},
    {"IPv6 as TCP4", "PROXY TCP4 ::1 ::1 1 2\r\n"},
    {"IPv4 as TCP6", "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n"},
    {"one of another family", "PROXY TCP4 1.2.3.4 ::1 1 2\r\n"},
    {"a name", "PROXY TCP4 localhost 1.2.3.4 1 2\r\n"},
    {"a zone", "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n"},
    {"brackets", "PROXY TCP6 [::1] ::1 1 2\r\n"},
    {"three numbers", "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n"},
    {"a number of 256", "PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n"},
    {"a leading zero", "PROXY TCP4 1.2.3.04 1.2.3.4 1 2\r\n"},
    {"a port of 65536", "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n"},
    {"a port of 2^16 + 2^32", "PROXY TCP4 1.2.3.4 1.2.3.4 1 4295032832\r\n"},
    {"a port with a leading zero", "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n"},
    {"a port of two zeros", "PROXY TCP4 1.2.3.4 1.2.3.4 1 00\r\n"},
    {"a port with a sign", "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n"},
    {"a port below zero", "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n"},
    {"a port in hex", "PROXY TCP4 1.2.3.4 1.2.3.4 0x1 2\r\n"},
    {"one port", "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"},
    {"three ports", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n"},
    {"one address", "PROXY TCP4 1.2.3.4 1 2\r\n"},
    {"two spaces", "PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n"},
    {"two spaces between ports", "PROXY TCP4 1.2.3.4 1.2.3.4 1  2\r\n"},
    {"a space at the end", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n"},
    {"a space before the family", "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n"},
    {"a tab", "PROXY TCP4\t1.2.3.4 1.2.3.4 1 2\r\n"},
    {"NUL", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\0\r\n"s},
    {"NUL in an address", "PROXY TCP4 1.2.3\0.4 1.2.3.4 1 2\r\n"s},
    {"CR alone", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\r\n"},
    {"LF alone", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"a line of 108 bytes", "PROXY UNKNOWN " + std::string(108 - 16, 'x') + "\r\n"},
    {"a line without an end", "PROXY UNKNOWN " + std::string(200, 'x')},

    {"v2, another signature", "\r\n\r\n\0\r\nQUIX\n\x21\x11"s},
    {"v2, version 1", v2(0x11, 0x11, kTcp4)},
    {"v2, version 3", v2(0x31, 0x11, kTcp4)},
    {"v2, another command", v2(0x22, 0x11, kTcp4)},
    {"v2, another family", v2(0x21, 0x41, kTcp4)},
    {"v2, another protocol", v2(0x21, 0x13, kTcp4)},
    {"v2, IPv4 of no protocol", v2(0x21, 0x10, kTcp4)},
    {"v2, a stream of no family", v2(0x21, 0x01, "")},
    {"v2, shorter than IPv4", v2(0x21, 0x11, 11, kTcp4)},
    {"v2, no addresses", v2(0x21, 0x11, "")},
    {"v2, IPv4 where IPv6 is said", v2(0x21, 0x21, kTcp4)},
    {"v2, shorter than unix sockets", v2(0x21, 0x31, std::string(215, '/'))},
    {"v2, one byte of an extension", v2(0x21, 0x11, kTcp4 + "x")},
    {"v2, two bytes of an extension", v2(0x21, 0x11, kTcp4 + "xy")},
    {"v2, an extension beyond the end", v2(0x21, 0x11, kTcp4 + "\x04\x00\x02x"s)},
    {"v2, one of 64 KiB", v2(0x21, 0x11, kTcp4 + "\x04\xff\xff"s)},
    {"v2, a byte behind the last", v2(0x21, 0x11, kTcp4 + tlv(4, "xy") + "z")},
    {"v2, a wrong sum", v2(0x21, 0x11, kTcp4 + tlv(3, "\x20\xec\x95\x4a"))},
    {"v2, a sum of three bytes", v2(0x21, 0x11, kTcp4 + tlv(3, "\x20\xec\x95"))},
    {"v2, a sum and another",
     v2(0x21, 0x11, kTcp4 + tlv(3, "\x20\xec\x95\x49") + tlv(3, "\x20\xec\x95\x49"))},
    {"v2, datagrams with a torn extension", v2(0x21, 0x12, kTcp4 + "x")},
    {"v2, longer than we take", v2(0x21, 0x11, kTcp4 + tlv(4, std::string(4096 - 30, 'x')))},
    {"v2, 64 KiB", v2(0x21, 0x11, 0xffff, kTcp4)},
    {"v2, local, 64 KiB", v2(0x20, 0x00, 0xffff, "")},
};

TEST(ProxyHeader, TakesWhatIsGood) {
  for (const auto& [what, header, way] : kGood) {
    const ProxyHeader read = read_proxy_header(header, Accepted::any);
    EXPECT_EQ(read.state, State::complete) << what;
    EXPECT_EQ(read.size, header.size()) << what;
    EXPECT_EQ(read.way, way) << what;
  }
}

TEST(ProxyHeader, TakesNotAByteOfWhatFollows) {
  for (const auto& [what, header, way] : kGood) {
    for (const std::string& more : {"\r\n"s, "PROXY TCP4 9.9.9.9 9.9.9.9 9 9\r\n"s, "\0"s}) {
      const ProxyHeader read = read_proxy_header(header + more, Accepted::any);
      EXPECT_EQ(read.state, State::complete) << what;
      EXPECT_EQ(read.size, header.size()) << what;
      EXPECT_EQ(read.way, way) << what;
    }
  }
}

TEST(ProxyHeader, IsIncompleteUntilItsLastByte) {
  for (const auto& [what, header, way] : kGood) {
    for (std::size_t size = 0; size < header.size(); ++size) {
      const ProxyHeader read = read_proxy_header(header.substr(0, size), Accepted::any);
      ASSERT_EQ(read.state, State::incomplete) << what << " at " << size;
      ASSERT_FALSE(read.way.has_value()) << what << " at " << size;
    }
  }
}

TEST(ProxyHeader, RefusesWhatIsBad) {
  for (const auto& [what, header] : kBad) {
    EXPECT_EQ(read_proxy_header(header, Accepted::any).state, State::malformed) << what;
  }
}

// However it comes in pieces, it is not taken for something else on the way.
TEST(ProxyHeader, NeverCompletesWhatIsBad) {
  for (const auto& [what, header] : kBad) {
    bool bad = false;
    for (std::size_t size = 0; size <= header.size(); ++size) {
      const State state = read_proxy_header(header.substr(0, size), Accepted::any).state;
      ASSERT_NE(state, State::complete) << what << " at " << size;
      ASSERT_FALSE(bad && state == State::incomplete) << what << " at " << size;
      bad = state == State::malformed;
    }
  }
}

// What can never be one is not waited for.
TEST(ProxyHeader, RefusesAtTheFirstByteThatIsWrong) {
  const auto refused_at = [](const std::string& bytes) {
    std::size_t size = 0;
    while (read_proxy_header(bytes.substr(0, size), Accepted::any).state == State::incomplete) {
      ++size;
    }
    return size;
  };
  EXPECT_EQ(refused_at("GET / HTTP/1.1\r\n\r\n"), 1u);
  EXPECT_EQ(refused_at("POST / HTTP/1.1\r\n\r\n"), 2u);
  EXPECT_EQ(refused_at("\r\nGET / HTTP/1.1\r\n\r\n"), 3u);
  EXPECT_EQ(refused_at(v2(0x11, 0x11, kTcp4)), 13u);
  EXPECT_EQ(refused_at(v2(0x21, 0x41, kTcp4)), 16u);
  EXPECT_EQ(refused_at(v2(0x21, 0x11, 0xffff, "")), 16u);
  EXPECT_EQ(refused_at("PROXY UNKNOWN " + std::string(200, 'x')), 107u);
}

TEST(ProxyHeader, OfAVersionThatIsNotTakenIsNone) {
  const std::string first{ProxyHeaderText(SentProxyHeader::v1, kWay4).view()};
  const std::string second = v2(0x21, 0x11, kTcp4);
  EXPECT_EQ(read_proxy_header(first, Accepted::v1).way, kWay4);
  EXPECT_EQ(read_proxy_header(second, Accepted::v2).way, kWay4);
  EXPECT_EQ(read_proxy_header(first, Accepted::v2).state, State::malformed);
  EXPECT_EQ(read_proxy_header(second, Accepted::v1).state, State::malformed);
}

TEST(ProxyHeaderText, IsThatOfTheSpecification) {
  const auto text = [](SentProxyHeader version, const std::optional<ProxiedWay>& way) {
    return std::string{ProxyHeaderText(version, way).view()};
  };
  EXPECT_EQ(text(SentProxyHeader::none, kWay4), "");
  EXPECT_EQ(text(SentProxyHeader::v1, kWay4), "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n");
  EXPECT_EQ(text(SentProxyHeader::v1, kWay6), "PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n");
  EXPECT_EQ(text(SentProxyHeader::v1, {}), "PROXY UNKNOWN\r\n");
  EXPECT_EQ(text(SentProxyHeader::v2, kWay4), v2(0x21, 0x11, kTcp4));
  EXPECT_EQ(text(SentProxyHeader::v2, kWay6), v2(0x21, 0x21, kTcp6));
  EXPECT_EQ(text(SentProxyHeader::v2, {}), v2(0x21, 0x00, ""));
  EXPECT_EQ(ProxyHeaderText::local(SentProxyHeader::none).view(), "");
  EXPECT_EQ(ProxyHeaderText::local(SentProxyHeader::v1).view(), "PROXY UNKNOWN\r\n");
  EXPECT_EQ(ProxyHeaderText::local(SentProxyHeader::v2).view(), v2(0x20, 0x00, ""));
}

TEST(ProxyHeaderText, OfTwoFamiliesIsThatOfTheLargerOne) {
  const ProxiedWay mixed{ip("192.0.2.1"), ip("2001:db8::2"), 1, 2};
  EXPECT_EQ(ProxyHeaderText(SentProxyHeader::v1, mixed).view(),
            "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1 2\r\n");
  const std::string second{ProxyHeaderText(SentProxyHeader::v2, mixed).view()};
  EXPECT_EQ(second.substr(13, 1), "\x21");
  EXPECT_EQ(second.substr(16, 16), "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01"s);
}

IpAddress any_address() {
  if (*rc::gen::arbitrary<bool>()) return IpAddress::v4(*rc::gen::arbitrary<std::uint32_t>());
  IpAddress::Bytes bytes{};
  // Many zeros: where "::" stands is decided by them.
  for (std::uint8_t& byte : bytes) {
    byte = *rc::gen::oneOf(rc::gen::just<std::uint8_t>(0), rc::gen::arbitrary<std::uint8_t>());
  }
  return IpAddress::v6(bytes);
}

TEST(ProxyHeaderLaw, WhatIsWrittenIsRead) {
  const bool held = rc::check([] {
    const ProxiedWay way{any_address(), any_address(), *rc::gen::arbitrary<std::uint16_t>(),
                         *rc::gen::arbitrary<std::uint16_t>()};
    const auto version = *rc::gen::element(SentProxyHeader::v1, SentProxyHeader::v2);
    const std::string header{ProxyHeaderText(version, way).view()};
    for (std::size_t size = 0; size < header.size(); ++size) {
      RC_ASSERT(read_proxy_header(header.substr(0, size), Accepted::any).state ==
                State::incomplete);
    }
    const ProxyHeader read = read_proxy_header(header + "GET", Accepted::any);
    RC_ASSERT(read.state == State::complete);
    RC_ASSERT(read.size == header.size());
    RC_ASSERT(read.way == way);
  });
  EXPECT_TRUE(held);
}

// Half of what there is to be wrong, a machine finds sooner: one byte, anywhere, of a header with a
// sum never gives another way.
TEST(ProxyHeaderLaw, ASumTellsOfAnyByteThatChanged) {
  const std::string header = v2(0x21, 0x11, kTcp4 + tlv(3, "\x20\xec\x95\x49"));
  for (std::size_t at = 16; at < header.size(); ++at) {
    if (at == 28) continue;  // The type: without it there is no sum.
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = header;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      EXPECT_NE(read_proxy_header(changed, Accepted::any).state, State::complete) << at;
    }
  }
}

}  // namespace
}  // namespace lb::net
