// Goal: a fleet is its daemons, each with a brain of its own, its clients and its probes; what one
// of them goes through is counted once and strikes nobody else.
// Method: calm backends, one thing at a time, and counts that follow from it; many seeds where
// chance decides.
#include <algorithm>
#include <set>

#include "lbcore/config/reader.h"
#include "lbcore/hash.h"
#include "lbcore/journal/file.h"
#include "lbcore/journal/replay.h"
#include "lbcore/prng.h"
#include "lbsim/daemon_choice.h"
#include "tests/lbsim/scenarios.h"

namespace lb::sim {
namespace {

using namespace testing;
using scenario::ClientResult;
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

// -- A daemon is gone

// A request every 10 ms, at 10, 20, …; it is at the daemon 1 ms later.
Parts two_daemons(const std::string& by) {
  Parts parts = calm_fleet(R"({"daemons": 2, "clients": ")" + by + R"("})");
  parts.arrivals = R"({"constant": {"rate": 100}})";
  parts.duration = "3s";
  return parts;
}

std::uint64_t failed(const Report& report) { return count(report, ClientResult::failed); }

TEST(DaemonRestart, CostsTheClientsThatKeepToIt) {
  Parts parts = two_daemons("hash");
  parts.events = R"({"at": "1s", "daemon": 0, "fault": "crash", "for": "1s"})";
  const Report report = run(parts);
  const Report calm = run(two_daemons("hash"));
  EXPECT_EQ(calm.daemons[0].requests + calm.daemons[1].requests, 299u);
  EXPECT_EQ(failed(calm), 0u);
  EXPECT_EQ(report.daemons[1].requests, calm.daemons[1].requests) << "strikes nobody else";
  EXPECT_EQ(failed(report), calm.daemons[0].requests - report.daemons[0].outcomes.at("success"));
  EXPECT_GT(failed(report), 20u);
  EXPECT_EQ(ok(report) + failed(report), 299u);
}

TEST(DaemonRestart, BreaksWhatIsInProgressAndCountsItOnce) {
  // Clients in turn, so daemon 0 has the requests of 10, 30, … ms. Those of 970 and 990 ms are with
  // their backends when it dies, the one of 10 ms before it is on its way to daemon 1.
  Parts parts = two_daemons("round_robin");
  parts.behaviour = R"({"service_time": {"constant": "30ms"}, "concurrency": 100})";
  parts.events = R"({"at": "1s", "daemon": 0, "fault": "crash"})";
  const Report report = run(parts);
  EXPECT_EQ(report.daemons[0].requests, 50u);
  EXPECT_EQ(report.daemons[0].outcomes.at("daemon_gone"), 2u);
  EXPECT_EQ(report.daemons[0].outcomes.at("success"), 48u);
  EXPECT_EQ(failed(report), 2u) << "all that come later find the other";
  EXPECT_EQ(report.daemons[1].requests, 249u);
  EXPECT_EQ(report.balancer.requests, 299u);
  EXPECT_EQ(report.balancer.outcomes.at("success"), 297u);
  EXPECT_EQ(report.total.count(), 299u);
  EXPECT_EQ(report.total.latency.max(), kOverNewConnection + 30ms + 2 * kOneWay)
      << "there, refused, and to the other";
}

// The same, but it drains from 1 s on: the two finish, 40 ms after they came and so at 1.031 s, and
// then it is gone, long before 5 s are over. All that come later find the other.
TEST(DaemonRestart, AfterADrainBreaksNothing) {
  Parts parts = two_daemons("round_robin");
  parts.behaviour = R"({"service_time": {"constant": "30ms"}, "concurrency": 100})";
  parts.events = R"({"at": "1s", "daemon": 0, "drain": "1s", "for": "1500ms"})";
  const Report report = run(parts);
  EXPECT_EQ(ok(report), 299u);
  EXPECT_EQ(report.daemons[0].outcomes.at("success"), report.daemons[0].requests);
  EXPECT_EQ(report.daemons[0].outcomes.at("daemon_gone"), 0u);
  EXPECT_EQ(report.daemons[0].requests, 50u + 25u) << "it is back at 2.5 s";
  EXPECT_EQ(report.total.latency.max(), kOverNewConnection + 30ms + 2 * kOneWay)
      << "there, refused, and to the other";
  EXPECT_EQ(report.digest, run(parts).digest);
}

// One that takes longer than the grace is broken at its end.
TEST(DaemonRestart, ADrainEndsWithItsGrace) {
  Parts parts = two_daemons("round_robin");
  parts.behaviour = R"({"service_time": {"constant": "30ms"}, "concurrency": 100})";
  parts.events = R"({"at": "1s", "daemon": 0, "drain": "15ms"})";
  const Report report = run(parts);
  EXPECT_EQ(report.daemons[0].outcomes.at("daemon_gone"), 1u) << "that of 990 ms";
  EXPECT_EQ(report.daemons[0].outcomes.at("success"), 49u);
  EXPECT_EQ(failed(report), 1u);
  parts.events =
      R"({"at": "1s", "daemon": 0, "drain": "1s"}, {"at": "1s", "daemon": 0, "drain": "1s"},
                    {"at": "1001ms", "daemon": 0, "fault": "crash"})";
  EXPECT_EQ(failed(run(parts)), 2u) << "a crash is not put off";
}

TEST(DaemonRestart, WhereAllAreGoneClientsAreRefused) {
  Parts parts = two_daemons("random");
  parts.events = R"({"at": "1s", "daemon": [0, 1], "fault": "crash"})";
  const Report report = run(parts);
  // Sent at 1 s and later, and two of before: one arrives at 1.001 s, one is with its backend.
  EXPECT_EQ(failed(report), 201u);
  EXPECT_EQ(report.balancer.requests, 99u);
  EXPECT_EQ(report.balancer.outcomes.at("daemon_gone"), 1u);
}

// It accepts when its first probes are back, or have failed: 4 ms over this network, or the timeout
// of probes. What comes meanwhile waits in the kernel's queue, and is served.
TEST(DaemonRestart, OpensWhenTheFirstProbesAreBack) {
  Parts parts = two_daemons("hash");
  parts.fleet = "";
  parts.cluster = R"(, "health_check": {"interval": "10s", "timeout": "300ms"})";
  parts.behaviour = R"({"service_time": {"constant": "1ms"}, "concurrency": 100})";
  parts.events = R"({"at": "995ms", "daemon": 0, "fault": "crash", "for": "12ms"})";
  const Report quick = run(parts);
  EXPECT_EQ(failed(quick), 1u) << "the one of 1 s";
  EXPECT_EQ(quick.total.latency.max(), kOverNewConnection + 1ms);
  parts.events += R"(, {"at": "990ms", "backend": "b1", "fault": "hang"})";
  const Report slow = run(parts);
  EXPECT_EQ(failed(slow), 1u);
  EXPECT_EQ(slow.total.latency.max(), kOverNewConnection + 1ms + 296ms)
      << "sent at 1.010 s, one way off, and accepted at 1.307 s";
  EXPECT_EQ(slow.backends.at("b1").latency.max(), kOverNewConnection + 1ms)
      << "nothing went to the one that hangs";
  EXPECT_EQ(ok(slow) + failed(slow), 299u);
}

// Two starts, and the probe of the first comes back in the second one's life: it says nothing
// there. Started at 1.009 s, it opens at 1.013 s; the request of 1.010 s is there at 1.011 s.
TEST(DaemonRestart, ProbesOfAnEarlierLifeSayNothing) {
  Parts parts = two_daemons("hash");
  parts.fleet = "";
  parts.cluster = R"(, "health_check": {"interval": "10s", "timeout": "300ms"})";
  parts.behaviour = R"({"service_time": {"constant": "1ms"}, "concurrency": 100})";
  parts.events = R"({"at": "1005ms", "daemon": 0, "fault": "crash", "for": "1ms"},)"
                 R"({"at": "1008ms", "daemon": 0, "fault": "crash", "for": "1ms"})";
  const Report report = run(parts);
  EXPECT_EQ(ok(report), 299u);
  EXPECT_EQ(report.total.latency.max(), kOverNewConnection + 1ms + 2ms);
}

// A connection that is opened ahead of need takes until 2 ms; that of the second life, which has
// the same number, until 3.5 ms. The only request is there at 3 ms and opens its own.
TEST(DaemonRestart, ConnectionsOfAnEarlierLifeAreNobodys) {
  Parts parts = two_daemons("hash");
  parts.fleet = "";
  parts.backends = 1;
  parts.cluster = R"(, "connection_pool": {"warm_up": 1})";
  parts.arrivals = R"({"constant": {"rate": 500}})";
  parts.duration = "3ms";
  parts.events = R"({"at": "1ms", "daemon": 0, "fault": "crash", "for": "500us"})";
  const Report report = run(parts);
  EXPECT_EQ(report.total.count(), 1u);
  EXPECT_EQ(report.total.latency.max(), kOverNewConnection + 10ms);
}

// A new process knows nothing: connections, and whom its predecessor had ejected.
TEST(DaemonRestart, ComesBackCold) {
  Parts parts = two_daemons("hash");
  parts.fleet = "";
  parts.behaviour = R"({"service_time": {"constant": "1ms"}, "concurrency": 100})";
  parts.backends = 2;
  parts.cluster = R"(, "outlier_ejection": {}, "retries": {"attempts": 1})";
  parts.events = R"({"at": "0s", "backend": "b1", "fault": "error_ratio", "ratio": 1},)"
                 R"({"at": "1500ms", "daemon": 0, "fault": "crash", "for": "5ms"})";
  const Report report = run(parts);
  EXPECT_EQ(count(report, ClientResult::server_error), 10u) << "five of each life";
  EXPECT_EQ(failed(report), 1u);
  EXPECT_EQ(report.balancer.connections_opened, 2u * 2u);
  EXPECT_EQ(report.balancer.requests, 298u);
}

// Two daemons with the same secret read each other's cookies; without one each makes its own up,
// at every start.
TEST(DaemonRestart, SessionsSurviveItWithASecret) {
  const auto moved = [](const std::string& cookie, const std::string& fleet) {
    Parts parts = two_daemons("hash");
    parts.fleet = fleet;
    parts.behaviour = R"({"service_time": {"constant": "1ms"}, "concurrency": 100})";
    parts.cluster = R"(, "affinity": {"cookie": )" + cookie + "}";
    parts.load = R"(, "clients": 1)";
    if (fleet.empty()) {
      parts.events = R"({"at": "1s", "daemon": 0, "fault": "crash", "for": "5ms"})";
    }
    const Report report = run(parts);
    return std::count_if(report.backends.begin(), report.backends.end(),
                         [](const auto& backend) { return backend.second.count() > 0; });
  };
  const std::string secret = R"({"secret": "0123456789abcdef0123456789abcdef"})";
  EXPECT_EQ(moved(secret, ""), 1);
  const std::string turns = R"({"daemons": 2, "clients": "round_robin"})";
  EXPECT_EQ(moved(secret, turns), 1);
  EXPECT_GT(moved("{}", turns), 1) << "each request finds a cookie that its daemon cannot read";
}

// Whatever strikes whom, daemons among them: every request ends once (which the simulator asserts),
// a run played again is the same, and its journal replays.
TEST(DaemonRestart, NothingIsLostInAStorm) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Prng prng(seed);
    const auto ms = [&](std::uint64_t below) { return std::to_string(prng.below(below)) + "ms"; };
    const char* by = prng.below(2) == 0 ? "hash" : "random";
    Parts parts = calm_fleet(R"({"daemons": 3, "clients": ")" + std::string{by} + R"("})");
    parts.seed = seed;
    parts.strategy = R"("least_request")";
    parts.behaviour =
        R"({"service_time": {"exponential": {"mean": "20ms"}}, "concurrency": 3, "queue": 10})";
    parts.arrivals = R"({"poisson": {"rate": 200}})";
    parts.duration = "4s";
    parts.load = R"(, "timeout": "250ms", "retries": {"attempts": 2, "backoff": "20ms"})";
    parts.config = R"(, "workers": 2, "rate_limit": {"rate": 50, "burst": 20})";
    parts.cluster = R"(, "timeouts": {"response": "150ms", "connect": "20ms"},)"
                    R"( "slow_start": {"duration": "1s"},)"
                    R"( "health_check": {"interval": "100ms", "timeout": "30ms"},)"
                    R"( "connection_pool": {"warm_up": 2}, "outlier_ejection": {})";
    constexpr std::array<const char*, 6> kKinds{"crash", "hang",      "refuse",
                                                "reset", "partition", "loss"};
    for (int n = 0; n < 20; ++n) {
      const std::string daemon = R"("daemon": )" + std::to_string(prng.below(3));
      const std::string backend = R"("backend": "b)" + std::to_string(1 + prng.below(3)) + '"';
      const std::size_t kind = prng.below(kKinds.size());
      const bool of_daemon = prng.below(3) == 0;
      parts.events += n == 0 ? "{" : ", {";
      parts.events += R"("at": ")" + ms(3000) + R"(", "for": "1)" + ms(500) + R"(", )";
      if (of_daemon) {
        parts.events += daemon + (n % 2 == 0 ? R"(, "fault": "crash"})" : R"(, "drain": "9ms"})");
      } else {
        parts.events += backend + (kind >= 4 ? ", " + daemon : "") + R"(, "fault": ")" +
                        kKinds[kind] + R"(", "ratio": 0.3})";
      }
    }
    const scenario::Scenario scenario = scenario_of(parts);
    std::string bytes;
    const Report report =
        simulate(scenario, {.journal = [&](std::string_view more) { bytes += more; }});
    EXPECT_EQ(report.digest, simulate(scenario).digest);
    journal::Reader reader(bytes);
    const journal::Replayed replayed = journal::replay(reader);
    EXPECT_EQ(replayed.problem, "");
    EXPECT_FALSE(replayed.divergence.has_value());
    std::uint64_t ended = 0;
    for (const auto& [outcome, times] : report.balancer.outcomes) ended += times;
    EXPECT_EQ(ended, report.balancer.requests);
  }
}

