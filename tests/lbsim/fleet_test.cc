// Goal: a fleet is its daemons, each with a brain of its own, its clients and its probes; what one
// of them goes through is counted once and strikes nobody else.
// Method: calm backends, one thing at a time, and counts that follow from it; many seeds where
// chance decides.
#include <algorithm>
#include <set>

#include "lbcore/config/reader.h"
#include "lbcore/hash.h"
#include "lbcore/journal/file.h"
#include "lbsim/daemon_choice.h"
#include "tests/lbsim/scenarios.h"

namespace lb::sim {
namespace {

using namespace testing;
using scenario::ClientsBy;
using scenario::Fleet;
using scenario::Report;

// -- To which daemon a request goes

std::vector<std::uint32_t> first_choices(DaemonChoice choice, std::size_t count) {
  std::vector<std::uint32_t> chosen;
  for (HashKey client = 0; client < count; ++client) chosen.push_back(choice.next(client));
  return chosen;
}

TEST(DaemonChoice, TakesEachInTurnByItsShare) {
  const Fleet even{.daemons = 3, .clients = ClientsBy::round_robin};
  EXPECT_EQ(first_choices({even, 1}, 7), (std::vector<std::uint32_t>{0, 1, 2, 0, 1, 2, 0}));
  const Fleet uneven{.daemons = 3, .clients = ClientsBy::round_robin, .shares = {3, 0, 1}};
  EXPECT_EQ(first_choices({uneven, 1}, 6), (std::vector<std::uint32_t>{0, 0, 0, 2, 0, 0}));
}

// 40,000 clients: each count is binomial with a standard deviation of at most 100. Three of them
// for each of five seeds and two ways stay within 5 deviations but for one run in 60,000.
TEST(DaemonChoice, GivesEachItsShareOfAllClients) {
  for (const ClientsBy by : {ClientsBy::hash, ClientsBy::random}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      const Fleet fleet{.daemons = 3, .clients = by, .shares = {2, 1, 1}};
      const auto chosen = first_choices({fleet, seed}, 40'000);
      constexpr std::array<double, 3> kExpected{20'000, 10'000, 10'000};
      for (std::uint32_t daemon = 0; daemon < 3; ++daemon) {
        const auto count = std::count(chosen.begin(), chosen.end(), daemon);
        EXPECT_NEAR(static_cast<double>(count), kExpected[daemon], 500);
      }
    }
  }
}

TEST(DaemonChoice, KeepsAClientByItsHashAndOnlyThen) {
  const auto choices_of_one = [](ClientsBy by) {
    DaemonChoice choice({.daemons = 4, .clients = by}, 7);
    std::set<std::uint32_t> chosen;
    for (int n = 0; n < 100; ++n) chosen.insert(choice.next(12345));
    return chosen.size();
  };
  EXPECT_EQ(choices_of_one(ClientsBy::hash), 1u);
  EXPECT_EQ(choices_of_one(ClientsBy::round_robin), 4u);
  EXPECT_EQ(choices_of_one(ClientsBy::random), 4u);
}

// -- Brains of their own

Parts calm_fleet(const std::string& fleet) {
  Parts parts;
  parts.backends = 3;
  parts.behaviour = R"({"service_time": {"constant": "10ms"}, "concurrency": 100})";
  parts.arrivals = R"({"constant": {"rate": 300}})";
  parts.fleet = fleet;
  return parts;
}

TEST(Fleet, EachDaemonTakesItsOwnTurns) {
  // Four requests, two for each of two daemons, which both begin with the same backend: b1 b1 b2
  // b2. One brain would take b1 b2 b3 b1.
  Parts parts = calm_fleet(R"({"daemons": 2, "clients": "round_robin"})");
  parts.duration = "15ms";
  const Report report = run(parts);
  EXPECT_EQ(ok(report), 4u);
  EXPECT_EQ(report.backends.at("b1").count(), 2u);
  EXPECT_EQ(report.backends.at("b2").count(), 2u);
  EXPECT_EQ(report.backends.at("b3").count(), 0u);
  ASSERT_EQ(report.daemons.size(), 2u);
  EXPECT_EQ(report.daemons[0].requests, 2u);
  EXPECT_EQ(report.daemons[1].requests, 2u);
  EXPECT_EQ(report.balancer.requests, 4u);
  EXPECT_EQ(report.balancer.outcomes.at("success"), 4u);
  EXPECT_EQ(report.balancer.connections_opened, 4u) << "none is shared";
}

TEST(Fleet, OneDaemonIsNoFleet) {
  Parts parts = calm_fleet("");
  const Report plain = run(parts);
  parts.fleet = R"({"daemons": 1, "clients": "random"})";
  const Report one = run(parts);
  EXPECT_EQ(one.digest, plain.digest);
  EXPECT_TRUE(one.daemons.empty());
}

TEST(Fleet, TheSameFleetIsTheSameRun) {
  std::set<std::string> digests;
  for (const char* by : {"hash", "round_robin", "random"}) {
    Parts parts = calm_fleet(R"({"daemons": 4, "clients": ")" + std::string{by} + R"("})");
    parts.cluster = R"(, "health_check": {"interval": "100ms"}, "outlier_ejection": {})";
    parts.config = R"(, "workers": 2)";
    parts.behaviour = R"({"service_time": {"lognormal": {"mean": "10ms", "sigma": 1}}})";
    parts.events = R"({"at": "2s", "backend": "b1", "fault": "error_ratio", "ratio": 0.5})";
    const Report report = run(parts);
    EXPECT_EQ(report.digest, run(parts).digest);
    EXPECT_TRUE(digests.insert(report.digest.value_or("")).second) << by;
  }
}

TEST(Fleet, TheJournalNumbersAllBrainsThrough) {
  Parts parts = calm_fleet(R"({"daemons": 2})");
  parts.config = R"(, "workers": 2)";
  std::string bytes;
  const Report report =
      simulate(scenario_of(parts), {.journal = [&](std::string_view more) { bytes += more; }});
  std::set<std::uint32_t> born;
  std::uint64_t requests = 0;
  journal::Reader reader(bytes);
  while (const auto entry = reader.next()) {
    if (std::holds_alternative<journal::Birth>(entry->what)) born.insert(entry->brain);
    const auto* said = std::get_if<journal::Said>(&entry->what);
    if (said != nullptr && std::holds_alternative<input::Request>(said->input)) ++requests;
  }
  EXPECT_EQ(reader.problem(), "");
  EXPECT_EQ(born, (std::set<std::uint32_t>{0, 1, 2, 3})) << "two daemons of two workers";
  EXPECT_EQ(requests, report.total.count());
}

// -- Probes

// When the probes of each daemon find a crash, by the answers the backend gives when it is back.
// A crash is found after three probes; in step, all daemons find it at once.
TEST(Fleet, DaemonsProbeAtTimesOfTheirOwnUnlessTheyStartedTogether) {
  const auto errors_after = [](const std::string& probes, const std::string& from) {
    Parts parts =
        calm_fleet(R"({"daemons": 8, "clients": "round_robin", "probes": ")" + probes + R"("})");
    parts.cluster = R"(, "retries": {"attempts": 1}, "health_check": {"interval": "4s",)"
                    R"( "jitter_percent": 0, "timeout": "1s", "unhealthy_threshold": 1})";
    parts.events = R"({"at": "4500ms", "backend": "b1", "fault": "crash"})";
    scenario::Scenario scenario = scenario_of(parts);
    scenario.expect = {{.metric = scenario::Metric::error_ratio,
                        .max = 0,
                        .from = *config::parse_duration(from),
                        .to = *config::parse_duration(from) + 500ms}};
    return simulate(scenario).expectations[0].value;
  };
  // Together they probe at 4 s and 8 s: a third of the requests fails until then, and none after.
  EXPECT_NEAR(errors_after("together", "7s"), 1 / 3.0, 8 / 150.0) << "each its own turns";
  EXPECT_EQ(errors_after("together", "8100ms"), 0);
  // Spread, each has found it two seconds later with probability 1/2; eight of them have all or
  // none with probability 2^-7.
  const double halfway = errors_after("spread", "6500ms");
  EXPECT_GT(halfway, 1 / 24.0 - 0.01);
  EXPECT_LT(halfway, 7 / 24.0 + 0.01);
  EXPECT_EQ(errors_after("spread", "8600ms"), 0);
}

}  // namespace
}  // namespace lb::sim
