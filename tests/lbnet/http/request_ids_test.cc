// Goal: ids that are passed on are what they say they are, and ours are of that kind, too.
#include "lbnet/http/request_ids.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "lbnet/http/head_parser.h"

namespace lb::net::http {
namespace {

std::vector<Field> fields_of(const std::string& fields, std::string& text) {
  text = "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
  RequestHead head;
  EXPECT_EQ(parse_request_head(text, head), 0) << text;
  return head.fields;
}

TEST(RequestIds, AreVisibleAndSingle) {
  const std::string longest(128, 'x');
  std::string text;
  const auto id = [&](const std::string& fields) {
    return std::string{request_id(fields_of(fields, text))};
  };
  EXPECT_EQ(id(""), "");
  EXPECT_EQ(id("X-Request-ID: 7a-\"b\",c\r\n"), "7a-\"b\",c");
  EXPECT_EQ(id("X-Request-Id:\r\n"), "");
  EXPECT_EQ(id("X-Request-Id: a b\r\n"), "");
  EXPECT_EQ(id("X-Request-Id: \xc3\xa9\r\n"), "");
  EXPECT_EQ(id("X-Request-Id: " + longest + "\r\n"), longest);
  EXPECT_EQ(id("X-Request-Id: " + longest + "x\r\n"), "");
  EXPECT_EQ(id("X-Request-Id: a\r\nX-Request-Id: a\r\n"), "");
}

TEST(RequestIds, TakeATraceparentAsTheRecommendationHasIt) {
  const std::string trace(32, 'a');
  const std::string span(16, 'b');
  std::string text;
  const auto good = [&](const std::string& value) {
    return !traceparent(fields_of("traceparent: " + value + "\r\n", text)).empty();
  };
  EXPECT_TRUE(good("00-" + trace + "-" + span + "-01"));
  EXPECT_TRUE(good("00-" + trace + "-" + span + "-ff"));
  EXPECT_TRUE(good("cc-" + trace + "-" + span + "-00"));
  EXPECT_TRUE(good("cc-" + trace + "-" + span + "-00-later"));
  EXPECT_FALSE(good("cc-" + trace + "-" + span + "-00later"));
  EXPECT_FALSE(good("00-" + trace + "-" + span + "-00-later"));
  EXPECT_FALSE(good("ff-" + trace + "-" + span + "-01"));
  EXPECT_FALSE(good("00-" + std::string(32, 'A') + "-" + span + "-01"));
  EXPECT_FALSE(good("00-" + std::string(32, '0') + "-" + span + "-01"));
  EXPECT_FALSE(good("00-" + trace + "-" + std::string(16, '0') + "-01"));
  EXPECT_FALSE(good("00-" + trace + "-" + span + "-0g"));
  EXPECT_FALSE(good("0g-" + trace + "-" + span + "-01"));
  EXPECT_FALSE(good("00-" + trace + "-" + span + "-1"));
  EXPECT_FALSE(good("00_" + trace + "-" + span + "-01"));
  EXPECT_FALSE(good("00-" + trace + "_" + span + "-01"));
  EXPECT_FALSE(good("00-" + trace + "-" + span + "_01"));
  EXPECT_FALSE(good(""));
}

TEST(RequestIds, OursAreValidAndDiffer) {
  Prng random(7);
  std::set<std::string> seen;
  std::string made;
  std::string text;
  for (int n = 0; n < 1000; ++n) {
    make_request_id(random, made);
    EXPECT_EQ(made.size(), 32U);
    EXPECT_EQ(request_id(fields_of("X-Request-Id: " + made + "\r\n", text)), made);
    EXPECT_TRUE(seen.insert(made).second);
    make_traceparent(random, made);
    EXPECT_EQ(traceparent(fields_of("traceparent: " + made + "\r\n", text)), made);
    EXPECT_EQ(trace_id(made), made.substr(3, 32));
    EXPECT_TRUE(seen.insert(made).second);
  }
  EXPECT_EQ(trace_id(""), "");
}

}  // namespace
}  // namespace lb::net::http
