// Goal: a page of another origin may use what the configuration says it may, and nothing is written
// that it does not say.
// Method: tables of origins and requests; the fields that are written, letter by letter.
#include "lbcore/routing/cors.h"

#include <gtest/gtest.h>

#include "tests/testing/requests.h"

namespace lb {
namespace {

using testing::FakeRequest;

bool allows(std::vector<std::string> origins, std::string_view origin) {
  return Cors(CorsConfig{.origins = std::move(origins)}).allows(origin);
}

TEST(Cors, AllowsOriginsOfTheListAlone) {
  const std::vector<std::string> some{"https://a.org", "http://b.org:8080", "https://*.c.org"};
  for (const char* origin : {"https://a.org", "HTTPS://A.ORG", "http://b.org:8080",
                             "https://x.c.org", "https://x.y.c.org"}) {
    EXPECT_TRUE(allows(some, origin)) << origin;
  }
  for (const char* origin :
       {"http://a.org", "https://a.org:8443", "https://a.org.evil.org", "https://xa.org", "null",
        "", "http://b.org", "https://c.org", "https://.c.org", "https://xc.org", "http://x.c.org",
        "https://x.c.org:81", "https://evil.org/.c.org", "https://evil.org#.c.org",
        "https://evil.org:80.c.org", "https://a@x.c.org", "https://a.org\r\nX: y"}) {
    EXPECT_FALSE(allows(some, origin)) << origin;
  }
  EXPECT_TRUE(allows({"*"}, "https://whoever.org"));
}

TEST(Cors, KnowsWhatAPatternIs) {
  for (const char* good : {"*", "https://a.org", "http://a.org:8080", "https://*.a.org",
                           "http://localhost", "http://[::1]:80", "https://*.a.org:8443"}) {
    EXPECT_TRUE(is_origin_pattern(good)) << good;
  }
  for (const char* bad :
       {"", "a.org", "https://", "https://a.org/", "ftp://a.org", "https://*", "https://a.*.org",
        "https://*a.org", "null", "https://a.org\r\nX: y", "https://a org", "**"}) {
    EXPECT_FALSE(is_origin_pattern(bad)) << bad;
  }
}

TEST(Cors, WritesWithAnAnswerWhatAPageMayDoWithIt) {
  const Cors cors(
      CorsConfig{.origins = {"https://a.org"}, .expose = {"X-Total", "ETag"}, .credentials = true});
  std::string out = "what was here before";
  cors.write_fields(FakeRequest{.fields = {{"Origin", "https://a.org"}}}.attributes(), out);
  EXPECT_EQ(out,
            "Vary: Origin\r\nAccess-Control-Allow-Origin: https://a.org\r\n"
            "Access-Control-Allow-Credentials: true\r\n"
            "Access-Control-Expose-Headers: X-Total, ETag\r\n");
  cors.write_fields(FakeRequest{.fields = {{"Origin", "https://evil.org"}}}.attributes(), out);
  EXPECT_EQ(out, "Vary: Origin\r\n");
  cors.write_fields(FakeRequest{}.attributes(), out);
  EXPECT_EQ(out, "Vary: Origin\r\n") << "a cache has to know even so";
  Cors(CorsConfig{.origins = {"*"}}).write_fields(FakeRequest{}.attributes(), out);
  EXPECT_EQ(out, "Access-Control-Allow-Origin: *\r\n") << "the same for everybody";
}

TEST(Cors, AnswersAPreflight) {
  const Cors cors(CorsConfig{.origins = {"https://a.org"},
                             .methods = {"GET", "PUT"},
                             .headers = {"Content-Type", "X-Api-Key"},
                             .expose = {"X-Total"},
                             .max_age = std::chrono::hours{1}});
  FakeRequest request{
      .method = "OPTIONS",
      .fields = {{"Origin", "https://a.org"}, {"Access-Control-Request-Method", "PUT"}}};
  std::string out;
  EXPECT_TRUE(Cors::is_preflight(request.attributes()));
  EXPECT_TRUE(cors.write_preflight_fields(request.attributes(), out));
  EXPECT_EQ(out,
            "Vary: Origin\r\nAccess-Control-Allow-Origin: https://a.org\r\n"
            "Access-Control-Allow-Methods: GET, PUT\r\n"
            "Access-Control-Allow-Headers: Content-Type, X-Api-Key\r\n"
            "Access-Control-Max-Age: 3600\r\n");
  request.fields = {{"Origin", "https://evil.org"}, {"Access-Control-Request-Method", "PUT"}};
  EXPECT_FALSE(cors.write_preflight_fields(request.attributes(), out));
  EXPECT_EQ(out, "Vary: Origin\r\n");
}

TEST(Cors, TakesNothingElseForAPreflight) {
  const auto is_preflight = [](std::string method, testing::FakeFields fields) {
    return Cors::is_preflight(
        FakeRequest{.method = std::move(method), .fields = std::move(fields)}.attributes());
  };
  EXPECT_FALSE(is_preflight("OPTIONS", {{"Origin", "https://a.org"}}));
  EXPECT_FALSE(is_preflight("OPTIONS", {{"Access-Control-Request-Method", "PUT"}}));
  EXPECT_FALSE(
      is_preflight("GET", {{"Origin", "https://a.org"}, {"Access-Control-Request-Method", "PUT"}}));
}

}  // namespace
}  // namespace lb
