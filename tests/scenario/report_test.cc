// Goal: the figures of a report are the arithmetic of its samples, an expectation is met only by
// requests that were made, and names in the JSON stay as they are.
// Method: few samples with round figures, so that every ratio can be worked out by head.
#include "lbsim/scenario/collector.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

namespace lb::scenario {
namespace {

using namespace std::chrono_literals;

class ReportTest : public ::testing::Test {
 protected:
  ReportTest() {
    scenario.name = "example";
    scenario.why = "a test of the report";
    scenario.seed = 7;
    scenario.duration = 10s;
    scenario.warmup = 2s;
    ClusterConfig& cluster = scenario.config.clusters.emplace_back();
    cluster.name = "web";
    for (const char* id : {"b1", "b2"}) cluster.backends.push_back({id, "h:80"});
  }

  Scenario scenario;
  BalancerTotals balancer;

  void expect(Expectation expectation) { scenario.expect.push_back(std::move(expectation)); }
  void sent(Duration at, ClientResult result, Duration latency, std::string_view backend) {
    samples_.push_back({at, latency, result, backend});
  }
  void ok(Duration at, std::string_view backend = "b1", Duration latency = 4ms) {
    sent(at, ClientResult::ok, latency, backend);
  }
  Report report() {
    Collector collector{scenario};
    for (const Sample& sample : samples_) collector.add(sample);
    EXPECT_EQ(collector.count(), samples_.size());
    return collector.finish("simulated", balancer);
  }
  // The one expectation of the scenario.
  ExpectationResult verdict() { return report().expectations.at(0); }