// -- Some daemons are cut off

// Two daemons with half of the requests each, two backends: a quarter of all requests would go from
// daemon 0 to b1, and wait there for an hour.
TEST(PartialPartition, StrikesTheDaemonsItNames) {
  Parts parts = two_daemons("round_robin");
  parts.backends = 2;
  parts.cluster = R"(, "timeouts": {"response": "1h"}, "retries": {"attempts": 1})";
  parts.load = R"(, "timeout": "500ms")";
  const std::string partition = R"({"at": "0s", "backend": "b1", "fault": "partition")";
  parts.events = partition + R"(, "daemon": 0})";
  const Report one = run(parts);
  EXPECT_EQ(count(one, ClientResult::timed_out), 75u);
  EXPECT_EQ(one.daemons[1].outcomes.at("success"), 149u);
  EXPECT_EQ(one.daemons[0].outcomes.at("client_gone"), 75u);
  parts.events = partition + R"(, "daemon": [0, 1]})";
  const Report all = run(parts);
  parts.events = partition + "}";
  EXPECT_EQ(all.digest, run(parts).digest) << "all of them is everybody";
  // Ends for all at once, and what was on its way arrives.
  parts.events = partition + R"(, "daemon": 0, "for": "400ms"})";
  const Report ends = run(parts);
  EXPECT_EQ(ok(ends), 299u);
  EXPECT_EQ(ends.daemons[1].outcomes.at("success"), 149u);
}

