// Goal: durations, sizes, addresses and near misses are read exactly, or not at all.
// Method: tables of texts, and every round trip.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>

#include "lbcore/config/daemon_config.h"

namespace lb::config {
namespace {

using namespace std::chrono_literals;

TEST(Duration, IsReadWithItsUnit) {
  const std::map<std::string, Duration> known{
      {"0s", 0ns},    {"7ns", 7ns},   {"100us", 100us},      {"250ms", 250ms},  {"5s", 5s},
      {"2m", 2min},   {"1h", 1h},     {"1.5s", 1500ms},      {"0.25us", 250ns}, {".5s", 500ms},
      {"0.1ns", 0ns}, {"0.5ns", 1ns}, {"2500000h", 2500000h}};
  for (const auto& [text, duration] : known) EXPECT_EQ(parse_duration(text), duration) << text;
}

TEST(Duration, IsRefusedWithoutAUnitOrSense) {
  for (const char* text : {"",
                           "5",
                           "s",
                           "5 s",
                           " 5s",
                           "5s ",
                           "-5s",
                           "+5s",
                           "5S",
                           "5sec",
                           "1.2.3s",
                           "1e3s",
                           "infs",
                           "nans",
                           "0x5s",
                           "5s5",
                           ".s",
                           "2500001h",
                           "9000000000000000001ns",
                           "99999999999999999999s",
                           "1e400s"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(Duration, KeepsEveryDigit) {
  EXPECT_EQ(parse_duration("9007199254740993ns"), Duration{9007199254740993});
  EXPECT_EQ(parse_duration("9000000000000000000ns"), Duration{9'000'000'000'000'000'000});
}

TEST(Duration, IsWrittenInItsLargestWholeUnit) {
  EXPECT_EQ(format_duration(0s), "0s");
  EXPECT_EQ(format_duration(1ns), "1ns");
  EXPECT_EQ(format_duration(1500us), "1500us");
  EXPECT_EQ(format_duration(60s), "1m");
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(48h), "48h");
}

TEST(Duration, ReadsBackWhatWasWritten) {
  for (std::int64_t size = 1; size <= 100'000'000'000'000'000; size *= 10) {
    for (const std::int64_t count : {size - 1, size, size + 1, 6 * size, 7 * size + 3}) {
      EXPECT_EQ(parse_duration(format_duration(Duration{count})), Duration{count}) << count;
    }
  }
}

TEST(Size, IsReadWithOrWithoutItsUnit) {
  const std::map<std::string, std::uint64_t> known{{"0", 0},
                                                   {"512", 512},
                                                   {"512B", 512},
                                                   {"64KiB", 65536},
                                                   {"1MiB", 1 << 20},
                                                   {"2GiB", 2ULL << 30U},
                                                   {"1KB", 1000},
                                                   {"10MB", 10'000'000},
                                                   {"3GB", 3'000'000'000},
                                                   {"1.5KiB", 1536},
                                                   {"9007199254740993", 9007199254740993}};
  for (const auto& [text, bytes] : known) EXPECT_EQ(parse_size(text), bytes) << text;
  for (const char* text :
       {"", "KiB", "10Mb", "10 MB", "-1", "1TB", "k", "1e3", "9GiBB", "99999999999GB"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

TEST(Address, IsHostAndPort) {
  const auto expect = [](std::string_view text, std::string_view host, int port) {
    const auto address = parse_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->host, host);
    EXPECT_EQ(address->port, port);
  };
  expect("10.0.0.1:80", "10.0.0.1", 80);
  expect("example.com:65535", "example.com", 65535);
  expect("[::1]:0", "::1", 0);
  expect("[fe80::1%eth0]:8080", "fe80::1%eth0", 8080);
  EXPECT_EQ(parse_address("unix:/run/lb d.sock")->path, "/run/lb d.sock");
  EXPECT_TRUE(parse_address("unix:/" + std::string(106, 'x')));
  EXPECT_FALSE(parse_address("unix:/" + std::string(107, 'x'))) << "the system takes 107 bytes";
  for (const char* text : {"", ":", ":80", "host", "host:", "host:x", "host:-1", "host:+1",
                           "host:65536", "host:80 ", "::1:80", "unix:", "unix:run/x", "unix:80",
                           "[::1]", "[]:80", "[::1:80", "http://host:80"}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
}

TEST(DidYouMean, SuggestsTheNearestWordWhenItIsNear) {
  constexpr std::array<std::string_view, 3> kWords{"weight", "address", "state"};
  EXPECT_EQ(did_you_mean("wieght", kWords), "; did you mean \"weight\"?");
  EXPECT_EQ(did_you_mean("adress", kWords), "; did you mean \"address\"?");
  EXPECT_EQ(did_you_mean("stat", kWords), "; did you mean \"state\"?");
  EXPECT_EQ(did_you_mean("colour", kWords), "");
  EXPECT_EQ(did_you_mean("", kWords), "");
  EXPECT_EQ(did_you_mean("x", {}), "");
}

TEST(OneOf, ReadsLikeASentence) {
  constexpr std::array<std::string_view, 3> kWords{"a", "b", "c"};
  EXPECT_EQ(one_of(kWords), "\"a\", \"b\" or \"c\"");
  EXPECT_EQ(one_of({kWords.data(), 2}), "\"a\" or \"b\"");
  EXPECT_EQ(one_of({kWords.data(), 1}), "\"a\"");
}

}  // namespace
}  // namespace lb::config
