// Goal: prefixes mean what CIDR says, to the last address, in both families.
// Method: exact cases at both ends. That a set of any is a walk over all is a property.
#include "lbcore/ip_set.h"

#include <gtest/gtest.h>

namespace lb {
namespace {

IpSet set_of(std::initializer_list<std::string_view> texts) {
  std::vector<IpPrefix> prefixes;
  for (const std::string_view text : texts) prefixes.push_back(IpPrefix::parse(text).value());
  return IpSet(prefixes);
}

bool has(const IpSet& set, std::string_view address) {
  return set.contains(IpAddress::parse(address).value());
}

TEST(IpPrefix, ReachesFromItsFirstToItsLastAddress) {
  const auto ends = [](std::string_view text) {
    const IpPrefix prefix = IpPrefix::parse(text).value();
    std::string out{prefix.first().text().view()};
    out += ' ';
    out += prefix.last().text().view();
    return out;
  };
  EXPECT_EQ(ends("10.0.0.0/8"), "10.0.0.0 10.255.255.255");
  EXPECT_EQ(ends("192.0.2.128/25"), "192.0.2.128 192.0.2.255");
  EXPECT_EQ(ends("192.0.2.4/31"), "192.0.2.4 192.0.2.5");
  EXPECT_EQ(ends("192.0.2.4"), "192.0.2.4 192.0.2.4");
  EXPECT_EQ(ends("0.0.0.0/0"), "0.0.0.0 255.255.255.255");
  EXPECT_EQ(ends("2001:db8::/33"), "2001:db8:: 2001:db8:7fff:ffff:ffff:ffff:ffff:ffff");
  EXPECT_EQ(ends("::1"), "::1 ::1");
  EXPECT_EQ(ends("::ffff:10.0.0.0/104"), "10.0.0.0 10.255.255.255");
}

TEST(IpPrefix, TellsWhatItShouldBe) {
  const IpPrefix prefix = IpPrefix::parse("10.1.2.3/8").value();
  EXPECT_NE(prefix.canonical(), prefix);
  EXPECT_EQ(prefix.canonical().text(), "10.0.0.0/8");
  EXPECT_EQ(IpPrefix::parse("2001:db8::1/32")->canonical().text(), "2001:db8::/32");
}

TEST(IpPrefix, AnythingElseIsNone) {
  for (const char* text :
       {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/+8",
        "10.0.0.0/8 ", "10.0.0.0 /8", "10.0.0/8", "10.0.0.0/8/8", "10.0.0.0/255.0.0.0", "::/129",
        "::/1280", "::ffff:0:0/95", "::ffff:1.2.3.4/0", "example.com"}) {
    EXPECT_FALSE(IpPrefix::parse(text)) << text;
  }
}

TEST(IpSet, OfNothingHasNobody) {
  EXPECT_TRUE(IpSet{}.empty());
  EXPECT_FALSE(has(IpSet{}, "127.0.0.1"));
  EXPECT_FALSE(has(IpSet{}, "::1"));
}

TEST(IpSet, HasWhatIsInAnyOfItsPrefixes) {
  const IpSet set = set_of({"192.168.0.0/16", "10.0.0.0/8", "10.1.0.0/16", "fd00::/8", "8.8.8.8"});
  for (const char* inside :
       {"10.0.0.0", "10.1.2.3", "10.255.255.255", "192.168.255.255", "8.8.8.8",
        "fd00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:10.0.0.1"}) {
    EXPECT_TRUE(has(set, inside)) << inside;
  }
  for (const char* outside : {"9.255.255.255", "11.0.0.0", "192.167.255.255", "192.169.0.0",
                              "8.8.8.7", "8.8.8.9", "fcff::", "fe00::", "::10.0.0.1"}) {
    EXPECT_FALSE(has(set, outside)) << outside;
  }
}

// Who trusts all of IPv6 has said nothing of IPv4.
TEST(IpSet, AllOfOneFamilyIsNoneOfTheOther) {
  EXPECT_TRUE(has(set_of({"::/0"}), "2001:db8::1"));
  EXPECT_FALSE(has(set_of({"::/0"}), "10.0.0.1"));
  EXPECT_FALSE(has(set_of({"::/0"}), "::ffff:10.0.0.1"));
  EXPECT_TRUE(has(set_of({"0.0.0.0/0"}), "10.0.0.1"));
  EXPECT_FALSE(has(set_of({"0.0.0.0/0"}), "::1"));
}

}  // namespace
}  // namespace lb