TEST(PartialPartition, IsSeenByTheProbesOfThoseItNames) {
  Parts parts = two_daemons("round_robin");
  parts.backends = 2;
  parts.cluster = R"(, "health_check": {"interval": "100ms", "timeout": "50ms",)"
                  R"( "unhealthy_threshold": 1})";
  parts.events = R"({"at": "0s", "backend": "b1", "fault": "partition", "daemon": 1})";
  scenario::Scenario scenario = scenario_of(parts);
  scenario.expect = {{.metric = scenario::Metric::share,
                      .backend = "b1",
                      .min = 0.24,
                      .max = 0.26,
                      .from = 500ms}};
  EXPECT_TRUE(simulate(scenario).passed()) << "half of the requests of one daemon";
}

// Two of four daemons do not reach it from 2 s to 6 s of ten, and notice within a second: for them
// it is out for some 4 s, and for the fleet never.
TEST(PartialPartition, AFleetSaysHowManyDoWithoutABackend) {
  Parts parts;
  parts.backends = 2;
  parts.duration = "10s";
  parts.fleet = R"({"daemons": 4, "probes": "together"})";
  parts.cluster = R"(, "health_check": {"path": "/h", "interval": "200ms", "timeout": "100ms"})";
  parts.events =
      R"({"at": "2s", "backend": "b1", "fault": "partition", "daemon": [0, 2], "for": "4s"})";
  const Report report = run(parts);
  EXPECT_EQ(report.standing->at("b1").length, 0s);
  EXPECT_EQ(report.standing->at("b1").exits, 0u);
  const auto& backends = report.summary.levels->backends;
  EXPECT_NEAR(backends.at("b1").out_mean.value, 0.5 * 0.4, 0.03);
  EXPECT_EQ(backends.at("b2").out_mean.value, 0);
}

