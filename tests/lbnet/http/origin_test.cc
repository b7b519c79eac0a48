// Goal: a request's origin is whom the last trusted proxy names, and nothing that a client wrote
// itself is ever believed.
// Method: tables of fields as they come, each with the origin; 10.0.0.0/8 and 2001:db8::/32 are
// trusted.
#include "lbnet/http/origin.h"

#include <gtest/gtest.h>

#include <string>

#include "lbnet/http/head_parser.h"

namespace lb::net::http {
namespace {

const TrustedProxies& trusted() {
  static const TrustedProxies proxies = [] {
    const std::vector<TrustedProxy> list{{IpPrefix::parse("10.0.0.0/8")},
                                         {IpPrefix::parse("2001:db8::/32")}};
    return TrustedProxies(list);
  }();
  return proxies;
}

Origin origin_of(const std::string& fields, ForwardedFields by) {
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
  RequestHead head;
  EXPECT_EQ(parse_request_head(text, head), 0) << text;
  return find_origin(head.fields, by, trusted());
}

std::string described(const Origin& origin) {
  std::string text = origin.address ? std::string{origin.address->text().view()} : "peer";
  if (origin.secure) text += *origin.secure ? " https" : " http";
  return text;
}

struct Row {
  std::string fields;
  std::string origin;
};

TEST(Origin, IsFoundFromRightToLeftInXForwardedFor) {
  const std::vector<Row> table{
      {"", "peer"},
      {"X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1"},
      {"X-Forwarded-For:\r\n", "peer"},
      {"X-Forwarded-For: ,\r\n", "peer"},
      {"X-Forwarded-For: 192.0.2.1, 10.0.0.2\r\n", "192.0.2.1"},
      // What stands left of the first who is not trusted is made up.
      {"X-Forwarded-For: 198.51.100.9, 192.0.2.1, 10.0.0.2\r\n", "192.0.2.1"},
      {"X-Forwarded-For: 10.9.9.9, 192.0.2.1\r\n", "192.0.2.1"},
      {"X-Forwarded-For: 10.0.0.3, 10.0.0.2\r\n", "10.0.0.3"},
      // Several fields are one list.
      {"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 10.0.0.2\r\n", "192.0.2.1"},
      {"X-Forwarded-For: 192.0.2.1\r\nX: y\r\nx-forwarded-for: 192.0.2.2\r\n", "192.0.2.2"},
      {"X-Forwarded-For: 192.0.2.1,,\t10.0.0.2 ,\r\n", "192.0.2.1"},
      // No address ends it: who says so is the last one known.
      {"X-Forwarded-For: 192.0.2.1, unknown\r\n", "peer"},
      {"X-Forwarded-For: 192.0.2.1, unknown, 10.0.0.2\r\n", "10.0.0.2"},
      {"X-Forwarded-For: 192.0.2.1, 010.0.0.1\r\n", "peer"},
      {"X-Forwarded-For: 192.0.2.1 10.0.0.2\r\n", "peer"},
      {"X-Forwarded-For: \"192.0.2.1\"\r\n", "peer"},
      {"X-Forwarded-For: 192.0.2.256\r\n", "peer"},
      // With ports, and IPv6 in each of its spellings.
      {"X-Forwarded-For: 192.0.2.1:4711\r\n", "192.0.2.1"},
      {"X-Forwarded-For: 2001:DB9:0::1\r\n", "2001:db9::1"},
      {"X-Forwarded-For: [2001:db9::1]\r\n", "2001:db9::1"},
      {"X-Forwarded-For: 192.0.2.1, [2001:db8::1]:443\r\n", "192.0.2.1"},
      {"X-Forwarded-For: [2001:db9::1]443\r\n", "peer"},
      {"X-Forwarded-For: [2001:db9::1\r\n", "peer"},
      {"X-Forwarded-For: 192.0.2.1, ::ffff:10.0.0.2\r\n", "192.0.2.1"},
      {"X-Forwarded-For: fe80::1%eth0\r\n", "peer"},
      // Who does not say it in this field says nothing.
      {"Forwarded: for=192.0.2.1\r\nX-Real-IP: 192.0.2.1\r\n", "peer"},
      {"X-Forwarded-Proto: https\r\n", "peer https"},
      {"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: HTTP\r\n", "192.0.2.1 http"},
      {"X-Forwarded-Proto: wss\r\n", "peer https"},
      {"X-Forwarded-Proto: ws\r\n", "peer http"},
      {"X-Forwarded-Proto: https, http\r\n", "peer"},
      {"X-Forwarded-Proto: https\r\nX-Forwarded-Proto: https\r\n", "peer"},
      {"X-Forwarded-Proto: gopher\r\n", "peer"},
  };
  for (const Row& row : table) {
    EXPECT_EQ(described(origin_of(row.fields, ForwardedFields::x_forwarded)), row.origin)
        << row.fields;
    EXPECT_EQ(described(origin_of(row.fields, ForwardedFields::both)), row.origin) << row.fields;
    EXPECT_EQ(described(origin_of(row.fields, ForwardedFields::none)), row.origin) << row.fields;
  }
}

TEST(Origin, IsFoundFromRightToLeftInForwarded) {
  const std::vector<Row> table{
      {"", "peer"},
      {"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n", "peer"},
      {"Forwarded: for=192.0.2.1\r\n", "192.0.2.1"},
      {"Forwarded: For=\"192.0.2.1:80\";PROTO=https;by=10.0.0.1\r\n", "192.0.2.1 https"},
      {"Forwarded: proto=https;for=192.0.2.1;proto=http\r\n", "peer"},
      {"Forwarded: for=192.0.2.1;for=192.0.2.2\r\n", "peer"},
      {"Forwarded: for=\"[2001:db9::1]:80\"\r\n", "2001:db9::1"},
      {"Forwarded: for=[2001:db9::1]\r\n", "peer"},  // Not without quotes.
      {"Forwarded: for=192.0.2.1;proto=https, for=10.0.0.2;proto=http\r\n", "192.0.2.1 https"},
      {"Forwarded: for=198.51.100.9;proto=https, for=192.0.2.1\r\n", "192.0.2.1"},
      {"Forwarded: for=192.0.2.1\r\nForwarded: for=10.0.0.2\r\n", "192.0.2.1"},
      {"Forwarded: for=192.0.2.1, for=unknown\r\n", "peer"},
      {"Forwarded: for=192.0.2.1, for=_secret, for=10.0.0.2\r\n", "10.0.0.2"},
      {"Forwarded: for=192.0.2.1, by=10.0.0.2\r\n", "peer"},
      {"Forwarded: , for=192.0.2.1 ; proto=http ,\r\n", "192.0.2.1 http"},
      // A comma in quotes parts nothing; a quote that does not end is no value.
      {"Forwarded: for=192.0.2.1;host=\"a,for=10.0.0.9\"\r\n", "192.0.2.1"},
      {"Forwarded: for=192.0.2.1;host=\"a\\\",for=10.0.0.9\"\r\n", "192.0.2.1"},
      {"Forwarded: for=\"192.0.2.1, for=10.0.0.2\r\n", "peer"},
      {"Forwarded: for=\"192.0.2.1\\\", for=10.0.0.2\r\n", "peer"},
      {"Forwarded: for=\"10.0.0.9\r\nForwarded: for=10.0.0.2\r\n", "10.0.0.2"},
      {"Forwarded: for 192.0.2.1\r\n", "peer"},
      {"Forwarded: for=\r\n", "peer"},
      {"Forwarded: for=192.0.2.1 proto=https\r\n", "peer"},
      {"Forwarded: 192.0.2.1\r\n", "peer"},
  };
  for (const Row& row : table) {
    EXPECT_EQ(described(origin_of(row.fields, ForwardedFields::rfc7239)), row.origin) << row.fields;
  }
}

// A client that sends more hops than anybody would keep count of gains nothing by it.
TEST(Origin, IsFoundBehindAnyNumberOfInventedHops) {
  std::string invented;
  for (int n = 0; n < 300; ++n) invented += "for=10.0.0.9, ";
  EXPECT_EQ(described(origin_of("Forwarded: " + invented + "for=192.0.2.1, for=10.0.0.2\r\n",
                                ForwardedFields::rfc7239)),
            "192.0.2.1");
}

}  // namespace
}  // namespace lb::net::http
