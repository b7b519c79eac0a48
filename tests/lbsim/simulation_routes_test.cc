// Goal: requests go where the listener's routes send them, as in lbd; what a route answers itself
// is an answer, of no backend; and nothing is lost on the way.
// Method: whole runs with routes and the request shapes that meet them.
#include "tests/lbsim/scenarios.h"

namespace lb::sim {
namespace {

using namespace testing;
using scenario::ClientResult;
using scenario::Report;

// Backend b1 in the cluster one, b2 in the cluster two; 1000 requests of 100 clients.
scenario::Scenario scenario_with(const std::string& routes, const std::string& request,
                                 const std::string& events = "") {
  const std::string text =
      R"({"why": "a test", "duration": "10s", "config": {"listeners": [{"name": "web", )"
      R"("bind": "127.0.0.1:8080", "routes": [)" +
      routes +
      R"(]}], "clusters": [{"name": "one", "backends": [{"id": "b1", "address": "h:1"}]},)"
      R"({"name": "two", "backends": [{"id": "b2", "address": "h:2"}]}]},)"
      R"("backends": {"*": {"service_time": {"constant": "1ms"}}},)"
      R"("load": [{"arrivals": {"constant": {"rate": 100}}, "request": )" +
      request + R"(}], "events": [)" + events + "]}";
  scenario::LoadedScenario loaded =
      scenario::load_scenario(text, "test.json", [](const std::string&) { return std::nullopt; });
  EXPECT_EQ(loaded.problems, "") << text;
  return std::move(loaded.scenario);
}

std::uint64_t of(const Report& report, const std::string& backend) {
  const auto found = report.backends.find(backend);
  return found == report.backends.end() ? 0 : found->second.count();
}

TEST(SimulatedRoutes, GoByHostPathQueryAndHeaders) {
  const std::string routes =
      R"({"match": {"host": "*.example.com", "path_prefix": "/shop", "query": {"v": "2"},)"
      R"( "headers": {"x-env": "blue"}, "methods": ["PUT"]}, "cluster": "two"},)"
      R"({"cluster": "one"})";
  const std::string fits = R"({"method": "PUT", "path": "/shop/x?v=2", "host": "a.Example.com:81",)"
                           R"( "headers": {"X-Env": "blue"}})";
  EXPECT_EQ(of(simulate(scenario_with(routes, fits)), "b2"), 999u);
  for (const char* request :
       {R"({"path": "/shop/x?v=2", "host": "a.example.com", "headers": {"X-Env": "blue"}})",
        R"({"method": "PUT", "path": "/shop/x?v=3", "host": "a.example.com",)"
        R"( "headers": {"X-Env": "blue"}})",
        R"({"method": "PUT", "path": "/shop/x?v=2", "host": "example.com",)"
        R"( "headers": {"X-Env": "blue"}})",
        R"({"method": "PUT", "path": "/shop/x?v=2", "host": "a.example.com"})"}) {
    EXPECT_EQ(of(simulate(scenario_with(routes, request)), "b1"), 999u) << request;
  }
}

TEST(SimulatedRoutes, AnswerWithoutABackend) {
  struct Own {
    const char* routes;
    const char* path;
    const char* outcome;
    ClientResult result;
  };
  for (const Own& own :
       {Own{R"({"match": {"path": "/a"}, "cluster": "one"})", "/b", "not_routed", ClientResult::ok},
        Own{R"({"redirect": {"scheme": "https"}})", "/", "redirected", ClientResult::ok},
        Own{R"({"respond": {"status": 200}})", "/", "responded", ClientResult::ok},
        Own{R"({"respond": {"status": 503}})", "/", "responded", ClientResult::server_error},
        Own{R"({"match": {"path_prefix": "/a"}, "cluster": "one"})", "//a", "rejected",
            ClientResult::ok}}) {
    const Report report =
        simulate(scenario_with(own.routes, std::string{R"({"path": ")"} + own.path + "\"}"));
    EXPECT_EQ(count(report, own.result), 999u) << own.outcome;
    EXPECT_EQ(report.balancer.requests, 0u);
    EXPECT_EQ(report.balancer.outcomes.at(own.outcome), 999u);
    EXPECT_EQ(of(report, "b1") + of(report, "b2"), 0u);
  }
}

TEST(SimulatedRoutes, DrawEachRequestOfASplit) {
  const Report report = simulate(scenario_with(
      R"({"split": [{"cluster": "one", "weight": 9}, {"cluster": "two", "weight": 1}]})", "{}"));
  EXPECT_EQ(of(report, "b1") + of(report, "b2"), 999u);
  EXPECT_NEAR(static_cast<double>(of(report, "b2")), 100, 48);  // Five deviations.
  EXPECT_EQ(report.balancer.requests, 999u);
}

TEST(SimulatedRoutes, KeepAClientOnItsSide) {
  // A key that all share: one side gets everything. One that each has for itself: both get some.
  const std::string routes =
      R"({"split": [{"cluster": "one"}, {"cluster": "two"}], "split_key": {"header": "x-user"}})";
  const Report same = simulate(scenario_with(routes, R"({"headers": {"X-User": "all"}})"));
  EXPECT_EQ(std::max(of(same, "b1"), of(same, "b2")), 999u);
  const Report each = simulate(scenario_with(routes, R"({"headers": {"X-User": "u{client}"}})"));
  EXPECT_NEAR(static_cast<double>(of(each, "b1")), 500, 250);  // Five deviations of 100 clients.
}

TEST(SimulatedRoutes, ReplayTheSameRun) {
  const auto scenario =
      scenario_with(R"({"split": [{"cluster": "one"}, {"cluster": "two"}]})", "{}");
  EXPECT_EQ(simulate(scenario).digest, simulate(scenario).digest);
}

TEST(SimulatedRoutes, ChangeWithAReload) {
  const std::string reload =
      R"({"at": "5s", "reload": {"listeners": [{"name": "web", "bind": "127.0.0.1:8080",)"
      R"( "routes": [{"cluster": "two"}]}], "clusters": [)"
      R"({"name": "one", "backends": [{"id": "b1", "address": "h:1"}]},)"
      R"({"name": "two", "backends": [{"id": "b2", "address": "h:2"}]}]}})";
  const Report report = simulate(scenario_with(R"({"cluster": "one"})", "{}", reload));
  EXPECT_NEAR(static_cast<double>(of(report, "b1")), 500, 2);
  EXPECT_EQ(of(report, "b1") + of(report, "b2"), 999u);
}

// What hashing strategies make their keys from is simulated, too.
TEST(SimulatedRequests, HaveTheHeadersThatStrategiesHash) {
  scenario::Scenario scenario =
      scenario_with(R"({"cluster": "one"})", R"({"headers": {"X-User": "all"}})");
  ClusterConfig& cluster = scenario.config.clusters[0];
  cluster.backends.push_back({.id = "b3", .address = "h:3"});
  RendezvousConfig rendezvous;
  rendezvous.key = {KeyExpression::Source::header, "x-user"};
  cluster.strategy = rendezvous;
  const Report report = simulate(scenario);
  EXPECT_EQ(std::max(of(report, "b1"), of(report, "b3")), 999u);
}

}  // namespace
}  // namespace lb::sim
