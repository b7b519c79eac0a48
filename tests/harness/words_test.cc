// Goal: what is written for a fake backend is what it reads, and nothing else is taken for it.
#include <gtest/gtest.h>

#include "harness/fault_command.h"
#include "harness/load_command.h"
#include "harness/service_time.h"

namespace lb::harness {
namespace {

using scenario::Distribution;
using scenario::FaultKind;
using std::chrono::milliseconds;

TEST(ServiceTime, ReadsEachForm) {
  EXPECT_EQ(parse_service_time("constant:5ms"), Distribution{scenario::Constant{milliseconds{5}}});
  EXPECT_EQ(parse_service_time("exponential:1.5s"),
            Distribution{scenario::Exponential{milliseconds{1500}}});
  EXPECT_EQ(parse_service_time("lognormal:5ms,0.8"),
            (Distribution{scenario::Lognormal{milliseconds{5}, 0.8}}));
}

TEST(ServiceTime, RefusesEverythingElse) {
  for (const char* text : {"", "5ms", "constant", "constant:", "constant:5", "uniform:5ms",
                           "lognormal:5ms", "lognormal:5ms,", "lognormal:5ms,x", "lognormal:5ms,9",
                           "lognormal:5ms,nan", "lognormal:5ms,0.8 "}) {
    EXPECT_FALSE(parse_service_time(text)) << text;
  }
}

TEST(FaultCommand, ReadsLinesAndOptions) {
  EXPECT_EQ(parse_fault("slow 4")->factor, 4);
  EXPECT_EQ(parse_fault("slow=2.5")->factor, 2.5);
  EXPECT_EQ(parse_fault("  error_ratio 0.1\r")->ratio, 0.1);
  EXPECT_EQ(parse_fault("truncate=0.5")->ratio, 0.5);
  EXPECT_FALSE(parse_fault("truncate 1")->reset);
  EXPECT_TRUE(parse_fault("truncate 1 reset")->reset);
  EXPECT_EQ(parse_fault("drip=2s")->over, std::chrono::seconds{2});
  EXPECT_EQ(parse_fault("refuse")->kind, FaultKind::refuse);
  EXPECT_EQ(parse_fault("reset")->kind, FaultKind::reset);
  EXPECT_EQ(parse_fault("hang")->kind, FaultKind::hang);
  EXPECT_EQ(parse_fault("recover")->kind, FaultKind::recover);
}

TEST(FaultCommand, RefusesEverythingElse) {
  for (const char* text : {"",           "slow",           "slow x",         "slow -1",  "slow 4 5",
                           "slow nan",   "error_ratio 2",  "refuse 1",       "crash",    "slow 4 x",
                           "black_hole", "black_hole 3",   "Slow 4",         "recovers", "truncate",
                           "truncate 2", "truncate reset", "truncate 1 rst", "drip",     "drip 2",
                           "drip 0s"}) {
    EXPECT_FALSE(parse_fault(text)) << text;
  }
}

TEST(FaultCommand, WhatIsWrittenReadsBack) {
  for (const char* text :
       {"slow 4", "slow 1 20ms", "error_ratio 0.1", "truncate 0.5", "truncate 1 reset", "drip 2s",
        "black_hole 2ms", "fail_probes", "refuse", "reset", "hang", "recover"}) {
    EXPECT_EQ(format_fault(*parse_fault(text)), text);
  }
}

TEST(Url, SplitsWhatItNeeds) {
  const auto url = parse_url("http://127.0.0.1:8080/a/b?c=d");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "127.0.0.1");
  EXPECT_EQ(url->port, "8080");
  EXPECT_EQ(url->authority, "127.0.0.1:8080");
  EXPECT_EQ(url->target, "/a/b?c=d");
  EXPECT_EQ(parse_url("http://localhost")->port, "80");
  EXPECT_EQ(parse_url("http://localhost")->target, "/");
  EXPECT_EQ(parse_url("http://localhost?x")->target, "/?x");
  EXPECT_EQ(parse_url("http://[::1]:81/")->host, "::1");
  EXPECT_EQ(parse_url("http://[::1]:81/")->port, "81");
}

TEST(Url, RefusesEverythingElse) {
  for (const char* text : {"", "localhost:80", "https://localhost", "http://", "http://:80",
                           "http://a:", "http://a:b", "http://a/ b"}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
}

}  // namespace
}  // namespace lb::harness
