// Goal: a fake backend takes the PROXY headers of the specification and nothing beside it.
// Method: each header whole, with something behind it, and cut at every byte; then what is none.
#include "harness/proxy_header.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lb::harness {
namespace {

using namespace std::string_literals;
using State = ProxyHeader::State;

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string kAddresses4 = "\x7f\x01\x00\x01\x7f\x00\x00\x01\x30\x39\x00\x50"s;

// Command and family are bytes, as is the length, below 256.
std::string binary(char command, char family, const std::string& rest) {
  return kSignature + command + family + '\0' + static_cast<char>(rest.size()) + rest;
}

struct Header {
  std::string bytes;
  SentProxyHeader version;
};

const std::vector<Header> kGood{
    {"PROXY TCP4 127.1.0.1 127.0.0.1 12345 80\r\n", SentProxyHeader::v1},
    {"PROXY TCP6 ::1 2001:db8::1 1 65535\r\n", SentProxyHeader::v1},
    {"PROXY UNKNOWN\r\n", SentProxyHeader::v1},
    {binary('\x21', '\x11', kAddresses4), SentProxyHeader::v2},
    {binary('\x21', '\x21', std::string(36, '\1')), SentProxyHeader::v2},
    {binary('\x21', '\x11', kAddresses4 + "\x04\x00\x01\x00"s), SentProxyHeader::v2},
    {binary('\x20', '\x00', ""), SentProxyHeader::v2}};

const std::vector<Header> kBad{
    {"GET / HTTP/1.1\r\n\r\n", SentProxyHeader::v1},
    {"GET / HTTP/1.1\r\n\r\n", SentProxyHeader::v2},
    {"PROXY TCP4 127.1.0.1 127.0.0.1 12345\r\n", SentProxyHeader::v1},
    {"PROXY TCP4 127.1.0.1 127.0.0.1 12345 80 \r\n", SentProxyHeader::v1},
    {"PROXY TCP4  127.1.0.1 127.0.0.1 12345 80\r\n", SentProxyHeader::v1},
    {"PROXY TCP4 127.1.0.1 127.0.0.1 12345 65536\r\n", SentProxyHeader::v1},
    {"PROXY TCP4 127.1.0.1 127.0.0.1 -1 80\r\n", SentProxyHeader::v1},
    {"PROXY TCP4 127.1.0.1 127.0.0.1 12345 80x\r\n", SentProxyHeader::v1},
    {"PROXY TCP4 ::1 ::1 1 2\r\n", SentProxyHeader::v1},
    {"PROXY TCP6 127.1.0.1 127.0.0.1 1 2\r\n", SentProxyHeader::v1},
    {"PROXY UDP4 127.1.0.1 127.0.0.1 1 2\r\n", SentProxyHeader::v1},
    {"PROXY " + std::string(101, 'x'), SentProxyHeader::v1},
    {kGood[0].bytes, SentProxyHeader::v2},
    {kGood[3].bytes, SentProxyHeader::v1},
    {binary('\x11', '\x11', kAddresses4), SentProxyHeader::v2},
    {binary('\x21', '\x12', kAddresses4), SentProxyHeader::v2},
    {binary('\x21', '\x00', ""), SentProxyHeader::v2},
    {binary('\x21', '\x11', kAddresses4.substr(1)), SentProxyHeader::v2},
    {binary('\x21', '\x21', kAddresses4), SentProxyHeader::v2}};

TEST(HarnessProxyHeader, EndsWhereItEnds) {
  for (const Header& each : kGood) {
    const ProxyHeader read = read_proxy_header(each.bytes + "GET /", each.version);
    EXPECT_EQ(read.state, State::whole) << each.bytes;
    EXPECT_EQ(read.size, each.bytes.size());
    for (std::size_t size = 0; size < each.bytes.size(); ++size) {
      EXPECT_EQ(read_proxy_header(each.bytes.substr(0, size), each.version).state, State::more)
          << each.bytes << size;
    }
  }
}

TEST(HarnessProxyHeader, IsNotTakenForOne) {
  for (const Header& each : kBad) {
    EXPECT_EQ(read_proxy_header(each.bytes, each.version).state, State::bad) << each.bytes;
  }
}

}  // namespace
}  // namespace lb::harness
