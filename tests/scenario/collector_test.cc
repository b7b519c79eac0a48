// Goal: each filter of an expectation finds its own requests, each figure is the arithmetic of
// them, what a world did not tell is not measured, and many backends fit on a page.
// Method: a run of 10 s with two loads, two backends and a few samples that can be counted by head.
#include "lbsim/scenario/collector.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace lb::scenario {
namespace {

using namespace std::chrono_literals;

class CollectorTest : public ::testing::Test {
 protected:
  CollectorTest() {
    scenario.name = "example";
    scenario.why = "a test of the collector";
    scenario.duration = 10s;
    scenario.load.resize(2);
    scenario.load[0].name = "shoppers";
    scenario.load[1].name = "robots";
    ClusterConfig& cluster = scenario.config.clusters.emplace_back();
    cluster.name = "web";
    cluster.backends = {{.id = "b1", .address = "h:80"},
                        {.id = "b2", .address = "h:80", .weight = 3}};
  }

  Scenario scenario;
  BalancerTotals balancer;
  std::vector<Sample> samples;

  void ok(Duration at, std::string_view backend, Duration latency, std::uint32_t load = 0) {
    samples.push_back({at, latency, ClientResult::ok, backend, load});
  }
  void ends(Duration at, ClientResult result, std::string_view backend, std::uint32_t load = 0) {
    samples.push_back({at, 100ms, result, backend, load});
  }
  // Collects, lets `world` say more, and reports.
  template <class World>
  Report report(World&& world) {
    Collector collector(scenario);
    for (const Sample& sample : samples) collector.add(sample);
    world(collector);
    return collector.finish("simulated", balancer);
  }
  Report report() {
    return report([](Collector&) {});
  }
  // How the world stood at a time that the collector asks about.
  static void cut(Collector& collector, Duration at, const Cut& cut) {
    const auto& times = collector.cut_times();
    const auto found = std::find(times.begin(), times.end(), at);
    ASSERT_NE(found, times.end());
    collector.cut(static_cast<std::size_t>(found - times.begin()), cut);
  }
  // The value of a metric that has no limits to fail.
  double value(Expectation expectation) {
    scenario.expect = {std::move(expectation)};
    const Report all = report();
    EXPECT_TRUE(all.expectations[0].passed) << all.expectations[0].remark;
    return all.expectations[0].value;
  }
};

TEST_F(CollectorTest, FiltersByLoadBackendAndTime) {
  ok(1s, "b1", 10ms);
  ok(2s, "b1", 20ms, 1);
  ok(6s, "b2", 30ms, 1);
  ends(7s, ClientResult::server_error, "b2", 1);
  ends(8s, ClientResult::timed_out, "", 1);
  EXPECT_EQ(value({.metric = Metric::requests}), 5);
  EXPECT_EQ(value({.metric = Metric::requests, .load = "robots"}), 4);
  EXPECT_EQ(value({.metric = Metric::requests, .backend = "b2"}), 2);
  EXPECT_EQ(value({.metric = Metric::ok, .backend = "b1", .load = "robots"}), 1);
  EXPECT_EQ(value({.metric = Metric::server_error}), 1);
  EXPECT_EQ(value({.metric = Metric::timed_out, .load = "shoppers"}), 0);
  EXPECT_EQ(value({.metric = Metric::timed_out_ratio, .load = "robots"}), 0.25);
  EXPECT_EQ(value({.metric = Metric::error_ratio, .from = 5s}), 2.0 / 3);
  EXPECT_EQ(value({.metric = Metric::error_ratio, .backend = "b2"}), 0.5) << "of its answers";
  EXPECT_EQ(value({.metric = Metric::ok_ratio, .to = 5s}), 1);
  EXPECT_EQ(value({.metric = Metric::latency_mean, .backend = "b1"}), 0.015);
  EXPECT_EQ(value({.metric = Metric::latency_max, .load = "robots", .to = 5s}), 0.020);
  EXPECT_EQ(value({.metric = Metric::throughput, .load = "robots", .to = 4s}), 0.25);
  EXPECT_EQ(value({.metric = Metric::share, .backend = "b1", .load = "robots"}), 1.0 / 3);
}

TEST_F(CollectorTest, NamesWindows) {
  scenario.windows = {{.name = "during", .from = 2s, .to = 4s}, {.name = "after", .from = 4s}};
  ok(1s, "b1", 10ms);
  ok(2s, "b1", 10ms);
  ok(4s, "b1", 10ms);
  ok(9s, "b2", 30ms);
  EXPECT_EQ(value({.metric = Metric::requests, .window = "during"}), 1);
  EXPECT_EQ(value({.metric = Metric::requests, .window = "after"}), 2);
  const Report all = report();
  ASSERT_EQ(all.windows.size(), 2u);
  EXPECT_EQ(all.windows[1].total.count(), 2u);
  EXPECT_EQ(all.windows[1].backends.at("b2").count(), 1u);
  EXPECT_EQ(all.windows[1].summary.to, 10s);
  ASSERT_EQ(all.loads.size(), 2u);
  EXPECT_EQ(all.loads[0].total.count(), 4u);
  EXPECT_EQ(all.loads[1].total.count(), 0u);
}

// Three times the weight and three times the answers is fair: 1. By answers alone it would be
// (1 + 3)^2 / (2 (1 + 9)) = 0.8; with one apiece, weights make it (1 + 1/3)^2 / (2 (1 + 1/9)) =
// 0.8.
TEST_F(CollectorTest, FairnessIsByWeight) {
  ok(1s, "b1", 1ms);
  ok(1s, "b2", 1ms);
  EXPECT_NEAR(value({.metric = Metric::fairness}), 0.8, 1e-12);
  ok(1s, "b2", 1ms);
  ok(1s, "b2", 1ms);
  EXPECT_NEAR(value({.metric = Metric::fairness}), 1, 1e-12);
  EXPECT_NEAR(report().summary.fairness.at("web").value, 1, 1e-12);
}

// 2 s, of which half is before the window, and 4 s within it: 5 s of waiting in 5 s.
TEST_F(CollectorTest, WhoWaitsInAWindowCountsThereWheneverItCame) {
  ok(4s, "b1", 2s);
  ok(5s, "b1", 4s);
  ok(9s, "b1", 100s);
  EXPECT_EQ(value({.metric = Metric::in_system_mean, .from = 5s, .to = 9s}), 5.0 / 4);
  EXPECT_EQ(value({.metric = Metric::in_system_mean}), 0.7) << "the end of the run is the end";
}

TEST_F(CollectorTest, CountsOfTheBalancerAreThoseBetweenTwoCuts) {
  scenario.expect = {
      {.metric = Metric::retry_ratio, .from = 2s, .to = 4s},
      {.metric = Metric::outcomes, .outcome = "no_backend", .from = 2s, .to = 4s},
      {.metric = Metric::refused_ratio, .from = 2s, .to = 4s},
      {.metric = Metric::outcome_ratio, .outcome = "success"},
      {.metric = Metric::amplification},
  };
  ok(3s, "b1", 1ms);
  ok(3s, "b1", 1ms);
  balancer = {.requests = 10, .attempts = 12, .retries = 2, .outcomes = {{"success", 10}}};
  const Report all = report([](Collector& collector) {
    cut(collector, 2s,
        {.balancer = {.requests = 2, .retries = 1, .outcomes = {{"no_backend", 1}}}});
    cut(collector, 4s,
        {.balancer = {.requests = 6, .retries = 2, .outcomes = {{"no_backend", 3}}}});
  });
  EXPECT_EQ(all.expectations[0].value, 0.25);
  EXPECT_EQ(all.expectations[1].value, 2);
  EXPECT_EQ(all.expectations[2].value, 0.5);
  EXPECT_EQ(all.expectations[3].value, 1);
  EXPECT_EQ(all.expectations[4].value, 6) << "two requests of clients, twelve attempts";
}

TEST_F(CollectorTest, LevelsAreAveragesBetweenTwoCuts) {
  scenario.expect = {
      {.metric = Metric::queue_mean, .from = 2s, .to = 4s},
      {.metric = Metric::queue_max, .from = 2s, .to = 4s},
      {.metric = Metric::utilisation, .backend = "b1", .from = 2s, .to = 4s},
      {.metric = Metric::utilisation, .from = 2s, .to = 4s},
      {.metric = Metric::in_flight_max, .backend = "b2", .from = 2s},
      {.metric = Metric::utilisation, .backend = "b2", .from = 2s, .to = 4s},
      {.metric = Metric::utilisation, .to = 4s},
      {.metric = Metric::out_mean, .backend = "b1", .from = 2s, .to = 4s},
  };
  // Four places, and twelve of one that was there only until 2 s.
  const auto stands = [](std::uint64_t now, std::uint64_t integral, std::uint32_t peak) {
    constexpr std::uint64_t kSecond = 1'000'000'000;
    const LevelReading reading{integral * kSecond, peak};
    return Cut{.levels = true,
               .queued = reading,
               .backends = {{.in_flight = reading,
                             .busy = integral * kSecond,
                             .places = 4 * now * kSecond,
                             .out = integral * kSecond / 4,
                             .brains = 2 * now * kSecond},
                            {.in_flight = reading,
                             .places = 12 * std::min<std::uint64_t>(now, 2) * kSecond}}};
  };
  const Report all = report([&](Collector& collector) {
    cut(collector, 0s, stands(0, 0, 0));
    cut(collector, 2s, stands(2, 1, 9));
    cut(collector, 4s, stands(4, 5, 3));
    cut(collector, 10s, stands(10, 5, 4));
  });
  EXPECT_EQ(all.expectations[0].value, 2) << "4 s more in 2 s";
  EXPECT_EQ(all.expectations[1].value, 3) << "9 was before the window";
  EXPECT_EQ(all.expectations[2].value, 0.5) << "2 of 4 places";
  EXPECT_EQ(all.expectations[3].value, 0.5) << "the other is not there";
  EXPECT_EQ(all.expectations[4].value, 4) << "the highest of two parts";
  EXPECT_FALSE(all.expectations[5].passed);
  EXPECT_EQ(miss_text(all.expectations[5]), "no backend was there");
  EXPECT_EQ(all.expectations[6].value, 0.125) << "5 s of 4 for 4 s, and 12 for 2 s";
  EXPECT_EQ(all.expectations[7].value, 0.25) << "1 s more, of two brains in 2 s";
  EXPECT_TRUE(to_json(all)["backends"]["b1"]["utilisation"].is_number());
}

TEST_F(CollectorTest, WhatNobodyToldIsNotMeasured) {
  scenario.expect = {{.metric = Metric::utilisation, .max = 1},
                     {.metric = Metric::ejections, .max = 0},
                     {.metric = Metric::retry_ratio, .max = 1, .from = 1s},
                     {.metric = Metric::requests, .min = 1}};
  ok(3s, "b1", 1ms);
  const Report all = report();
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_FALSE(all.expectations[i].measured) << i;
    EXPECT_FALSE(all.expectations[i].passed) << i;
    EXPECT_TRUE(to_json(all)["expect"][i]["passed"].is_null()) << i;
  }
  EXPECT_TRUE(all.passed()) << "they are neither met nor missed";
  ASSERT_EQ(all.warnings.size(), 1u);
  EXPECT_EQ(all.warnings[0], "3 of 4 expectations could not be measured here: lbsim can tell");
  EXPECT_NE(to_text(all).find("– utilisation"), std::string::npos);
}

