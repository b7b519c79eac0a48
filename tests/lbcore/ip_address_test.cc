// Goal: what is an address and what is not, and how it is written.
// Method: tables. That it agrees with the system's own functions on any text is a property.
#include "lbcore/ip_address.h"

#include <gtest/gtest.h>

#include <string>

namespace lb {
namespace {

std::string rewritten(std::string_view text) {
  const auto address = IpAddress::parse(text);
  return address ? std::string{address->text().view()} : "none";
}

TEST(IpAddress, IsWrittenInOneWay) {
  EXPECT_EQ(rewritten("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(rewritten("0.0.0.0"), "0.0.0.0");
  EXPECT_EQ(rewritten("255.255.255.255"), "255.255.255.255");
  EXPECT_EQ(rewritten("::"), "::");
  EXPECT_EQ(rewritten("::1"), "::1");
  EXPECT_EQ(rewritten("1::"), "1::");
  EXPECT_EQ(rewritten("2001:DB8:0:0:0:0:0:1"), "2001:db8::1");
  // RFC 5952, section 4.2: not for a single zero, the longest run, and the first of two.
  EXPECT_EQ(rewritten("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
  EXPECT_EQ(rewritten("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");
  EXPECT_EQ(rewritten("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
  EXPECT_EQ(rewritten("1:2:3:4:5:6:0:0"), "1:2:3:4:5:6::");
  EXPECT_EQ(rewritten("64:ff9b::192.0.2.33"), "64:ff9b::c000:221");
  EXPECT_EQ(rewritten("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

TEST(IpAddress, OfIpv4InTheFormOfIpv6IsOfIpv4) {
  EXPECT_EQ(rewritten("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(rewritten("::FFFF:c000:0201"), "192.0.2.1");
  EXPECT_EQ(IpAddress::parse("::ffff:192.0.2.1"), IpAddress::v4(0xc0000201));
  EXPECT_TRUE(IpAddress::parse("::ffff:0:0")->is_v4());
  EXPECT_FALSE(IpAddress::parse("::fffe:192.0.2.1")->is_v4());
  EXPECT_FALSE(IpAddress::parse("1::ffff:192.0.2.1")->is_v4());
  EXPECT_EQ(IpAddress{}, IpAddress::v4(0));
  EXPECT_EQ(IpAddress::v4(0xc0000201).v4_bits(), 0xc0000201);
}

TEST(IpAddress, AnythingElseIsNone) {
  for (const char* text : {"",
                           " ",
                           ".",
                           ":",
                           ":::",
                           "1",
                           "1.2.3",
                           "1.2.3.4.5",
                           "1.2.3.",
                           ".1.2.3.4",
                           "1..2.3",
                           "1.2.3.4 ",
                           " 1.2.3.4",
                           "01.2.3.4",
                           "1.2.3.00",
                           "1.2.3.256",
                           "1.2.3.-4",
                           "+1.2.3.4",
                           "0x1.2.3.4",
                           "1.2.3.4/8",
                           "1.2.3.4:80",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1:2:3:4:5:6:7:8::",
                           "::1:2:3:4:5:6:7:8",
                           "1::2::3",
                           "1:2:3:4:5:6:7:",
                           ":1:2:3:4:5:6:7",
                           "12345::",
                           "g::",
                           "[::1]",
                           "::1%eth0",
                           "::1.2.3",
                           "::1.2.3.4:5",
                           "1.2.3.4::",
                           "::01.2.3.4",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "::-1",
                           "1:2:3:4::5:6:7:8",
                           "localhost",
                           "1.2.3.4\n"}) {
    EXPECT_EQ(rewritten(text), "none") << text;
  }
  EXPECT_EQ(rewritten(std::string_view{"1.2.3.4\0", 8}), "none");
}

}  // namespace
}  // namespace lb
