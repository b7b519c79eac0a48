// Goal: a rate limit is read as documented, written back the same, and refused outside its bounds.
// Method: the block as YAML, one line each, against every word of what is said.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "lbcore/config/daemon_config.h"

namespace lb::config {
namespace {

LoadedConfig load(const std::string& limit) {
  return load_config(
      "listeners: [{name: l, bind: 'h:1', cluster: web}]\n"
      "clusters: [{name: web, backends: []}]\n"
      "rate_limit: " +
          limit + '\n',
      "lbd.yaml");
}

std::string problems(const std::string& limit) {
  return format_problems("lbd.yaml", load(limit).problems);
}

TEST(RateLimit, ReadsEveryKey) {
  EXPECT_EQ(load("{rate: 100, burst: 200}").config.rate_limit,
            (RateLimitConfig{.rate = 100, .burst = 200}));
  EXPECT_EQ(load("{key: {header: x-user}, rate: 0.5, burst: 1, max_keys: 7}").config.rate_limit,
            (RateLimitConfig{.key = {KeyExpression::Source::header, "x-user"},
                             .rate = 0.5,
                             .burst = 1,
                             .max_keys = 7}));
  EXPECT_EQ(load_config("listeners: []\nclusters: []\n", "lbd.yaml").config.rate_limit,
            std::nullopt);
}

TEST(RateLimit, ReadsBackWhatItWrote) {
  for (const char* limit : {"{rate: 100, burst: 200}", "{rate: 0.001, burst: 1}",
                            "{key: {cookie: sid}, rate: 33.333, burst: 1000000, max_keys: 1}"}) {
    const DaemonConfig config = load(limit).config;
    const LoadedConfig again = load_config(to_json(config).dump(), "lbd.json");
    EXPECT_EQ(format_problems("lbd.json", again.problems), "") << limit;
    EXPECT_EQ(again.config.rate_limit, config.rate_limit) << limit;
  }
}

TEST(RateLimit, SaysWhatIsWrong) {
  EXPECT_EQ(problems("{burst: 1}"),
            "lbd.yaml:3:13: rate_limit: \"rate\" is missing: requests a second of one key, on "
            "average\n");
  EXPECT_EQ(problems("{rate: 1}"),
            "lbd.yaml:3:13: rate_limit: \"burst\" is missing: requests at once of a key that has "
            "been quiet\n");
  for (const std::string rate : {"0", "0.0009", "1000001", "-1", "nan", "inf", "fast"}) {
    EXPECT_TRUE(problems("{rate: " + rate + ", burst: 1}")
                    .starts_with("lbd.yaml:3:20: rate_limit.rate: expected a number from 0.001 to "
                                 "1000000 requests a second, found "))
        << problems("{rate: " + rate + ", burst: 1}");
  }
  EXPECT_NE(problems("{rate: 1, burst: 0}"), "");
  EXPECT_NE(problems("{rate: 1, burst: 1, max_keys: 0}"), "");
  EXPECT_NE(problems("{key: {body: x}, rate: 1, burst: 1}"), "");
}

}  // namespace
}  // namespace lb::config