TEST_F(CollectorTest, TellsWhenABackendLeavesAndComesBack) {
  const auto of = [](Metric metric, Duration after, double max) {
    return Expectation{.metric = metric, .backend = "b1", .max = max, .after = after};
  };
  scenario.expect = {of(Metric::time_to_eject, 1s, 1),
                     of(Metric::time_to_readmit, 1s, 4),
                     of(Metric::time_to_eject, 6s, 9),
                     of(Metric::time_to_readmit, 6s, 9),
                     {.metric = Metric::time_to_eject, .backend = "b2", .min = 1, .after = 0s},
                     {.metric = Metric::ejections, .max = 1}};
  const Report all = report([](Collector& collector) {
    collector.follow_standing().note(2s, 0, "unhealthy");
    collector.follow_standing().note(5s, 0, "eligible");
  });
  EXPECT_EQ(all.expectations[0].value, 1);
  EXPECT_EQ(all.expectations[1].value, 4);
  EXPECT_TRUE(all.expectations[0].passed && all.expectations[1].passed);
  EXPECT_TRUE(std::isinf(all.expectations[2].value)) << "it never left again";
  EXPECT_FALSE(all.expectations[2].passed);
  EXPECT_EQ(miss_text(all.expectations[2]), "it never came");
  EXPECT_FALSE(all.expectations[3].passed);
  EXPECT_EQ(miss_text(all.expectations[3]), "b1 was never out") << "nothing was tested";
  EXPECT_TRUE(all.expectations[4].passed) << "never is later than any time";
  EXPECT_EQ(all.expectations[5].value, 1);
  const config::Json json = to_json(all);
  EXPECT_EQ(json["backends"]["b1"]["ejections"], 1);
  EXPECT_EQ(json["backends"]["b1"]["out_s"], 3.0);
  EXPECT_EQ(json["backends"]["b1"]["changes"],
            config::Json::parse(R"([[2.0,"unhealthy"],[5.0,"eligible"]])"));
}

