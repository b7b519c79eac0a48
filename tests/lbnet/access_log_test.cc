// Goal: a line of the access log is one line of JSON with these fields, whatever a client sends.
// Method: whole lines compared; a table of what has to be escaped.
#include "lbnet/access_log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace lb::net {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

AccessRecord record() {
  AccessRecord record;
  record.listener = "web";
  record.client = "192.0.2.7";
  record.method = "GET";
  record.target = "/a?secret=1";
  record.host = "a.example";
  record.status = 200;
  record.cluster = "shop";
  record.backend = "b1";
  record.attempts = 2;
  record.reused_connection = true;
  record.reason = PickReason::in_turn;
  record.eligible = 3;
  record.outcome = "success";
  record.bytes_in = 10;
  record.bytes_out = 20;
  record.times = {1ms, 2500us, 0ns, 1234567ns, 12s};
  return record;
}

TEST(AccessLog, WritesTheseFieldsInThisOrder) {
  EXPECT_EQ(to_json_line(record(), "2026-01-02T03:04:05.006Z"),
            R"({"time":"2026-01-02T03:04:05.006Z","listener":"web","client":"192.0.2.7",)"
            R"("method":"GET","path":"/a","host":"a.example","status":200,"outcome":"success",)"
            R"("cluster":"shop","backend":"b1","attempts":2,"reason":"in_turn","eligible":3,)"
            R"("reused":true,"bytes_in":10,"bytes_out":20,"request_ms":1.000,"queue_ms":2.500,)"
            R"("connect_ms":0.000,"response_ms":1.235,"total_ms":12000.000})");
}

TEST(AccessLog, LeavesOutWhatThereIsNot) {
  AccessRecord session = record();
  session.method = "";
  session.attempts = 0;
  session.backend = "";
  session.status = 0;
  EXPECT_EQ(to_json_line(session, "t"),
            R"({"time":"t","listener":"web","client":"192.0.2.7","status":0,"outcome":"success",)"
            R"("cluster":"shop","backend":"","attempts":0,"bytes_in":10,"bytes_out":20,)"
            R"("request_ms":1.000,"queue_ms":2.500,"connect_ms":0.000,"response_ms":1.235,)"
            R"("total_ms":12000.000})");
}

std::string logged_path(const std::string& target) {
  AccessRecord some = record();
  some.target = target;
  const std::string line = to_json_line(some, "t");
  const std::size_t start = line.find("\"path\":\"") + 8;
  return line.substr(start, line.find("\",\"host\"") - start);
}

TEST(AccessLog, EscapesWhatIsNotPlain) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"/plain-._~!$&'()*+,;=:@%20", "/plain-._~!$&'()*+,;=:@%20"},
      {"\"", "\\\""},
      {"\\", "\\\\"},
      {"\\\",\"status\":\"500", R"(\\\",\"status\":\"500)"},
      {"\n", "\\u000a"},
      {"\r\n", "\\u000d\\u000a"},
      {"\t", "\\u0009"},
      {"\0x"s, "\\u0000x"},
      {"\x1b[31m", "\\u001b[31m"},
      {"\x7f", "\\u007f"},
      {"\xc3\xa9", "\\u00c3\\u00a9"},
      {"\xe2\x80\xa8", "\\u00e2\\u0080\\u00a8"},  // U+2028, a line's end to some
      {"\xff\xfe", "\\u00ff\\u00fe"},
      {"</script>", "</script>"},
  };
  for (const auto& [sent, logged] : table) EXPECT_EQ(logged_path(sent), logged);
}

TEST(AccessLog, EveryByteGivesOnePlainLine) {
  for (int byte = 0; byte < 256; ++byte) {
    AccessRecord some = record();
    const std::string text(3, static_cast<char>(byte));
    some.target = some.host = some.method = some.client = text;
    for (const char c : to_json_line(some, "t")) {
      ASSERT_TRUE(c >= 0x20 && c < 0x7f) << "byte " << byte;
    }
  }
}

TEST(AccessLog, BoundsWhatALineCosts) {
  const std::string much(1U << 20U, 'x');
  EXPECT_EQ(logged_path(much).size(), 2048u);
  AccessRecord some = record();
  some.method = some.target = some.host = some.client = some.backend = some.cluster = much;
  EXPECT_LT(to_json_line(some, "t").size(), 3500u);
  const std::string escaped(1U << 20U, '\xff');
  some.method = some.target = some.host = some.client = escaped;
  EXPECT_LT(to_json_line(some, "t").size(), 20'000u);
}

TEST(AccessLog, WritesLinesToItsFile) {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("access_log_test." + std::to_string(::getpid()));
  {
    AccessLog log(file.string());
    EXPECT_TRUE(log.enabled());
    AccessRecord braces = record();
    braces.target = "/{}%s";
    log.write(braces);
    log.write(record());
    EXPECT_EQ(log.dropped(), 0u);
  }
  std::ifstream in(file);
  std::string first, second, third;
  std::getline(in, first);
  std::getline(in, second);
  EXPECT_NE(first.find(R"("path":"/{}%s")"), std::string::npos) << first;
  EXPECT_NE(second.find(R"("path":"/a")"), std::string::npos) << second;
  EXPECT_TRUE(first.starts_with(R"({"time":"20)")) << first;
  EXPECT_FALSE(std::getline(in, third));
  std::filesystem::remove(file);
}

TEST(AccessLog, OffIsOff) {
  const AccessLog log("off");
  EXPECT_FALSE(log.enabled());
  EXPECT_EQ(log.dropped(), 0u);
}

TEST(AccessLog, SaysThatItsFileCannotBeOpened) {
  EXPECT_ANY_THROW(AccessLog("/dev/null/access.log"));
}

}  // namespace
}  // namespace lb::net
