// Goal: each rule finds whom it says and nobody else, an ejection lasts as long as it says, and
// never more are out than may be.
// Method: a spoken fixture around one detector; rows of results are written as text, 'x' for a
// failure, 'g' for a failure of the gateway kind, '.' for a success. Figures of the rates are
// worked out by hand.
#include "lbcore/outlier.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace lb {
namespace {

using namespace std::chrono_literals;

class OutlierTest : public ::testing::Test {
 protected:
  using Words = std::vector<std::string>;

  OutlierTest() { config.max_ejected_percent = 100; }

  OutlierEjectionConfig config;

  // Backends 0, 1, 2, …, all in service.
  void start(std::uint32_t count) {
    detector_.emplace(now_, config);
    have(count);
  }
  void have(std::uint32_t count) {
    std::vector<OutlierDetector::Member> members;
    for (std::uint32_t i = 0; i < count; ++i) members.push_back({BackendId{i}});
    detector_->handle_members(members);
  }
  void configure() { detector_->handle_config(now_, config); }
  void report(std::uint32_t backend, std::string_view results) {
    Tally tally{.backend = BackendId{backend}};
    for (const char result : results) {
      ++(result == '.' ? tally.successes : tally.failures);
      tally.failure_run.record(result != '.');
      tally.gateway_run.record(result == 'g');
    }
    detector_->handle_tallies(now_, std::vector{tally});
  }
  // So many of each, in an order that no row comes of.
  void count(std::uint32_t backend, std::uint32_t successes, std::uint32_t failures) {
    const FailureRun none{.broken = true};
    detector_->handle_tallies(
        now_, std::vector{Tally{BackendId{backend}, successes, failures, none, none}});
  }
  void out_of_service(std::uint32_t backend) {
    detector_->handle_in_service(BackendId{backend}, false);
  }
  void in_service(std::uint32_t backend) { detector_->handle_in_service(BackendId{backend}, true); }
  void advance(Duration duration) {
    const Instant until = now_ + duration;
    while (detector_->poll_timeout() <= until) {
      now_ = detector_->poll_timeout();
      detector_->handle_timeout(now_);
    }
    now_ = until;
  }
  // Since the last call: "eject 1 30s by success_rate", "back 1".
  Words changes() {
    Words all;
    while (const auto change = detector_->poll_change()) {
      const std::string name = std::to_string(change->backend.value);
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(change->duration);
      all.push_back(change->ejected ? "eject " + name + ' ' + std::to_string(seconds.count()) +
                                          "s by " + std::string{to_string(change->rule)}
                                    : "back " + name);
    }
    return all;
  }
  std::uint64_t detected(OutlierRule rule) {
    return detector_->counters().detected[static_cast<std::size_t>(rule)];
  }
  std::uint64_t enforced(OutlierRule rule) {
    return detector_->counters().enforced[static_cast<std::size_t>(rule)];
  }

