// Goal: a set of prefixes has an address when a walk over all of them says so, and a text is an
// address when the system says so.
// Method: RapidCheck against a comparison bit by bit, and against inet_pton and inet_ntop.
#include <arpa/inet.h>

#include <algorithm>

#include "lbcore/ip_set.h"
#include "tests/testing/property.h"

namespace lb {
namespace {

using lb::testing::expect_property;

// Addresses close to each other, so that prefixes of any length tell some of them apart.
rc::Gen<IpAddress> address() {
  return rc::gen::apply(
      [](bool v4, const std::vector<std::uint8_t>& bits) {
        IpAddress::Bytes bytes = IpAddress::v4(0x0a000000).bytes();
        if (!v4) bytes = {0x20, 0x01, 0x0d, 0xb8};
        for (const std::uint8_t bit : bits) {
          const unsigned place = v4 ? 96 + bit % 32 : bit % 128;
          bytes[place / 8] = static_cast<std::uint8_t>(bytes[place / 8] ^ (1U << (7 - place % 8)));
        }
        return IpAddress::v6(bytes);
      },
      rc::gen::arbitrary<bool>(),
      rc::gen::resize(4, rc::gen::arbitrary<std::vector<std::uint8_t>>()));
}

rc::Gen<IpPrefix> prefix() {
  return rc::gen::apply(
      [](const IpAddress& base, unsigned length) {
        return IpPrefix{base, static_cast<std::uint8_t>(length % (base.is_v4() ? 33 : 129))};
      },
      address(), rc::gen::inRange(0U, 129U));
}

bool bit_of(const IpAddress& address, unsigned place) {
  return (address.bytes()[place / 8] >> (7 - place % 8) & 1U) != 0;
}

bool in_prefix(const IpPrefix& prefix, const IpAddress& address) {
  if (prefix.address.is_v4() != address.is_v4()) return false;
  const unsigned first = address.is_v4() ? 96 : 0;
  for (unsigned place = first; place < first + prefix.length; ++place) {
    if (bit_of(prefix.address, place) != bit_of(address, place)) return false;
  }
  return true;
}

TEST(IpSetProperty, HasWhatAWalkOverAllPrefixesFinds) {
  expect_property([] {
    const auto prefixes = *rc::gen::container<std::vector<IpPrefix>>(prefix());
    const IpSet set(prefixes);
    for (const IpAddress& each : *rc::gen::container<std::vector<IpAddress>>(address())) {
      const bool expected = std::any_of(prefixes.begin(), prefixes.end(),
                                        [&](const IpPrefix& p) { return in_prefix(p, each); });
      RC_ASSERT(set.contains(each) == expected);
    }
  });
}

TEST(IpSetProperty, APrefixHasItsEndsAndNothingBeside) {
  expect_property([] {
    const IpPrefix one = *prefix();
    RC_ASSERT(in_prefix(one, one.first()) && in_prefix(one, one.last()));
    RC_ASSERT(IpPrefix::parse(one.text()) == one);
    RC_ASSERT(one.canonical().canonical() == one.canonical());
  });
}

TEST(IpAddressProperty, WhatIsWrittenReadsBackAndIsTheSystemsText) {
  expect_property([] {
    const IpAddress one = *address();
    const std::string text{one.text().view()};
    RC_ASSERT(IpAddress::parse(text) == one);
    std::array<char, INET6_ADDRSTRLEN> system{};
    const std::uint32_t v4 = htonl(one.v4_bits());
    const void* bytes = one.is_v4() ? static_cast<const void*>(&v4) : one.bytes().data();
    ::inet_ntop(one.is_v4() ? AF_INET : AF_INET6, bytes, system.data(), system.size());
    RC_ASSERT(text == system.data());
  });
}

TEST(IpAddressProperty, IsWhatTheSystemTakesForOne) {
  expect_property([] {
    const auto text =
        *rc::gen::container<std::string>(rc::gen::elementOf(std::string{"::::..0125fF"}));
    std::array<std::uint8_t, 16> bytes{};
    const bool v6 = text.find(':') != std::string::npos;
    const bool good = ::inet_pton(v6 ? AF_INET6 : AF_INET, text.c_str(), bytes.data()) == 1;
    const auto parsed = IpAddress::parse(text);
    RC_ASSERT(parsed.has_value() == good);
    if (good && v6) RC_ASSERT(parsed->bytes() == bytes);
  });
}

}  // namespace
}  // namespace lb
