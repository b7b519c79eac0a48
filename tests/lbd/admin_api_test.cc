// Goal: the admin API refuses what a web page could send, names what is wrong, and changes nothing
// then.
// Method: a Daemon that was never started; what needs workers is for tests/end_to_end.
#include "lbd/admin_api.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "lbd/daemon.h"
#include "lbd/log.h"

namespace lb::daemon {
namespace {

constexpr const char* kConfig = R"({
  "listeners": [{"name": "web", "bind": "127.0.0.1:0", "cluster": "web"}],
  "clusters": [{"name": "web", "backends": [{"id": "b1", "address": "127.0.0.1:1"},
                                            {"id": "b2", "address": "127.0.0.1:2"}]},
               {"name": "api", "backends": [{"id": "b2", "address": "127.0.0.1:3"}]}]})";

class AdminApi : public ::testing::Test {
 protected:
  AdminApi() { set_log_level(LogLevel::error); }
  ~AdminApi() override {
    set_log_level(LogLevel::info);
    EXPECT_EQ(daemon.config_hash(), before_) << "nothing may have changed";
  }

  AdminAnswer ask(AdminRequest request) {
    if (request.host.empty()) request.host = "localhost:9000";
    return answer_admin_request(daemon, request);
  }
  AdminAnswer get(std::string_view target) { return ask({.method = "GET", .target = target}); }
  AdminAnswer send(std::string_view method, std::string_view target, std::string_view body) {
    return ask(
        {.method = method, .target = target, .content_type = "application/json", .body = body});
  }
  static std::string error_of(const AdminAnswer& answer) {
    return Json::parse(answer.body).at("error").get<std::string>();
  }

  Daemon daemon{config::load_config(kConfig, "config.json").config, ""};

 private:
  std::string before_ = daemon.config_hash();
};

TEST_F(AdminApi, IsAliveBeforeItIsReady) {
  EXPECT_EQ(get("/livez").status, 200);
  EXPECT_EQ(get("/livez?verbose").status, 200);
  EXPECT_EQ(get("/readyz").status, 503);
}

TEST_F(AdminApi, ServesNoWebPage) {
  EXPECT_EQ(ask({.method = "GET", .target = "/livez", .has_origin = true}).status, 403);
}

TEST_F(AdminApi, AnswersToLoopbackNamesAlone) {
  for (const char* host :
       {"localhost", "localhost:1", "127.0.0.1", "127.0.0.1:9000", "[::1]", "[::1]:9000"}) {
    EXPECT_EQ(ask({.method = "GET", .target = "/livez", .host = host}).status, 200) << host;
  }
  for (const char* host : {"example.com", "localhost.example.com", "127.0.0.1.example.com", "::1",
                           "[::1].example.com", "[::1]x", "[::2]", "xlocalhost", "0.0.0.0"}) {
    EXPECT_EQ(ask({.method = "GET", .target = "/livez", .host = host}).status, 403) << host;
  }
  AdminRequest none{.method = "GET", .target = "/livez"};
  EXPECT_EQ(answer_admin_request(daemon, none).status, 403) << "no Host at all";
}

TEST_F(AdminApi, TakesWritesAsJsonAlone) {
  for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded"}) {
    EXPECT_EQ(ask({.method = "PUT", .target = "/config", .content_type = type}).status, 415);
    EXPECT_EQ(ask({.method = "POST", .target = "/backends", .content_type = type}).status, 415);
  }
}

TEST_F(AdminApi, KnowsItsPathsAndWhatTheyTake) {
  EXPECT_EQ(get("/").status, 404);
  EXPECT_EQ(get("/metrics/").status, 404);
  EXPECT_EQ(get("/Livez").status, 404);
  for (const char* path : {"/livez", "/readyz", "/metrics", "/backends"}) {
    EXPECT_EQ(send("PUT", path, "{}").status, 405) << path;
  }
  EXPECT_EQ(send("DELETE", "/config", "").status, 405);
  EXPECT_EQ(get("/backends/b1").status, 405);
  EXPECT_EQ(send("HEAD", "/livez", "").status, 405);
}

TEST_F(AdminApi, ShowsTheConfigurationItWasGiven) {
  const AdminAnswer answer = get("/config");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/json");
  const auto loaded = config::load_config(answer.body, "config.json");
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(config::config_hash(loaded.config), daemon.config_hash());
}

TEST_F(AdminApi, NamesEveryProblemOfAConfiguration) {
  const AdminAnswer answer = send("PUT", "/config", R"({"listeners": 1, "colour": "red"})");
  EXPECT_EQ(answer.status, 400);
  const Json problems = Json::parse(answer.body).at("problems");
  ASSERT_GE(problems.size(), 2u);
  for (const Json& problem : problems) {
    EXPECT_TRUE(problem.at("line").is_number());
    EXPECT_TRUE(problem.at("column").is_number());
    EXPECT_TRUE(problem.at("path").is_string());
    EXPECT_FALSE(problem.at("message").get<std::string>().empty());
  }
  EXPECT_EQ(send("PUT", "/config", "not json").status, 400);
  EXPECT_EQ(send("PUT", "/config", "").status, 400);
}

TEST_F(AdminApi, TakesNothingBeforeItIsReady) {
  const AdminAnswer answer = send("PUT", "/config", get("/config").body);
  EXPECT_EQ(answer.status, 409);
  EXPECT_NE(error_of(answer).find("nothing was changed"), std::string::npos);
}

TEST_F(AdminApi, SaysWhatIsWrongWithANewBackend) {
  EXPECT_EQ(send("POST", "/backends", "").status, 400);
  EXPECT_EQ(send("POST", "/backends", "[]").status, 400);
  EXPECT_EQ(send("POST", "/backends", R"({"id": "b9"})").status, 400);
  EXPECT_EQ(send("POST", "/backends", R"({"cluster": 1, "id": "b9"})").status, 400);
  EXPECT_EQ(send("POST", "/backends", R"({"cluster": "x", "id": "b9"})").status, 404);
  EXPECT_EQ(send("POST", "/backends", R"({"cluster": "web", "id": "b1", "address": "127.0.0.1:9"})")
                .status,
            409);
  EXPECT_EQ(send("POST", "/backends", R"({"cluster": "web", "id": "b9"})").status, 400);
  EXPECT_EQ(send("POST", "/backends",
                 R"({"cluster": "web", "id": "b9", "address": "127.0.0.1:9", "colour": 1})")
                .status,
            400);
}

// The most that fits into a body, and a stack it must not fill.
TEST_F(AdminApi, SurvivesDeepNesting) {
  const std::string deep = std::string(500'000, '[') + std::string(500'000, ']');
  EXPECT_EQ(send("POST", "/backends", R"({"cluster": "web", "id": )" + deep + "}").status, 400);
  EXPECT_EQ(send("PUT", "/config", deep).status, 400);
  EXPECT_EQ(send("PUT", "/config", R"({"listeners": )" + deep + "}").status, 400);
}

TEST_F(AdminApi, SaysWhichBackendCannotLeave) {
  EXPECT_EQ(send("DELETE", "/backends/b9", "").status, 404);
  EXPECT_EQ(send("DELETE", "/backends/", "").status, 404);
  const AdminAnswer both = send("DELETE", "/backends/b2", "");
  EXPECT_EQ(both.status, 409);
  EXPECT_NE(error_of(both).find("?cluster="), std::string::npos);
  EXPECT_EQ(send("DELETE", "/backends/b2?cluster=nowhere", "").status, 404);
}

}  // namespace
}  // namespace lb::daemon