  std::optional<OutlierDetector> detector_;
  Instant now_{1h};
};

constexpr auto kFailures = OutlierRule::consecutive_failures;
constexpr auto kGateway = OutlierRule::consecutive_gateway_failures;
constexpr auto kRate = OutlierRule::success_rate;
constexpr auto kPercent = OutlierRule::failure_percent;

// -- In a row

TEST_F(OutlierTest, FiveFailuresInARowEject) {
  start(3);
  report(1, "xxxx");
  EXPECT_EQ(changes(), Words{});
  report(1, "x");
  EXPECT_EQ(changes(), Words{"eject 1 30s by consecutive_failures"});
  EXPECT_EQ(detector_->ejection(BackendId{1}),
            (EjectionChange{BackendId{1}, true, kFailures, 30s, now_ + 30s}));
  EXPECT_EQ(detector_->ejection(BackendId{0}), std::nullopt);
  EXPECT_EQ(detected(kFailures), 1u);
  EXPECT_EQ(enforced(kFailures), 1u);
}

TEST_F(OutlierTest, ASuccessStartsTheRowAgain) {
  start(3);
  for (const char* results : {"xxxx", ".", "xxxx", ".xxxx", ".xxxx", "", "."}) report(1, results);
  EXPECT_EQ(changes(), Words{});
}

TEST_F(OutlierTest, ARowInsideOfAReportCounts) {
  start(3);
  report(1, "x.xxxxx.x");
  EXPECT_EQ(changes(), Words{"eject 1 30s by consecutive_failures"});
}

TEST_F(OutlierTest, RowsAreOneBackendsEach) {
  start(3);
  report(0, "xxxx");
  report(1, "xxxx");
  report(2, ".");
  report(1, ".");
  report(0, "x");
  EXPECT_EQ(changes(), Words{"eject 0 30s by consecutive_failures"});
}

TEST_F(OutlierTest, TheRuleCanBeOff) {
  config.consecutive_failures = 0;
  start(3);
  report(1, "xxxxxxxxxxxxxxxxxxxxxxxx");
  EXPECT_EQ(changes(), Words{});
}

TEST_F(OutlierTest, GatewayFailuresAreCountedApart) {
  config.consecutive_gateway_failures = 3;
  start(4);
  report(0, "ggxgg");
  EXPECT_EQ(changes(), Words{"eject 0 30s by consecutive_failures"}) << "a 500 breaks their row";
  report(1, "gg");
  report(1, "g");
  EXPECT_EQ(changes(), Words{"eject 1 30s by consecutive_gateway_failures"});
  report(2, "ggggg");
  EXPECT_EQ(changes(), Words{"eject 2 30s by consecutive_gateway_failures"})
      << "the narrower rule first, and one ejection only";
  EXPECT_EQ(detected(kGateway), 2u);
  EXPECT_EQ(detected(kFailures), 1u);
}

TEST_F(OutlierTest, ARowThatWasFoundIsOver) {
  config.detect_only = true;
  start(3);
  report(1, "xxxxx");
  report(1, "xxxx");
  EXPECT_EQ(detected(kFailures), 1u);
  report(1, "x");
  EXPECT_EQ(detected(kFailures), 2u);
}

TEST_F(OutlierTest, AfterAnEjectionTheRowStartsAnew) {
  start(3);
  report(1, "xxxxxxxx");
  report(1, "xxxx");
  advance(30s);
  EXPECT_EQ(changes(), (Words{"eject 1 30s by consecutive_failures", "back 1"}));
  report(1, "xxxx");
  EXPECT_EQ(changes(), Words{});
  report(1, "x");
  EXPECT_EQ(changes(), Words{"eject 1 60s by consecutive_failures"});
}

TEST_F(OutlierTest, NorDoesTheRowOfAnotherRuleGoOn) {
  config.consecutive_gateway_failures = 4;
  start(3);
  report(1, "gggg");
  advance(30s);
  EXPECT_EQ(changes(), (Words{"eject 1 30s by consecutive_gateway_failures", "back 1"}));
  report(1, "xxxx");
  EXPECT_EQ(changes(), Words{});
}

TEST_F(OutlierTest, ALateReportOfAStrangerIsIgnored) {
  start(3);
  report(9, "xxxxxxx");
  EXPECT_EQ(changes(), Words{});
  EXPECT_EQ(detector_->ejection(BackendId{9}), std::nullopt);
}

// -- Rates

// Envoy's example: success rates of 50 % and four times 100 % have the mean 90 % and the standard
// deviation 20 %; with a factor of 1.9 the threshold is 52 %.
TEST(RateSpread, IsEnvoysExample) {
  const std::vector<std::uint32_t> rates{500'000, 1'000'000, 1'000'000, 1'000'000, 1'000'000};
  const RateSpread spread(rates);
  EXPECT_DOUBLE_EQ(spread.mean(), 0.9);
  EXPECT_DOUBLE_EQ(spread.stdev(), 0.2);
  EXPECT_TRUE(spread.is_outlier(519'999, 1.9));
  EXPECT_FALSE(spread.is_outlier(520'000, 1.9)) << "at the threshold is not below it";
  EXPECT_TRUE(spread.is_outlier(500'000, 1.9));
  EXPECT_FALSE(spread.is_outlier(500'000, 2.0)) << "50 % is just two deviations below";
}

TEST(RateSpread, EqualRatesHaveNoOutlier) {
  for (const std::uint32_t rate : {0U, 1U, 333'333U, 999'999U, 1'000'000U}) {
    for (std::size_t n = 1; n < 100; ++n) {
      const RateSpread spread(std::vector<std::uint32_t>(n, rate));
      EXPECT_EQ(spread.stdev(), 0);
      EXPECT_FALSE(spread.is_outlier(rate, 1e-9)) << rate << " x " << n;
    }
  }
}

TEST_F(OutlierTest, ALowSuccessRateEjectsAtTheEndOfTheInterval) {
  config.success_rate_stdev = 1.9;
  start(5);
  count(0, 50, 50);
  for (std::uint32_t i = 1; i < 5; ++i) count(i, 200, 0);
  advance(10s - 1ns);
  EXPECT_EQ(changes(), Words{});
  advance(1ns);
  EXPECT_EQ(changes(), Words{"eject 0 30s by success_rate"});
}

TEST_F(OutlierTest, AtTheThresholdIsNoOutlier) {
  config.success_rate_stdev = 2;
  start(5);
  count(0, 50, 50);
  for (std::uint32_t i = 1; i < 5; ++i) count(i, 200, 0);
  advance(10s);
  EXPECT_EQ(detected(kRate), 0u);
}

TEST_F(OutlierTest, TooFewRequestsDoNotCountAsABackend) {
  config.success_rate_stdev = 1;
  config.failure_percent = 10;
  start(5);
  count(0, 0, 99);
  for (std::uint32_t i = 1; i < 5; ++i) count(i, 100, 0);
  advance(10s);
  EXPECT_EQ(changes(), Words{}) << "four with a rate, and five are asked for";
  count(0, 0, 100);
  for (std::uint32_t i = 1; i < 5; ++i) count(i, 100, 0);
  advance(10s);
  EXPECT_EQ(changes(), Words{"eject 0 30s by success_rate"}) << "an interval counts for itself";
}

TEST_F(OutlierTest, EveryIntervalCountsFromNothing) {
  config.failure_percent = 10;
  config.min_backends = 1;
  start(3);
  for (int n = 0; n < 3; ++n) {
    count(1, 0, 99);
    advance(10s);
  }
  EXPECT_EQ(changes(), Words{}) << "100 in one interval are asked for";
}

TEST_F(OutlierTest, MoreThanThePercentageOfFailuresEjects) {
  config.failure_percent = 40;
  config.min_backends = 2;
  start(3);
  count(0, 60, 40);
  count(1, 59, 41);
  advance(10s);
  EXPECT_EQ(changes(), Words{"eject 1 30s by failure_percent"});
  EXPECT_EQ(detected(kPercent), 1u);
}

TEST_F(OutlierTest, TheWorstGoesFirst) {
  config.failure_percent = 10;
  config.min_backends = 1;
  config.max_ejected_percent = 50;
  start(5);
  count(0, 80, 20);
  count(1, 20, 80);
  count(2, 50, 50);
  count(3, 100, 0);
  advance(10s);
  EXPECT_EQ(changes(), (Words{"eject 1 30s by failure_percent", "eject 2 30s by failure_percent"}));
  EXPECT_EQ(detected(kPercent), 3u);
  EXPECT_EQ(detector_->counters().refused, 1u);
}

TEST_F(OutlierTest, WhoIsOutIsNotCompared) {
  config.failure_percent = 10;
  config.min_backends = 2;
  start(3);
  count(0, 0, 100);
  count(1, 0, 100);
  count(2, 100, 0);
  out_of_service(0);
  report(1, "xxxxx");
  EXPECT_EQ(changes(), Words{"eject 1 30s by consecutive_failures"});
  advance(10s);
  EXPECT_EQ(changes(), Words{});
}

TEST_F(OutlierTest, WhatItFailedBeforeAnEjectionIsPaidFor) {
  config.failure_percent = 10;
  config.min_backends = 1;
  config.base_ejection_time = 1s;
  start(3);
  count(1, 0, 100);
  report(1, "xxxxx");
  advance(2s);
  EXPECT_EQ(changes(), (Words{"eject 1 1s by consecutive_failures", "back 1"}));
  count(1, 100, 0);
  advance(8s);
  EXPECT_EQ(changes(), Words{});
}

// -- How long

TEST_F(OutlierTest, TheNthEjectionLastsNTimesAsLongUpToTheMaximum) {
  config.base_ejection_time = 30s;
  config.max_ejection_time = 100s;
  config.interval = 1h;
  start(3);
  for (const char* seconds : {"30", "60", "90", "100", "100"}) {
    report(1, "xxxxx");
    EXPECT_EQ(changes(), Words{"eject 1 " + std::string{seconds} + "s by consecutive_failures"});
    advance(100s);
    EXPECT_EQ(changes(), Words{"back 1"});
  }
}

TEST_F(OutlierTest, ComesBackAtTheVeryInstant) {
  start(3);
  advance(3s);
  report(1, "xxxxx");
  changes();
  EXPECT_EQ(detector_->poll_timeout(), Instant{1h} + 10s) << "the interval";
  advance(30s - 1ns);
  EXPECT_EQ(changes(), Words{});
  advance(1ns);
  EXPECT_EQ(changes(), Words{"back 1"});
  EXPECT_EQ(detector_->ejection(BackendId{1}), std::nullopt);
}

// Ejected at 0 s for 30 s and at 30 s for 60 s; in service from 90 s on. The intervals that end at
// 100 s and 110 s were served whole.
TEST_F(OutlierTest, EveryIntervalInServiceForgivesOneEjection) {
  start(3);
  report(1, "xxxxx");
  advance(30s);
  report(1, "xxxxx");
  advance(80s);
  EXPECT_EQ(changes(), (Words{"eject 1 30s by consecutive_failures", "back 1",
                              "eject 1 60s by consecutive_failures", "back 1"}));
  report(1, "xxxxx");
  EXPECT_EQ(changes(), Words{"eject 1 30s by consecutive_failures"});
}

TEST_F(OutlierTest, APartOfAnIntervalForgivesNothing) {
  start(3);
  advance(1s);
  report(1, "xxxxx");
  advance(30s);
  EXPECT_EQ(changes(), (Words{"eject 1 30s by consecutive_failures", "back 1"}));
  advance(10s);
  report(1, "xxxxx");
  EXPECT_EQ(changes(), Words{"eject 1 60s by consecutive_failures"})
      << "in service from 31 s to 41 s, but in no whole interval";
}

TEST_F(OutlierTest, AnEndlessBaseTimeDoesNotOverflow) {
  config.base_ejection_time = 100'000h;
  config.max_ejection_time = 200'000h;
  config.interval = 200'000h;
  start(3);
  for (const Duration expected : {100'000h, 200'000h, 200'000h}) {
    report(1, "xxxxx");
    const auto change = detector_->poll_change();
    ASSERT_TRUE(change);
    EXPECT_EQ(change->duration, expected);
    advance(expected);
    changes();
  }
}

// -- How many

TEST_F(OutlierTest, NeverMoreThanTheShare) {
  config.max_ejected_percent = 50;
  start(5);
  for (std::uint32_t i = 0; i < 5; ++i) report(i, "xxxxx");
  EXPECT_EQ(changes().size(), 2u) << "3 of 5 would be 60 %";
  EXPECT_EQ(detected(kFailures), 5u);
  EXPECT_EQ(enforced(kFailures), 2u);
  EXPECT_EQ(detector_->counters().refused, 3u);
}

TEST_F(OutlierTest, TheShareItselfMayGo) {
  config.max_ejected_percent = 50;
  start(4);
  for (std::uint32_t i = 0; i < 4; ++i) report(i, "xxxxx");
  EXPECT_EQ(changes().size(), 2u);
}

TEST_F(OutlierTest, OneMayGoWhateverTheShare) {
  config.max_ejected_percent = 1;
  start(3);
  report(0, "xxxxx");
  report(1, "xxxxx");
  EXPECT_EQ(changes(), Words{"eject 0 30s by consecutive_failures"});
}

TEST_F(OutlierTest, AtZeroPercentNobodyGoes) {
  config.max_ejected_percent = 0;
  start(3);
  report(0, "xxxxx");
  EXPECT_EQ(changes(), Words{});
  EXPECT_EQ(detected(kFailures), 1u);
}

TEST_F(OutlierTest, NeverTheLastInService) {
  start(1);
  report(0, "xxxxx");
  EXPECT_EQ(changes(), Words{});
  have(3);
  for (std::uint32_t i = 0; i < 3; ++i) report(i, "xxxxx");
  EXPECT_EQ(changes(),
            (Words{"eject 0 30s by consecutive_failures", "eject 1 30s by consecutive_failures"}));
}

TEST_F(OutlierTest, WhoIsOutOtherwiseDoesNotServe) {
  start(3);
  out_of_service(0);
  report(0, "xxxxxxxx");
  report(1, "xxxxx");
  report(2, "xxxxx");
  EXPECT_EQ(changes(), Words{"eject 1 30s by consecutive_failures"}) << "2 is the last";
  EXPECT_EQ(detected(kFailures), 2u);
  in_service(0);
  report(2, "xxxxx");
  EXPECT_EQ(changes(), Words{"eject 2 30s by consecutive_failures"});
}

TEST_F(OutlierTest, WhoIsEjectedAndOutOtherwiseIsOutOnce) {
  start(3);
  report(0, "xxxxx");
  out_of_service(0);
  report(1, "xxxxx");
  EXPECT_EQ(changes(),
            (Words{"eject 0 30s by consecutive_failures", "eject 1 30s by consecutive_failures"}));
  in_service(0);
  report(2, "xxxxx");
  EXPECT_EQ(changes(), Words{}) << "0 is still ejected, so 2 is the last";
}

TEST_F(OutlierTest, WhatItDidWhileOutIsNotHeldAgainstIt) {
  start(3);
  report(0, "xxxx");
  out_of_service(0);
  report(0, "xxxx");
  in_service(0);
  report(0, "xxxx");
  EXPECT_EQ(changes(), Words{});
}

// -- Detect only, and reloads

TEST_F(OutlierTest, DetectOnlyCountsAndEjectsNobody) {
  config.detect_only = true;
  config.success_rate_stdev = 1.5;
  config.failure_percent = 20;
  config.consecutive_gateway_failures = 3;
  start(5);
  count(0, 0, 100);
  for (std::uint32_t i = 1; i < 5; ++i) count(i, 100, 0);
  report(1, "ggggg");
  advance(10s);
  EXPECT_EQ(changes(), Words{});
  EXPECT_EQ(detector_->counters().detected, (EjectionCounters::ByRule{1, 1, 1, 1}));
  EXPECT_EQ(detector_->counters().enforced, (EjectionCounters::ByRule{0, 0, 0, 0}));
  EXPECT_EQ(detector_->counters().refused, 0u);
}

TEST_F(OutlierTest, AReloadEndsNoEjection) {
  start(3);
  report(1, "xxxxx");
  report(2, "xxxx");
  changes();
  advance(20s);
  config.base_ejection_time = 1s;
  config.max_ejection_time = 1s;
  config.detect_only = true;
  configure();
  have(4);
  advance(10s - 1ns);
  EXPECT_EQ(changes(), Words{});
  advance(1ns);
  EXPECT_EQ(changes(), Words{"back 1"});
  report(2, "x");
  EXPECT_EQ(detected(kFailures), 2u) << "the row of 2 went on over the reload";
}

TEST_F(OutlierTest, WhoLeavesIsForgotten) {
  start(3);
  report(2, "xxxxx");
  changes();
  have(2);
  EXPECT_EQ(detector_->ejection(BackendId{2}), std::nullopt);
  advance(1h);
  EXPECT_EQ(changes(), Words{});
}

TEST_F(OutlierTest, AnotherIntervalStartsAtTheReload) {
  start(3);
  advance(4s);
  configure();
  EXPECT_EQ(detector_->poll_timeout(), now_ + 6s);
  config.interval = 3s;
  configure();
  EXPECT_EQ(detector_->poll_timeout(), now_ + 3s);
}

TEST_F(OutlierTest, AfterALongSleepIntervalsKeepTheirPace) {
  start(3);
  now_ += 47s;
  detector_->handle_timeout(now_);
  EXPECT_EQ(detector_->poll_timeout(), now_ + 3s);
}

TEST(OutlierRule, EveryOneHasAName) {
  EXPECT_EQ(to_string(kFailures), "consecutive_failures");
  EXPECT_EQ(to_string(kGateway), "consecutive_gateway_failures");
  EXPECT_EQ(to_string(kRate), "success_rate");
  EXPECT_EQ(to_string(kPercent), "failure_percent");
}

}  // namespace
}  // namespace lb