TEST_F(CollectorTest, RecoversByLoad) {
  scenario.expect = {{.metric = Metric::recovery_time, .load = "robots", .after = 2s, .over = 1s},
                     {.metric = Metric::recovery_time, .after = 2s, .over = 1s}};
  for (Duration at = 0s; at < 10s; at += 100ms) {
    ok(at, "b1", 1ms, 0);
    ends(at, at < 4s ? ClientResult::failed : ClientResult::ok, "", 1);
    if (at < 5s) ends(at, ClientResult::failed, "", 0);
  }
  const Report all = report();
  EXPECT_EQ(all.expectations[0].value, 2);
  EXPECT_EQ(all.expectations[1].value, 3);
}

TEST_F(CollectorTest, SaysWhyThereIsNoInterval) {
  ok(1s, "b1", 1ms);
  EXPECT_EQ(report().summary.clients.mean_latency.confidence, Confidence::too_few);
  scenario.events = {{5s, Fault{.backend = "b1"}}};
  EXPECT_EQ(report().summary.clients.mean_latency.confidence, Confidence::not_steady);
  EXPECT_TRUE(to_json(report())["total"]["latency"]["mean_ms_ci95"].is_null());
  EXPECT_EQ(to_json(report())["total"]["confidence"]["latency_mean"], "not_steady");
}

