// Goal: what a key is made from is found where it is, nowhere else, and whatever clients send; a
// request without it is keyed by its client.
// Method: tables of headers and queries with what is to be found in them, then random bytes.
#include "lbcore/request_attributes.h"

#include <gtest/gtest.h>

#include "lbcore/prng.h"

namespace lb {
namespace {

using Source = KeyExpression::Source;
using Found = std::optional<std::string_view>;

// Names in lower case, as the only ones there are.
class Fields final : public HeaderFields {
 public:
  explicit Fields(std::map<std::string, std::string, std::less<>> fields)
      : fields_(std::move(fields)) {}

  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const override {
    const auto found = fields_.find(name);
    return found == fields_.end() ? std::nullopt : Found{found->second};
  }

 private:
  std::map<std::string, std::string, std::less<>> fields_;
};

struct Case {
  const char* list;
  const char* name;
  Found value;
};

TEST(Cookie, IsFoundByItsWholeName) {
  const std::vector<Case> cases{
      {"sid=1", "sid", "1"},
      {"a=1; sid=2; b=3", "sid", "2"},
      {"a=1;sid=2", "sid", "2"},  // Without the space that there should be.
      {"a=1; \t sid=2", "sid", "2"},
      {"sid=1; sid=2", "sid", "1"},  // The first.
      {"sid=", "sid", ""},
      {"sid==x=y", "sid", "=x=y"},
      {"sid=\"1 2\"", "sid", "\"1 2\""},
      {"xsid=1", "sid", std::nullopt},
      {"sidx=1", "sid", std::nullopt},
      {"sid", "sid", std::nullopt},
      {"sid; sid=2", "sid", "2"},
      {"SID=1", "sid", std::nullopt},  // RFC 6265: names have a case.
      {"x=sid=1", "sid", std::nullopt},
      {"", "sid", std::nullopt},
      {";;; ;", "sid", std::nullopt},
      {";;sid=1;;", "sid", "1"},
      {"   ", "sid", std::nullopt},
      {"=1", "sid", std::nullopt}};
  for (const Case& each : cases) {
    const Fields fields{{{"cookie", each.list}}};
    RequestAttributes request;
    request.fields = &fields;
    EXPECT_EQ(request.cookie(each.name), each.value) << each.list;
  }
}

TEST(QueryValue, IsFoundByItsWholeName) {
  const std::vector<Case> cases{
      {"user=7", "user", "7"},           {"a=1&user=7&b=2", "user", "7"},
      {"user=7&user=8", "user", "7"},    {"user=", "user", ""},
      {"user=a=b", "user", "a=b"},       {"user=a;b", "user", "a;b"},  // Only '&' separates.
      {"user=%37", "user", "%37"},                                     // As it came.
      {"xuser=1", "user", std::nullopt}, {"users=1", "user", std::nullopt},
      {"user", "user", std::nullopt},    {"&&user=7&&", "user", "7"},
      {"", "user", std::nullopt},        {"&", "user", std::nullopt}};
  for (const Case& each : cases) {
    RequestAttributes request;
    request.query = each.list;
    EXPECT_EQ(request.query_value(each.name), each.value) << each.list;
  }
}

TEST(RequestAttributes, HaveNoHeadersWithoutAHead) {
  const RequestAttributes tcp{.client_address = "192.0.2.7"};
  EXPECT_EQ(tcp.header("host"), std::nullopt);
  EXPECT_EQ(tcp.cookie("sid"), std::nullopt);
  EXPECT_EQ(tcp.query_value("user"), std::nullopt);
}

// A request that has everything, and one that has nothing but its client.
class KeyOf : public ::testing::Test {
 protected:
  KeyOf() {
    full_.client_address = bare_.client_address = "192.0.2.7";
    full_.path = "/cart";
    full_.query = "user=7";
    full_.fields = &fields_;
  }

  Fields fields_{{{"x-user", "ann"}, {"cookie", "sid=42"}}};
  RequestAttributes full_;
  RequestAttributes bare_;
};

TEST_F(KeyOf, IsTheHashOfWhatTheExpressionNames) {
  EXPECT_EQ(key_of({Source::client_ip, ""}, full_), hash_bytes("192.0.2.7"));
  EXPECT_EQ(key_of({Source::path, ""}, full_), hash_bytes("/cart"));
  EXPECT_EQ(key_of({Source::header, "x-user"}, full_), hash_bytes("ann"));
  EXPECT_EQ(key_of({Source::cookie, "sid"}, full_), hash_bytes("42"));
  EXPECT_EQ(key_of({Source::query, "user"}, full_), hash_bytes("7"));
}

TEST_F(KeyOf, IsThatOfTheClientWithoutIt) {
  const HashKey client = hash_bytes("192.0.2.7");
  for (const RequestAttributes& request : {full_, bare_}) {
    EXPECT_EQ(key_of({Source::header, "x-none"}, request), client);
    EXPECT_EQ(key_of({Source::cookie, "none"}, request), client);
    EXPECT_EQ(key_of({Source::query, "none"}, request), client);
  }
}

// Empty is a value: such requests belong together, and not to their clients.
TEST_F(KeyOf, AnEmptyValueIsAValue) {
  const Fields fields{{{"x-user", ""}, {"cookie", "sid="}}};
  full_.fields = &fields;
  full_.query = "user=";
  for (const KeyExpression& expression : {KeyExpression{Source::header, "x-user"},
                                          {Source::cookie, "sid"},
                                          {Source::query, "user"}}) {
    EXPECT_EQ(key_of(expression, full_), hash_bytes(""));
  }
}

// Bytes out of the few that mean something: what is found is a part of the text, behind "name=".
TEST(RequestAttributes, WithstandAnyBytes) {
  Prng prng{21};
  constexpr std::string_view kBytes{"sid==;;& \t\0\xff\x80", 13};
  for (int round = 0; round < 20'000; ++round) {
    std::string text(prng.below(40), ' ');
    for (char& byte : text) byte = kBytes[prng.below(kBytes.size())];
    const Fields fields{{{"cookie", text}}};
    RequestAttributes request;
    request.query = text;
    request.fields = &fields;
    const auto expect_inside = [&](const Found& found, char separator) {
      if (!found) return;
      EXPECT_NE(text.find("sid=" + std::string{*found}), std::string::npos) << text;
      EXPECT_EQ(found->find(separator), std::string_view::npos) << text;
    };
    expect_inside(request.cookie("sid"), ';');
    expect_inside(request.query_value("sid"), '&');
  }
}

TEST(RequestAttributes, FindTheLastOfManyPairs) {
  std::string many;
  for (int n = 0; n < 100'000; ++n) many += "x" + std::to_string(n) + "=1;";
  const Fields fields{{{"cookie", many + "sid=here"}}};
  RequestAttributes request;
  request.fields = &fields;
  EXPECT_EQ(request.cookie("sid"), "here");
}

}  // namespace
}  // namespace lb