TEST(PartialPartition, LosesTheMessagesOfThoseItNames) {
  Parts parts = two_daemons("round_robin");
  parts.load = R"(, "timeout": "60s")";
  parts.events = R"({"at": "0s", "backend": ["b1", "b2", "b3"], "fault": "loss", "ratio": 1,)"
                 R"( "retransmit": "1ms", "daemon": 1})";
  const Report report = run(parts);
  // Lost six times each, which is 63 ms: the request, the answer, and the opening of a connection.
  EXPECT_EQ(report.total.latency.quantile(0.49) / 1ms, 14);
  EXPECT_EQ(report.total.latency.max(), kOverNewConnection + 10ms + 3 * 63ms);
}

// -- A name has other addresses

std::string set_backends(const std::string& at, int backend, const std::string& after = "") {
  const std::string n = std::to_string(backend);
  return R"({"at": ")" + at + R"(", "set_backends": {"cluster": "web", "backends": [)" +
         R"({"id": "b)" + n + R"(", "address": "10.0.0.1:800)" + n + R"("}])" + after + "}}";
}

TEST(SetBackends, ReplacesAllAtOnce) {
  Parts parts = two_daemons("round_robin");
  parts.backends = 2;
  parts.events = set_backends("1s", 3) + ", " + set_backends("2s", 2);
  const Report report = run(parts);
  EXPECT_EQ(ok(report), 299u);
  EXPECT_EQ(report.backends.at("b3").count(), 100u) << "all of a second";
  EXPECT_EQ(report.backends.at("b1").count() + report.backends.at("b2").count(), 199u);
  EXPECT_GT(report.backends.at("b2").count(), 140u) << "half of a second, and all of another";
}