TEST_F(CollectorTest, AStartThatDiffersIsWarnedOf) {
  for (Duration at = 0s; at < 10s; at += 5ms) {
    ok(at, "b1", (at < 1s ? 50ms : 10ms) + (at / 5ms % 7) * 1ms);
  }
  const Report all = report();
  ASSERT_EQ(all.warnings.size(), 1u);
  EXPECT_EQ(all.warnings[0],
            "the start of the run differs from the rest: a \"warmup\" of 0s is too short, and by "
            "MSER-5 one of 1s would do");
  scenario.warmup = 1s;
  EXPECT_TRUE(report().warnings.empty());
}

// A hundred backends, of which one answers less than all others, one more, and one has errors.
TEST_F(CollectorTest, ManyBackendsFitOnAPage) {
  auto& backends = scenario.config.clusters[0].backends;
  backends.clear();
  for (int n = 100; n < 200; ++n) {
    backends.push_back({.id = "backend-with-a-long-name-" + std::to_string(n), .address = "h:80"});
  }
  for (const auto& backend : backends) {
    const int answers = backend.id.ends_with("150") ? 1 : backend.id.ends_with("160") ? 900 : 20;
    for (int n = 0; n < answers; ++n) ok(1s, backend.id, 10ms);
  }
  ends(1s, ClientResult::server_error, backends[70].id);
  const std::string text = to_text(report());
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 30) << text;
  EXPECT_NE(text.find(" more, between 20 and 20 answers, mean 10.0 ms to 10.0 ms"),
            std::string::npos)
      << text;
  std::size_t column = 0;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U) ++column;
    if (c == '\n') column = 0;
    ASSERT_LE(column, 100u) << text;
  }
}

}  // namespace
}  // namespace lb::scenario
