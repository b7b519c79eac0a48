// Goal: strategies and what their keys are made from are read, refused and written like everything
// else; what is unwise is a warning and no problem.
// Method: each form there and back; each mistake with every word of what is said about it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lbcore/config/daemon_config.h"
#include "lbcore/config/reference.h"

namespace lb::config {
namespace {

using Source = KeyExpression::Source;

// A configuration whose second line is the strategy.
LoadedConfig load_strategy(const std::string& strategy) {
  return load_config("clusters: [{name: web, backends: [], strategy:\n" + strategy +
                         "\n}]\nlisteners: [{name: web, bind: '127.0.0.1:80', cluster: web}]\n",
                     "lbd.yaml");
}

StrategyConfig good(const std::string& strategy) {
  const LoadedConfig loaded = load_strategy(strategy);
  EXPECT_EQ(format_problems("lbd.yaml", loaded.problems), "") << strategy;
  return loaded.config.clusters.at(0).strategy;
}

std::string problems_of(const std::string& strategy) {
  return format_problems("f", load_strategy(strategy).problems);
}

struct Form {
  const char* text;
  KeyExpression key;
};
const std::vector<Form> kForms{{"client_ip", {Source::client_ip, ""}},
                               {"path", {Source::path, ""}},
                               {"{header: x-user}", {Source::header, "x-user"}},
                               {"{cookie: sid}", {Source::cookie, "sid"}},
                               {"{query: user}", {Source::query, "user"}}};

TEST(StrategyFields, ReadEveryFormOfAKey) {
  for (const Form& form : kForms) {
    const std::string options = std::string{", key: "} + form.text + "}";
    EXPECT_TRUE(good("{name: ring_hash" + options) ==
                StrategyConfig{RingHashConfig{.key = form.key}});
    EXPECT_TRUE(good("{name: maglev" + options) == StrategyConfig{MaglevConfig{.key = form.key}});
    EXPECT_TRUE(good("{name: rendezvous" + options) ==
                StrategyConfig{RendezvousConfig{.key = form.key}});
  }
}

TEST(StrategyFields, ReadEveryOption) {
  EXPECT_TRUE(good("{name: ring_hash, virtual_nodes: 40, balance_factor: 1.25}") ==
              StrategyConfig(RingHashConfig{{}, 40, 1.25}));
  EXPECT_TRUE(good("{name: maglev, table_size: 5000011, balance_factor: 1}") ==
              StrategyConfig(MaglevConfig{{}, 5'000'011, 1}));
  EXPECT_TRUE(good("{name: rendezvous, balance_factor: 100}") ==
              StrategyConfig(RendezvousConfig{{}, 100}));
  EXPECT_TRUE(good("{name: ip_hash, balance_factor: 2}") == StrategyConfig{IpHashConfig{2}});
  EXPECT_TRUE(good("first") == StrategyConfig{FirstConfig{}});
}

TEST(StrategyFields, ReadBackWhatWasWritten) {
  std::vector<StrategyConfig> configs = all_strategies();
  for (const Form& form : kForms) {
    configs.push_back(RingHashConfig{form.key, 4096, 1.1});
    configs.push_back(MaglevConfig{form.key, 7, std::nullopt});
    configs.push_back(RendezvousConfig{form.key, 3.5});
  }
  for (const StrategyConfig& config : configs) {
    DaemonConfig daemon = load_strategy("first").config;
    daemon.clusters.at(0).strategy = config;
    const std::string text = to_json(daemon).dump();
    const LoadedConfig loaded = load_config(text, "lbd.json");
    EXPECT_EQ(format_problems("", loaded.problems), "") << text;
    EXPECT_TRUE(loaded.config == daemon) << text;
  }
}

TEST(StrategyFields, SayWhatIsWrongWithAKey) {
  const std::string expected =
      R"(expected "client_ip", "path", {header: name}, {cookie: name} or {query: name}, found )";
  const std::string at = "f:2:24: clusters[0].strategy.key";
  const auto problems = [](const std::string& key) {
    return problems_of("{name: ring_hash, key: " + key + "}");
  };
  EXPECT_EQ(problems("client"), at + ": " + expected + "\"client\"; did you mean \"client_ip\"?\n");
  EXPECT_EQ(problems("[path]"), at + ": " + expected + "a list\n");
  EXPECT_EQ(problems("{}"), at + ": " + expected + "an object\n");
  EXPECT_EQ(problems("{header: a, cookie: b}"), at + ": " + expected + "an object\n");
  EXPECT_EQ(problems("{heder: a}"), at + ": " + expected + "\"heder\"; did you mean \"header\"?\n");
  EXPECT_EQ(problems("{cookie: ''}"),
            "f:2:33: clusters[0].strategy.key.cookie: expected a text that is not empty, found "
            "\"\"\n");
  EXPECT_EQ(problems("header"), at + ": " + expected + "\"header\"\n") << "which header?";
}

TEST(StrategyFields, SayWhatIsWrongWithAnOption) {
  EXPECT_EQ(
      problems_of("{name: maglev, table_size: 65536}"),
      "f:2:28: clusters[0].strategy.table_size: expected a prime number, found \"65536\"; the "
      "next is 65537\n");
  EXPECT_EQ(problems_of("{name: maglev, table_size: 5000012}"),
            "f:2:28: clusters[0].strategy.table_size: expected a whole number from 2 to 5000011, "
            "found \"5000012\"\n");
  EXPECT_EQ(problems_of("{name: ring_hash, virtual_nodes: 0}"),
            "f:2:34: clusters[0].strategy.virtual_nodes: expected a whole number from 1 to 4096, "
            "found \"0\"\n");
  for (const char* strategy : {"ip_hash", "ring_hash", "maglev", "rendezvous"}) {
    for (const char* factor : {"0.99", "101", "nan", "inf", "'2'", "[2]"}) {
      const std::string found =
          problems_of(std::string{"{balance_factor: "} + factor + ", name: " + strategy + "}");
      EXPECT_TRUE(
          found.starts_with("f:2:18: clusters[0].strategy.balance_factor: expected a number "
                            "from 1 to 100, found "))
          << found;
    }
  }
  EXPECT_EQ(problems_of("{name: ip_hash, key: path}"),
            "f:2:17: clusters[0].strategy.key: unknown key; expected one of \"name\" or "
            "\"balance_factor\"\n")
      << "its key is the address";
}

TEST(StrategyFields, AreInTheReference) {
  std::map<std::string, Key> keys;
  for (const Key& key : configuration_keys()) {
    if (key.doc.find("`maglev`: ") == 0) keys[key.path] = key;
  }
  ASSERT_EQ(keys.size(), 3u);
  const Key& table_size = keys.at("clusters[].strategy.table_size");
  EXPECT_EQ(table_size.type, "whole number from 2 to 5000011");
  EXPECT_EQ(table_size.default_value, "65537");
  const Key& factor = keys.at("clusters[].strategy.balance_factor");
  EXPECT_EQ(factor.type, "number from 1 to 100");
  EXPECT_EQ(factor.default_value, "") << "not set";
  EXPECT_EQ(keys.at("clusters[].strategy.key").default_value, "\"client_ip\"");
}

TEST(Warnings, AreNoneForMostStrategies) {
  for (const StrategyConfig& config : all_strategies()) {
    const std::string name{strategy_name(config)};
    if (name == "least_ewma_latency") continue;
    EXPECT_EQ(format_problems("f", load_strategy(name).warnings), "") << name;
  }
}

TEST(Warnings, TellOfTheStrategyThatHerds) {
  for (const char* strategy : {"least_ewma_latency", "{name: least_ewma_latency}"}) {
    const LoadedConfig loaded = load_strategy(strategy);
    EXPECT_EQ(format_problems("f", loaded.problems), "") << "it may be used";
    EXPECT_EQ(format_problems("lbd.yaml", loaded.warnings, "warning: "),
              "lbd.yaml:2:1: warning: clusters[0].strategy: herds onto the fastest backend at high "
              "load; least_dynamic_score or peak_ewma count requests in flight too\n");
  }
}

TEST(Warnings, TellOfASecretThatCanBeGuessed) {
  const auto warnings_of = [](const std::string& secret) {
    return format_problems(
        "f", load_config("clusters:\n- {name: web, backends: [{id: a, address: 'h:1'}],\n"
                         "   affinity: {cookie: {secret: '" +
                             secret + "'}}}\n",
                         "f")
                 .warnings);
  };
  EXPECT_EQ(warnings_of(std::string(15, 'x')),
            "f:3:14: clusters[0].affinity.cookie.secret: 15 characters can be guessed; expected 16 "
            "or more, such as `openssl rand -hex 16` prints\n");
  EXPECT_EQ(warnings_of(std::string(16, 'x')), "");
  EXPECT_EQ(warnings_of(""), "") << "one is made up";
}

}  // namespace
}  // namespace lb::config
