// Goal: every request is in the interval in which its client meant to send it, once, and the table
// says what the JSON says.
// Method: a few samples by hand.
#include "lbsim/scenario/time_series.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace lb::scenario {
namespace {

using namespace std::chrono_literals;

TEST(TimeSeries, HasRoundIntervalsAndNotTooMany) {
  EXPECT_EQ(interval_for(1s), 5ms);
  EXPECT_EQ(interval_for(10s), 50ms);
  EXPECT_EQ(interval_for(12s), 50ms);
  EXPECT_EQ(interval_for(12s + 1ns), 100ms);
  EXPECT_EQ(interval_for(24h), 500s);
  EXPECT_EQ(interval_for(240ns), 1ns);
}

TimeSeries three_intervals() {
  TimeSeriesCollector collector(720ms);  // 240 of 3 ms would not be round: 5 ms, 144 of them.
  EXPECT_EQ(collector.interval(), 5ms);
  collector.add({.sent = 0ms, .latency = 7ms}, 0);
  collector.add({.sent = 4ms, .latency = 9ms}, 1);
  collector.add({.sent = 5ms, .latency = 1ms, .result = ClientResult::server_error}, 1);
  collector.add({.sent = 719ms, .latency = 10s, .result = ClientResult::timed_out}, 0);
  collector.add({.sent = 720ms, .latency = 1ms}, 0);  // After the end.
  for (std::uint32_t n = 0; n < 2; ++n) {
    collector.look({.queued = n, .backends = {{3 + n, "eligible"}, {0, "unhealthy"}}});
  }
  return collector.finish({"a", "b,2"});
}

TEST(TimeSeries, CountsByWhenARequestWasMeantToBeSent) {
  const TimeSeries series = three_intervals();
  ASSERT_EQ(series.intervals.size(), 144u);
  using Results = std::array<std::uint64_t, kClientResultCount>;
  EXPECT_EQ(series.intervals[0].results, (Results{2, 0, 0, 0}));
  EXPECT_EQ(series.intervals[1].results, (Results{0, 1, 0, 0}));
  EXPECT_EQ(series.intervals[143].results, (Results{0, 0, 1, 0}));
  EXPECT_NEAR(static_cast<double>(series.intervals[0].p50.count()), 7e6, 7e3);
  EXPECT_NEAR(static_cast<double>(series.intervals[0].p99.count()), 9e6, 9e3);
  EXPECT_EQ(series.intervals[1].p50, 0ns) << "of good answers";
  EXPECT_EQ(series.backends[0].answers[0], 1u);
  EXPECT_EQ(series.backends[1].answers[1], 1u);
  EXPECT_EQ(series.backends[1].errors[1], 1u);
  EXPECT_EQ(series.backends[0].answers[143], 0u) << "nobody answered";
  EXPECT_EQ(series.backends[0].in_flight, (std::vector<std::uint32_t>{3, 4}));
  EXPECT_EQ(series.backends[1].state, (std::vector<std::string>{"unhealthy", "unhealthy"}));
}

TEST(TimeSeries, IsATableWithANameForEachColumn) {
  const std::string table = to_csv(three_intervals());
  EXPECT_EQ(table.substr(0, table.find('\n')),
            "time_s,requests,ok,server_error,timed_out,failed,p50_ms,p90_ms,p99_ms,p999_ms,queued,"
            "a.answers,a.errors,a.in_flight,a.state,"
            "\"b,2.answers\",\"b,2.errors\",\"b,2.in_flight\",\"b,2.state\"");
  EXPECT_NE(table.find("\n0.005,1,0,1,0,0,0,0,0,0,1,0,0,4,eligible,1,1,0,unhealthy\n"),
            std::string::npos)
      << table.substr(0, 600);
  EXPECT_NE(table.find("\n0.715,1,0,0,1,0,0,0,0,0,,0,0,,,0,0,,\n"), std::string::npos)
      << "what nobody looked at is empty";
  const auto lines = std::count(table.begin(), table.end(), '\n');
  EXPECT_EQ(lines, 145);
}

TEST(TimeSeries, IsTheSameAsJson) {
  const config::Json json = to_json(three_intervals());
  EXPECT_EQ(json["interval_s"], 0.005);
  EXPECT_EQ(json["ok"].size(), 144u);
  EXPECT_EQ(json["requests"][0], 2);
  EXPECT_EQ(json["timed_out"][143], 1);
  EXPECT_EQ(json["queued"], (config::Json{0, 1}));
  EXPECT_EQ(json["backends"]["b,2"]["errors"][1], 1);
}

}  // namespace
}  // namespace lb::scenario
