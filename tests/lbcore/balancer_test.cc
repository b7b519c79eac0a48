// Goal: the life of a request, from its assignment to the one outcome it is counted in.
// Method: a spoken fixture; round robin and a backoff of zero leave nothing to chance.
#include "lbcore/balancer.h"

#include "tests/testing/balancer_fixture.h"

namespace lb {
namespace {

using namespace testing;
using Kind = NextStep::Kind;

using BalancerTest = BalancerFixture;

TEST_F(BalancerTest, CarriesARequestToItsEnd) {
  const Assignment a = request();
  EXPECT_EQ(who(a), "b1");
  EXPECT_FALSE(a.reused);
  EXPECT_EQ(a.attempt, 1u);
  EXPECT_EQ(a.eligible_count, 3u);
  EXPECT_EQ(a.reason, PickReason::in_turn);
  EXPECT_EQ(status("b1").in_flight, 1u);
  connect(a);
  sent(a);
  EXPECT_EQ(answer(a, 200).kind, Kind::deliver);
  finish(a);
  EXPECT_EQ(status("b1").in_flight, 0u);
  EXPECT_EQ(status("b1").picked, 1u);
  EXPECT_EQ(status("b1").failures, 0u);
  EXPECT_EQ(status("b1").outcomes[Outcome::success], 1u);
  EXPECT_EQ(ended(Outcome::success), 1u);
  EXPECT_EQ(balancer().in_progress(), 0u);
  EXPECT_EQ(actions(), Names{});
  expect_books_balance();
}

TEST_F(BalancerTest, CountsWhatItDoes) {
  serve();
  serve();
  const Assignment c = request();
  fail(c, AttemptFailure::connect_failure);
  advance(0ms);
  const Assignment again = retry(c);
  send(again);
  answer(again, 500);
  finish(again, Outcome::backend_error);
  try_request();
  const BalancerCounters& counters = balancer().counters();
  EXPECT_EQ(counters.requests, 4u);
  EXPECT_EQ(counters.attempts, 5u);
  EXPECT_EQ(counters.retries, 1u);
  EXPECT_EQ(counters.connections_opened, 3u);
  EXPECT_EQ(counters.connections_reused, 2u) << "the retry on b1, and the last on b2";
  EXPECT_EQ(counters.outcomes[Outcome::success], 2u);
  EXPECT_EQ(counters.outcomes[Outcome::backend_error], 1u);
  EXPECT_EQ(balancer().in_progress(), 1u);
  expect_books_balance();
}

TEST_F(BalancerTest, SaysWhenOnlyOneWasEligible) {
  have_backends({"b1"});
  EXPECT_EQ(request().reason, PickReason::only_one);
}

TEST_F(BalancerTest, EndsARequestThatNobodyCanTake) {
  have_backends({});
  EXPECT_EQ(refused(), Outcome::no_backend);
  EXPECT_EQ(ended(Outcome::no_backend), 1u);
  EXPECT_EQ(balancer().in_progress(), 0u);
  EXPECT_EQ(balancer().counters().attempts, 0u);
  expect_books_balance();
}

// -- Failures and retries

TEST_F(BalancerTest, RetriesOnAnotherBackend) {
  const Assignment a = request();
  EXPECT_EQ(who(a), "b1");
  EXPECT_EQ(fail(a, AttemptFailure::connect_failure).kind, Kind::retry);
  EXPECT_EQ(status("b1").in_flight, 0u);
  EXPECT_EQ(status("b1").failures, 1u);
  EXPECT_EQ(actions(), Names{}) << "not before its time";
  advance(0ms);
  EXPECT_EQ(actions(), Names{"due r1"});
  const Assignment again = retry(a);
  EXPECT_EQ(again.request, a.request);
  EXPECT_EQ(who(again), "b2");
  EXPECT_EQ(again.attempt, 2u);
  EXPECT_NE(again.connection, a.connection);
}

TEST_F(BalancerTest, GivesUpAfterTheLastAttempt) {
  config.retries.attempts = 3;
  Assignment a = request();
  Names tried{who(a)};
  for (int n = 0; n < 2; ++n) {
    EXPECT_EQ(fail(a, AttemptFailure::reset).kind, Kind::retry);
    advance(0ms);
    a = retry(a);
    tried.push_back(who(a));
  }
  const NextStep last = fail(a, AttemptFailure::reset);
  EXPECT_EQ(last.kind, Kind::give_up);
  EXPECT_EQ(last.outcome, Outcome::reset);
  EXPECT_EQ(tried, (Names{"b1", "b2", "b3"}));
  EXPECT_EQ(status("b3").outcomes[Outcome::reset], 1u) << "it ended with b3";
  EXPECT_EQ(status("b1").outcomes.total(), 0u);
  expect_books_balance();
}

// The turn of round robin would come back to a tried one; then the next untried is taken.
TEST_F(BalancerTest, SkipsTheTriedThoughItIsTheirTurn) {
  config.retries.attempts = 3;
  const Assignment a = request();                 // b1
  EXPECT_EQ(next_picks(2), (Names{"b2", "b3"}));  // Now it is b1's turn again.
  fail(a, AttemptFailure::reset);
  const Assignment second = retry(a);
  EXPECT_EQ(who(second), "b2");
  EXPECT_EQ(next_picks(2), (Names{"b3", "b1"}));
  fail(second, AttemptFailure::reset);
  EXPECT_EQ(who(retry(second)), "b3");
}

// What a strategy is told is when the answer began: a long body says nothing of a backend.
TEST_F(BalancerTest, AnAnswerIsTimedWhenItBegins) {
  config.strategy = LeastEwmaLatencyConfig{};
  have_backends({"b1", "b2"});
  const Assignment quick = request();
  const Assignment slow = request();
  advance(10ms);
  send(quick);
  answer(quick);
  advance(1s);
  send(slow);
  answer(slow);
  finish(slow);
  advance(10s);
  finish(quick);
  EXPECT_EQ(who(request()), who(quick));
}

// A strategy that insists on its choice: then the next one in order, and the reason says so.
TEST_F(BalancerTest, TakesTheNextUntriedWhenTheStrategyInsists) {
  config.strategy = IpHashConfig{};
  const Assignment a = request({.key = HashKey{1} << 63U});  // The middle of all keys.
  EXPECT_EQ(who(a), "b2");
  fail(a, AttemptFailure::reset);
  const Assignment second = retry(a);
  EXPECT_EQ(who(second), "b3");
  EXPECT_EQ(second.reason, PickReason::moved_on);
  fail(second, AttemptFailure::reset);
  EXPECT_EQ(who(retry(second)), "b1") << "and around";
}

TEST_F(BalancerTest, TriesAgainWhereItFailedWhenThereIsNobodyElse) {
  have_backends({"b1", "b2"});
  config.retries.attempts = 3;
  Assignment a = request();
  Names tried{who(a)};
  for (int n = 0; n < 2; ++n) {
    fail(a, AttemptFailure::reset);
    a = retry(a);
    tried.push_back(who(a));
  }
  EXPECT_EQ(tried[1], "b2");
  EXPECT_EQ(tried.size(), 3u);
  EXPECT_EQ(balancer().in_progress(), 1u);
}

TEST_F(BalancerTest, DoesNotRepeatAPostAfterBytesWereSent) {
  const Assignment a = request();
  send(a);
  const NextStep step = fail(a, AttemptFailure::reset, kPostSent);
  EXPECT_EQ(step.kind, Kind::give_up);
  EXPECT_EQ(step.outcome, Outcome::reset);
  EXPECT_EQ(balancer().counters().retries, 0u);
  expect_books_balance();
}

TEST_F(BalancerTest, RepeatsAPostThatNeverLeft) {
  const Assignment a = request();
  const AttemptFacts nothing_sent{.body_replayable = true};
  EXPECT_EQ(fail(a, AttemptFailure::connect_failure, nothing_sent).kind, Kind::retry);
}

TEST_F(BalancerTest, CountsAnAnswerThatBrokeOffAsCut) {
  const Assignment a = request();
  send(a);
  answer(a, 200);
  const NextStep step = fail(a, AttemptFailure::reset, kAnswerBegun);
  EXPECT_EQ(step.kind, Kind::give_up);
  EXPECT_EQ(step.outcome, Outcome::cut);
  EXPECT_EQ(ended(Outcome::cut), 1u);
}

TEST_F(BalancerTest, PassesAnErrorStatusOnUnlessConfigured) {
  const Assignment a = request();
  send(a);
  EXPECT_EQ(answer(a, 503).kind, Kind::deliver);
  EXPECT_EQ(status("b1").failures, 0u);
}

TEST_F(BalancerTest, RetriesAConfiguredStatus) {
  config.retries.on.statuses = {503};
  const Assignment a = request();
  send(a);
  EXPECT_EQ(answer(a, 503).kind, Kind::retry);
  EXPECT_EQ(status("b1").failures, 1u);
  advance(0ms);
  EXPECT_EQ(actions(), Names{"due r1"});
  const Assignment again = retry(a);
  EXPECT_EQ(who(again), "b2");
  send(again);
  EXPECT_EQ(answer(again, 502).kind, Kind::deliver) << "502 is not listed";
}

TEST_F(BalancerTest, PassesAConfiguredStatusOnAfterTheLastAttempt) {
  config.retries.on.statuses = {503};
  config.retries.attempts = 1;
  const Assignment a = request();
  send(a);
  EXPECT_EQ(answer(a, 503).kind, Kind::deliver) << "an answer is better than none";
}

TEST_F(BalancerTest, PassesAConfiguredStatusOnForAPost) {
  config.retries.on.statuses = {503};
  const Assignment a = request();
  send(a);
  EXPECT_EQ(answer(a, 503, kPostSent).kind, Kind::deliver);
}

TEST_F(BalancerTest, EndsARetryThatNobodyCanTake) {
  have_health_check();
  make_healthy("b1");
  const Assignment a = request();
  fail(a, AttemptFailure::reset);
  make_unhealthy("b1");
  advance(0ms);
  EXPECT_EQ(actions(), Names{"due r1"});
  EXPECT_EQ(refused_when_due(a.request), Outcome::no_backend);
  EXPECT_EQ(ended(Outcome::no_backend), 1u);
  expect_books_balance();
}

TEST_F(BalancerTest, WaitsForTheBackoffBeforeARetry) {
  config.retries.backoff = {.base = 40ms, .max = 40ms};
  Prng same{1};  // The seed of the fixture; round robin draws nothing.
  const Duration wait{static_cast<Duration::rep>(same.below(Duration{40ms}.count() + 1))};
  const Assignment a = request();
  fail(a, AttemptFailure::reset);
  EXPECT_EQ(next_timeout(), wait);
  advance(wait - 1ns);
  EXPECT_EQ(actions(), Names{});
  advance(1ns);
  EXPECT_EQ(actions(), Names{"due r1"});
}

// -- A client that leaves, at each phase

TEST_F(BalancerTest, LetsTheClientGoAtAnyPhase) {
  enum Phase { connecting, sending, waiting, answering, backing_off, kPhases };
  for (int phase = 0; phase < kPhases; ++phase) {
    SCOPED_TRACE(phase);
    const Assignment a = request();
    if (phase == backing_off) fail(a, AttemptFailure::reset);
    if (phase >= sending && phase < backing_off) connect(a);
    if (phase == waiting || phase == answering) sent(a);
    if (phase == answering) answer(a);
    leave(a);
    EXPECT_EQ(balancer().in_progress(), 0u);
    EXPECT_EQ(ended(Outcome::client_gone), static_cast<std::uint64_t>(phase) + 1);
    EXPECT_EQ(next_timeout(), std::nullopt) << "no deadline is left behind";
    EXPECT_EQ(balancer().own_load(), std::vector<BackendLoad>{});
    expect_books_balance();
  }
  advance(1h);
  EXPECT_EQ(actions(), Names{});
}

// -- Connections

TEST_F(BalancerTest, ReusesAConnection) {
  have_backends({"b1"});
  const Assignment first = serve();
  EXPECT_EQ(status("b1").idle_connections, 1u);
  const Assignment second = request();
  EXPECT_TRUE(second.reused);
  EXPECT_EQ(second.connection, first.connection);
  EXPECT_EQ(status("b1").idle_connections, 0u);
  EXPECT_FALSE(request().reused) << "it is in use now";
}

TEST_F(BalancerTest, ReusesTheNewestConnection) {
  have_backends({"b1"});
  const Assignment a = request();
  const Assignment b = request();
  for (const Assignment& each : {a, b}) send(each), answer(each);
  finish(b);
  finish(a);
  EXPECT_EQ(request().connection, a.connection);
  EXPECT_EQ(request().connection, b.connection);
}

TEST_F(BalancerTest, ClosesTheOldestConnectionBeyondTheCap) {
  have_backends({"b1"});
  config.connection_pool.max_idle_per_backend = 1;
  const Assignment a = request();
  const Assignment b = request();
  for (const Assignment& each : {a, b}) send(each), answer(each);
  finish(b);
  EXPECT_EQ(actions(), Names{});
  finish(a);
  EXPECT_EQ(actions(), Names{"close c2"});
  EXPECT_EQ(status("b1").idle_connections, 1u);
}

TEST_F(BalancerTest, ForgetsAConnectionThatItsBackendClosed) {
  have_backends({"b1"});
  const Assignment a = serve();
  balancer().handle_connection_closed(Instant{1h}, a.connection);
  EXPECT_EQ(status("b1").idle_connections, 0u);
  EXPECT_FALSE(request().reused);
  EXPECT_EQ(actions(), Names{}) << "there is nothing left to close";
}

TEST_F(BalancerTest, IgnoresTheCloseOfAConnectionInUse) {
  have_backends({"b1"});
  serve();
  const Assignment a = request();
  EXPECT_TRUE(a.reused);
  balancer().handle_connection_closed(Instant{1h}, a.connection);
  send(a);
  answer(a);
  finish(a);
  EXPECT_EQ(status("b1").idle_connections, 1u);
}

TEST_F(BalancerTest, DoesNotPoolAConnectionThatIsNotReusable) {
  have_backends({"b1"});
  const Assignment a = request();
  send(a);
  answer(a);
  balancer().handle_finished(Instant{1h}, a.request, Outcome::success, false);
  EXPECT_EQ(status("b1").idle_connections, 0u);
  EXPECT_EQ(actions(), Names{}) << "the world has closed it";
}

TEST_F(BalancerTest, NeverSharesATcpConnection) {
  have_backends({"b1"});
  serve();
  const Assignment tcp = request({.pooled = false});
  EXPECT_FALSE(tcp.reused);
  send(tcp);
  answer(tcp);
  finish(tcp);
  EXPECT_EQ(actions(), Names{"close c2"});
  EXPECT_EQ(status("b1").idle_connections, 1u);
}

TEST_F(BalancerTest, FailedAttemptsDoNotReturnTheirConnection) {
  have_backends({"b1"});
  serve();
  const Assignment a = request();
  EXPECT_TRUE(a.reused);
  fail(a, AttemptFailure::reset);
  EXPECT_FALSE(retry(a).reused);
}

TEST_F(BalancerTest, HasBackendsAskedWhereItsStrategyWantsToKnow) {
  config.strategy = PrequalConfig{};
  const Assignment a = request();
  const Names asked = actions();
  EXPECT_EQ(asked.size(), 3u) << "prequal asks three with every request";
  for (const std::string& action : asked) EXPECT_TRUE(action.starts_with("ask b")) << action;
  send(a);
  answer(a);
  finish(a);
  EXPECT_EQ(actions(), Names{}) << "nobody is asked without a request";
}

}  // namespace
}  // namespace lb