 private:
  std::vector<Sample> samples_;
};

TEST_F(ReportTest, CountsEveryResultOnce) {
  ok(3s);
  ok(4s, "b2");
  sent(5s, ClientResult::server_error, 1ms, "b2");
  sent(6s, ClientResult::timed_out, 1s, "");
  sent(7s, ClientResult::failed, 0ms, "");
  const Report r = report();
  EXPECT_EQ(r.total.count(), 5u);
  EXPECT_EQ(r.total.count(ClientResult::ok), 2u);
  EXPECT_EQ(r.total.count(ClientResult::server_error), 1u);
  EXPECT_EQ(r.total.count(ClientResult::timed_out), 1u);
  EXPECT_EQ(r.total.count(ClientResult::failed), 1u);
  EXPECT_EQ(r.total.error_ratio(), 0.6);
  EXPECT_EQ(r.backends.at("b1").count(), 1u);
  EXPECT_EQ(r.backends.at("b2").count(), 2u);
  EXPECT_EQ(r.backends.at("b2").error_ratio(), 0.5);
  EXPECT_TRUE(r.passed()) << "nothing was expected";
}

TEST_F(ReportTest, MeasuresTheLatencyOfGoodAnswersAlone) {
  ok(3s, "b1", 10ms);
  sent(4s, ClientResult::server_error, 1ms, "b1");
  sent(5s, ClientResult::timed_out, 5s, "");
  const Report r = report();
  EXPECT_EQ(r.total.latency.count(), 1u);
  EXPECT_EQ(r.total.latency.mean(), 10ms);
}

TEST_F(ReportTest, LeavesTheWarmupOut) {
  ok(2s - 1ns);
  ok(2s);
  EXPECT_EQ(report().total.count(), 1u);
}

TEST_F(ReportTest, ListsABackendThatAnsweredNothing) {
  ok(3s);
  EXPECT_EQ(report().backends.at("b2").count(), 0u);
}

// -- Expectations

TEST_F(ReportTest, LimitsAreInclusive) {
  expect({.metric = Metric::error_ratio, .min = 0.5, .max = 0.5});
  ok(3s);
  sent(4s, ClientResult::failed, 0ms, "");
  EXPECT_EQ(verdict().value, 0.5);
  EXPECT_TRUE(verdict().passed);
}

TEST_F(ReportTest, FailsBelowTheMinimumAndAboveTheMaximum) {
  expect({.metric = Metric::requests, .min = 3});
  expect({.metric = Metric::requests, .max = 1});
  expect({.metric = Metric::requests, .min = 1, .max = 3});
  ok(3s);
  ok(4s);
  const Report r = report();
  EXPECT_FALSE(r.expectations[0].passed);
  EXPECT_FALSE(r.expectations[1].passed);
  EXPECT_TRUE(r.expectations[2].passed);
  EXPECT_FALSE(r.passed());
}

TEST_F(ReportTest, CountsAWindowFromItsStartUpToItsEnd) {
  expect({.metric = Metric::requests, .max = 9, .from = 4s, .to = 6s});
  for (const Duration at : {4s - 1ns, Duration{4s}, 5s + 0ns, 6s - 1ns, Duration{6s}}) ok(at);
  EXPECT_EQ(verdict().value, 3);
}

TEST_F(ReportTest, AWindowMayReachIntoTheWarmup) {
  expect({.metric = Metric::requests, .max = 9, .from = 0s});
  expect({.metric = Metric::requests, .max = 9, .to = 5s});
  ok(1s);
  ok(3s);
  const Report r = report();
  EXPECT_EQ(r.expectations[0].value, 2);
  EXPECT_EQ(r.expectations[1].value, 1) << "without a start it begins after the warm-up";
}

TEST_F(ReportTest, MeasuresThroughputOverTheCountedTime) {
  expect({.metric = Metric::throughput, .min = 0});
  expect({.metric = Metric::throughput, .min = 0, .from = 4s, .to = 8s});
  for (int n = 0; n < 16; ++n) ok(5s);
  sent(5s, ClientResult::failed, 0ms, "");
  const Report r = report();
  EXPECT_EQ(r.expectations[0].value, 2.0) << "16 good answers in 8 s";
  EXPECT_EQ(r.expectations[1].value, 4.0);
}

TEST_F(ReportTest, AShareIsOfTheAnswersAndNotOfTheRequests) {
  expect({.metric = Metric::share, .backend = "b1", .min = 0.75, .max = 0.75});
  expect({.metric = Metric::share, .backend = "b2", .max = 0, .from = 2s, .to = 4s});
  ok(3s);
  ok(3s);
  sent(3s, ClientResult::server_error, 1ms, "b1");
  ok(5s, "b2");
  sent(5s, ClientResult::timed_out, 1s, "");
  sent(6s, ClientResult::failed, 1ms, "b2");  // It answered, and broke off.
  const Report r = report();
  EXPECT_EQ(r.expectations[0].value, 0.75);
  EXPECT_EQ(to_json(r)["backends"]["b1"]["share"], 0.75) << "the same in every place";
  EXPECT_NE(to_text(r).find("75.00 %"), std::string::npos);
  EXPECT_TRUE(r.passed());
}

TEST_F(ReportTest, RetryRatioIsTheBalancers) {
  expect({.metric = Metric::retry_ratio, .max = 0.25});
  balancer.requests = 8;
  balancer.retries = 2;
  ok(3s);
  EXPECT_EQ(verdict().value, 0.25);
  EXPECT_TRUE(verdict().passed);
}

TEST_F(ReportTest, EveryLatencyMetricHasItsFigure) {
  const std::map<Metric, double> known{
      {Metric::latency_mean, 500.5e-9}, {Metric::latency_p50, 500e-9},
      {Metric::latency_p90, 900e-9},    {Metric::latency_p99, 990e-9},
      {Metric::latency_p999, 999e-9},   {Metric::latency_max, 1000e-9}};
  for (const auto& [metric, _] : known) expect({.metric = metric, .max = 1});
  for (int n = 1; n <= 1000; ++n) ok(3s, "b1", Duration{n});
  const Report r = report();
  for (const ExpectationResult& result : r.expectations) {
    const double exact = known.at(result.expectation.metric);
    const double whole = std::floor(exact * 1e9 + 1e-6) / 1e9;  // A mean is in whole nanoseconds.
    EXPECT_NEAR(result.value, whole, 1e-15) << metric_name(result.expectation.metric);
  }
}

TEST_F(ReportTest, AnEmptyWindowIsNotAPass) {
  expect({.metric = Metric::error_ratio, .max = 1, .from = 8s, .to = 9s});
  expect({.metric = Metric::latency_p99, .max = 1, .from = 8s, .to = 9s});
  expect({.metric = Metric::share, .backend = "b1", .max = 1, .from = 8s, .to = 9s});
  expect({.metric = Metric::requests, .max = 0, .from = 8s, .to = 9s});
  ok(3s);
  const Report r = report();
  EXPECT_FALSE(r.expectations[0].passed);
  EXPECT_FALSE(r.expectations[1].passed);
  EXPECT_FALSE(r.expectations[2].passed);
  EXPECT_TRUE(r.expectations[3].passed) << "that nobody came can be expected";
}

TEST_F(ReportTest, ALatencyOfErrorsAloneIsNotAPass) {
  expect({.metric = Metric::latency_p99, .max = 1});
  expect({.metric = Metric::error_ratio, .max = 1});
  sent(3s, ClientResult::failed, 0ms, "");
  const Report r = report();
  EXPECT_FALSE(r.expectations[0].passed);
  EXPECT_TRUE(r.expectations[1].passed);
}

// -- How it looks

TEST_F(ReportTest, SaysByHowMuchAnExpectationWasMissed) {
  expect({.metric = Metric::latency_max, .max = 0.002});
  expect({.metric = Metric::requests, .min = 4});
  expect({.metric = Metric::error_ratio, .max = 0, .from = 9s});
  expect({.metric = Metric::requests, .max = 0});
  ok(3s, "b1", 3ms);
  const config::Json json = to_json(report());
  EXPECT_EQ(json["expect"][0]["miss"], "over by 1.00 ms (50.0 %)");
  EXPECT_EQ(json["expect"][1]["miss"], "under by 3 (75.0 %)");
  EXPECT_EQ(json["expect"][2]["miss"], "no request to judge by");
  EXPECT_EQ(json["expect"][3]["miss"], "over by 1") << "no share of nothing";
  EXPECT_EQ(json["passed"], false);
  const std::string text = to_text(report());
  EXPECT_NE(text.find("✘ latency_max"), std::string::npos);
  EXPECT_NE(text.find("≤ 2.00 ms: over by 1.00 ms (50.0 %)"), std::string::npos);
}

std::string keys_of(const config::Json& json) {
  std::string keys;
  for (const auto& [key, _] : json.items()) keys += key + ' ';
  return keys;
}

TEST_F(ReportTest, JsonNamesAreStable) {
  expect({.metric = Metric::share, .backend = "b1", .min = 0, .max = 0.5, .from = 3s, .to = 4s});
  balancer.outcomes["success"] = 1;
  ok(3s);
  const config::Json json = to_json(report());
  EXPECT_EQ(keys_of(json),
            "scenario why world seed duration_s warmup_s digest loopback_latency_ms total backends "
            "clusters loads windows client_retries amplification balancer expect passed warnings ");
  EXPECT_EQ(keys_of(json["total"]),
            "requests ok server_error timed_out failed error_ratio error_ratio_ci95 ok_ratio "
            "ok_ratio_ci95 server_error_ratio server_error_ratio_ci95 timed_out_ratio "
            "timed_out_ratio_ci95 failed_ratio failed_ratio_ci95 latency confidence throughput "
            "throughput_ci95 in_system_mean in_system_mean_ci95 retry_ratio retry_ratio_ci95 "
            "refused_ratio refused_ratio_ci95 amplification amplification_ci95 in_flight_mean "
            "in_flight_mean_ci95 queue_mean queue_mean_ci95 queue_max utilisation "
            "utilisation_ci95 ");
  EXPECT_EQ(keys_of(json["total"]["latency"]),
            "count mean_ms mean_ms_ci95 p50_ms p50_ms_ci95 p90_ms p90_ms_ci95 p99_ms p99_ms_ci95 "
            "p999_ms p999_ms_ci95 max_ms ");
  EXPECT_EQ(keys_of(json["backends"]), "b1 b2 ");
  EXPECT_EQ(keys_of(json["backends"]["b1"]),
            "requests ok server_error timed_out failed error_ratio error_ratio_ci95 ok_ratio "
            "ok_ratio_ci95 server_error_ratio server_error_ratio_ci95 timed_out_ratio "
            "timed_out_ratio_ci95 failed_ratio failed_ratio_ci95 latency share share_ci95 "
            "in_flight_mean in_flight_mean_ci95 in_flight_max queue_mean queue_mean_ci95 queue_max "
            "utilisation utilisation_ci95 out_mean out_mean_ci95 ");
  EXPECT_EQ(keys_of(json["balancer"]),
            "requests attempts retries retry_ratio refused_ratio connections_opened "
            "connections_reused outcomes outcome_ratios ");
  EXPECT_EQ(keys_of(json["expect"][0]), "metric backend from to min max value passed miss ");
  EXPECT_EQ(json["scenario"], "example");
  EXPECT_EQ(json["world"], "simulated");
  EXPECT_EQ(json["duration_s"], 10.0);
  EXPECT_TRUE(json["digest"].is_null());
  EXPECT_EQ(json["backends"]["b1"]["share"], 1.0);
}

TEST_F(ReportTest, TextTellsTheStoryInAHundredColumns) {
  expect({.metric = Metric::latency_p999, .max = 0.06, .from = 3s, .to = 4s});
  for (int n = 0; n < 1'234'567; ++n) {
    sent(3s, static_cast<ClientResult>(n % 4), 4ms, n % 4 < 2 ? "b1" : "");
  }
  Report r = report();
  r.balancer = {12'345'678, 12'345'678, 12'345'678, 12'345'678, 12'345'678, {}};
  r.digest = "0123456789abcdef";
  const std::string text = to_text(r);
  EXPECT_TRUE(text.starts_with("example: a test of the report\nsimulated 10 s"));
  EXPECT_NE(text.find("requests  1,234,567: 308,642 ok, 308,642 5xx, "), std::string::npos);
  EXPECT_NE(text.find("errors    75.00 %"), std::string::npos);
  EXPECT_NE(text.find("12,345,678 attempts"), std::string::npos);
  std::size_t column = 0;
  for (const char c : text) {  // Bytes that continue a character are not columns.
    if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U) ++column;
    if (c == '\n') column = 0;
    ASSERT_LE(column, 100u) << text;
  }
}

TEST_F(ReportTest, ComparesTwoWorlds) {
  ok(3s, "b1", 4ms);
  const config::Json simulated = to_json(report());
  Report other = report();
  other.world = "measured";
  other.loopback_latency = 1ms;
  const std::string text = comparison_text(simulated, to_json(other));
  EXPECT_NE(text.find("-25.0 %"), std::string::npos) << "4 ms less 1 ms of loopback\n" << text;
  EXPECT_NE(text.find("share of b1"), std::string::npos);
  EXPECT_NE(text.find("met"), std::string::npos);
}

}  // namespace
}  // namespace lb::scenario
