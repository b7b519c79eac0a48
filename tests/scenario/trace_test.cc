// Goal: the requests of a log are sent again at their times, by their clients, for their paths.
// Method: a few lines of each format, as the programs' manuals show them.
#include "lbsim/scenario/trace.h"

#include <gtest/gtest.h>

namespace lb::scenario {
namespace {

using namespace std::chrono_literals;

// "at client target" of each entry.
std::vector<std::string> entries_of(const Trace& trace) {
  std::vector<std::string> all;
  for (const Trace::Entry& entry : trace.entries) {
    all.push_back(std::to_string(entry.at / 1us) + "us " + std::to_string(entry.client) + ' ' +
                  trace.targets[entry.target]);
  }
  return all;
}

using Entries = std::vector<std::string>;

TEST(CsvTrace, ReadsColumnsByTheirNames) {
  const auto loaded = read_csv_trace(
      "path,status,time,client\n/a,200,1700000000.5,anna\n\"/b?x=\"\"1,2\"\"\",200,1700000000.75,"
      "bert\r\n/a,500,1700000002,anna\n");
  EXPECT_EQ(loaded.problem, "");
  EXPECT_EQ(entries_of(loaded.trace),
            (Entries{"0us 0 /a", "250000us 1 /b?x=%221,2%22", "1500000us 0 /a"}));
  EXPECT_EQ(loaded.trace.client_count, 2u);
}

TEST(CsvTrace, NeedsOnlyTimes) {
  const auto loaded = read_csv_trace("time\n2s\n1500ms\n");
  EXPECT_EQ(loaded.problem, "");
  EXPECT_EQ(entries_of(loaded.trace), (Entries{"0us 0 ", "500000us 0 "}));
  EXPECT_EQ(loaded.trace.client_count, 1u);
}

TEST(CsvTrace, SaysWhichLineIsWrong) {
  EXPECT_EQ(read_csv_trace("client,path\n").problem,
            "line 1: expected a header with a column \"time\", found \"client,path\"");
  EXPECT_EQ(read_csv_trace("time\n1\n\nsoon\n").problem,
            "line 4: expected a time in seconds, such as 12.5, or with a unit, such as 1500ms, "
            "found \"soon\"");
  EXPECT_EQ(read_csv_trace("time,client\n").problem, "has no requests");
  EXPECT_NE(read_csv_trace("time\n-5\n").problem, "");
  EXPECT_NE(read_csv_trace("time\n99999999999\n").problem, "");
  EXPECT_NE(read_csv_trace("time\n1.\n").problem, "");
}

// The second request ended last and began first: its 2 s are taken off.
TEST(LogTrace, ReadsTheAccessLogOfLbd) {
  const auto loaded = read_log_trace(
      R"({"time":"2026-01-02T03:04:05.006Z","client":"192.0.2.7","path":"/a","total_ms":6.000})"
      "\n"
      R"({"time":"2026-01-02T03:04:06.000Z","client":"192.0.2.8","path":"/\u00e9 {x}",)"
      R"("total_ms":2000})"
      "\n");
  EXPECT_EQ(loaded.problem, "");
  EXPECT_EQ(entries_of(loaded.trace), (Entries{"0us 1 /%C3%A9%20%7Bx%7D", "1000000us 0 /a"}));
}

TEST(LogTrace, ReadsHaproxy) {
  const auto loaded = read_log_trace(
      "Feb  6 12:14:14 localhost haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in "
      "static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} \"GET /index.html "
      "HTTP/1.1\"\n"
      "10.0.1.3:33318 [07/Feb/2009:12:14:14.656] http-in static/srv1 10/0/30/69/109 200 2750 - - "
      "---- 1/1/1/1/0 0/0 \"POST /b?c=d HTTP/1.1\"\n");
  EXPECT_EQ(loaded.problem, "");
  EXPECT_EQ(entries_of(loaded.trace), (Entries{"0us 0 /index.html", "86400001000us 1 /b?c=d"}));
}

// Three requests in one second: a third of it from one to the next. Midnight, and two zones.
TEST(LogTrace, ReadsNginxAndSpreadsItsSeconds) {
  const auto line = [](const std::string& time, const std::string& path) {
    return "127.0.0.1 - frank [" + time + "] \"GET " + path +
           " HTTP/1.0\" 200 2326 \"http://ref/\" \"curl [x]\"\n";
  };
  const auto loaded = read_log_trace(
      line("31/Dec/2023:23:59:59 +0000", "/a") + line("31/Dec/2023:23:59:59 +0000", "/b") +
      line("01/Jan/2024:00:59:59 +0100", "/c") + line("31/Dec/2023:19:00:00 -0500", "/d"));
  EXPECT_EQ(loaded.problem, "");
  EXPECT_EQ(entries_of(loaded.trace),
            (Entries{"0us 0 /a", "333333us 0 /b", "666666us 0 /c", "1000000us 0 /d"}));
}

// Found by tests/fuzz: with a log that knows milliseconds in the same file, the seconds of one are
// spread among the times of the other, which stay as they are.
TEST(LogTrace, SpreadsNoTimesButThoseOfWholeSeconds) {
  const std::string end = "] \"GET / HTTP/1.0\" 200 5\n";
  const std::string second = "192.0.2.1 - - [31/Dec/2023:23:59:59 +0000" + end;
  const std::string exact = "192.0.2.2:99 [31/Dec/2023:23:59:59.100" + end;
  const auto loaded = read_log_trace(second + exact + second + exact);
  EXPECT_EQ(loaded.problem, "");
  EXPECT_EQ(entries_of(loaded.trace),
            (Entries{"0us 0 /", "100000us 1 /", "100000us 1 /", "500000us 0 /"}));
}

// What is no path, such as "-" of a request that was never read, asks for what the load says.
TEST(LogTrace, LeavesWhatIsNoPathToTheLoad) {
  const auto loaded = read_log_trace("::1 - - [10/Oct/2000:13:55:36 -0700] \"-\" 400 0\n");
  EXPECT_EQ(loaded.problem, "");
  EXPECT_EQ(entries_of(loaded.trace), Entries{"0us 0 "});
}

TEST(LogTrace, SaysWhichLineIsWrong) {
  for (const char* line :
       {"hello", "[x] y", "{}", R"({"time":"yesterday"})",
        "1.2.3.4 - - [10/Okt/2000:13:55:36 -0700] \"GET / HTTP/1.0\"",
        "1.2.3.4 - - [10/Oct/2000:13:55 -0700] \"GET / HTTP/1.0\"",
        // Found by tests/fuzz: no such day, and too far away for nanoseconds.
        "1.2.3.4 - - [31/Feb/2000:13:55:36 -0700] \"GET / HTTP/1.0\"",
        "1.2.3.4 - - [10/Oct/8347:13:55:36 -0700] \"GET / HTTP/1.0\"",
        "1.2.3.4 - - [10/Oct/2000:-1:55:36 -0700] \"GET / HTTP/1.0\"",
        R"({"time":"2026-13-02T03:04:05Z"})", R"({"time":"2026-01-02T24:04:05Z"})",
        R"({"time":"2026-01-02T03:04:05Z","total_ms":1e300})"}) {
    EXPECT_EQ(read_log_trace("\n" + std::string{line}).problem,
              "line 2: expected a line of an access log of lbd, HAProxy (option httplog) or nginx "
              "(combined), found \"" +
                  std::string{line}.substr(0, 60) + '"');
  }
}

}  // namespace
}  // namespace lb::scenario