// Noticed 500 ms later by everybody, and by a daemon that starts meanwhile at once.
TEST(SetBackends, IsNoticedLater) {
  Parts parts = two_daemons("round_robin");
  parts.backends = 2;
  parts.events = set_backends("1s", 3, R"(, "after": {"constant": "500ms"})");
  EXPECT_EQ(run(parts).backends.at("b3").count(), 150u);
  parts.events += R"(, {"at": "1200ms", "daemon": 0, "fault": "crash", "for": "5ms"})";
  const Report report = run(parts);
  // Clients of daemon 0 that come in those 5 ms go to the other.
  EXPECT_NEAR(static_cast<double>(report.backends.at("b3").count()), 150 + 15, 1);
}

TEST(SetBackends, IsNoticedByEachAtATimeOfItsOwn) {
  Parts parts = two_daemons("round_robin");
  parts.backends = 2;
  parts.fleet = R"({"daemons": 40, "clients": "round_robin"})";
  parts.duration = "2s";
  parts.arrivals = R"({"constant": {"rate": 2000}})";
  parts.events = set_backends("0s", 3, R"(, "after": {"uniform": {"min": "0s", "max": "2s"}})");
  const Report report = run(parts);
  // The mean of 40 uniform shares: 1/2, with a standard deviation of 0.046. Four of them.
  EXPECT_NEAR(share(report, "b3"), 0.5, 4 * 0.046);
  EXPECT_EQ(report.digest, run(parts).digest);
}

// -- Large fleets

// Each of a million pairs has a place in a brain, and a probe every five seconds.
TEST(LargeFleet, AThousandDaemonsAndAThousandBackends) {
  Parts parts;
  parts.backends = 1000;
  parts.strategy = R"("least_request")";
  parts.cluster = R"(, "health_check": {}, "outlier_ejection": {"interval": "5s"})";
  parts.fleet = R"({"daemons": 1000, "clients": "round_robin"})";
  parts.behaviour = R"({"service_time": {"constant": "5ms"}, "concurrency": 8})";
  parts.arrivals = R"({"constant": {"rate": 100000}})";
  parts.duration = "100ms";
  parts.events = R"({"at": "20ms", "backend": "b7", "fault": "crash"})";
  const Report report = run(parts);
  EXPECT_EQ(report.total.count(), 9'999u);
  EXPECT_EQ(ok(report), 9'999u) << "retries hide the crash";
  ASSERT_EQ(report.daemons.size(), 1000u);
  for (const auto& daemon : report.daemons)
    EXPECT_NEAR(static_cast<double>(daemon.requests), 10, 1);
}

}  // namespace
}  // namespace lb::sim
