// Goal: who finds no place waits for one in its turn, for as long as it may and no longer; and
// every place that becomes free is offered to somebody. Method: the spoken fixture. One backend
// with one place, taken by r1, unless a test says otherwise.
#include "tests/testing/balancer_fixture.h"

namespace lb {
namespace {

using namespace testing;

class QueueTest : public BalancerFixture {
 protected:
  QueueTest() {
    have_backends({"b1"});
    config.limits = {.max_in_flight_per_backend = 1, .queue = 10, .queue_timeout = 1s};
    config.timeouts.idle = 10h;
    config.timeouts.connect = 10h;
  }
  // So many requests that wait: r2, r3, ….
  std::vector<RequestId> queue_up(int count) {
    std::vector<RequestId> ids;
    for (int n = 0; n < count; ++n) ids.push_back(queue());
    return ids;
  }
};

TEST_F(QueueTest, WaitsForAPlace) {
  const Assignment a = request();
  const RequestId b = queue();
  EXPECT_EQ(balancer().queue_length(), 1u);
  EXPECT_EQ(balancer().in_progress(), 2u);
  EXPECT_EQ(balancer().counters().queued, 1u);
  EXPECT_EQ(balancer().counters().attempts, 1u);
  EXPECT_EQ(actions(), Names{});
  send(a), answer(a), finish(a);
  EXPECT_EQ(actions(), Names{"due r2"});
  const Assignment started = start_due(b);
  EXPECT_EQ(started.attempt, 1u);
  EXPECT_EQ(started.request, b);
  EXPECT_TRUE(started.reused);
  EXPECT_EQ(balancer().queue_length(), 0u);
  advance(1h);
  EXPECT_EQ(actions(), Names{}) << "it has waited long enough, but it waits no more";
  leave(started);
  expect_at_rest();
  EXPECT_EQ(next_timeout(), std::nullopt);
}

TEST_F(QueueTest, ServesThemInTheOrderTheyCame) {
  Assignment running = request();
  for (const RequestId id : queue_up(3)) {
    leave(running);
    EXPECT_EQ(actions().size(), 1u);
    running = start_due(id);
  }
  leave(running);
  expect_at_rest();
}

TEST_F(QueueTest, ServesTheClassesInOrder) {
  Assignment running = request();
  const std::map<std::string, RequestId> waiting{{"due r2", queue({.priority = 7})},
                                                 {"due r3", queue({.priority = 1})},
                                                 {"due r4", queue({.priority = 0})},
                                                 {"due r5", queue({.priority = 1})},
                                                 {"due r6", queue({.priority = 0})}};
  for (const char* next : {"due r4", "due r6", "due r3", "due r5", "due r2"}) {
    leave(running);
    EXPECT_EQ(actions(), Names{next});
    running = start_due(waiting.at(next));
  }
}

TEST_F(QueueTest, TurnsRoundWhenWaitsGrowLong) {
  config.limits.queue_order = QueueOrder::adaptive_lifo;
  const Assignment a = request();
  const auto waiting = queue_up(3);
  advance(500ms);
  leave(a);
  EXPECT_EQ(actions(), Names{"due r2"}) << "half of the time is not more than half";
  const Assignment b = start_due(waiting[0]);
  advance(1ns);
  leave(b);
  EXPECT_EQ(actions(), Names{"due r4"});
}

TEST_F(QueueTest, RefusesWhoFindsItFull) {
  config.limits.queue = 2;
  request();
  queue_up(2);
  EXPECT_EQ(refused(), Outcome::over_limit);
  EXPECT_EQ(balancer().queue_length(), 2u);
  EXPECT_EQ(balancer().counters().queued, 2u);
  expect_books_balance();
}

TEST_F(QueueTest, WaitsForTheClusterToo) {
  config.limits = {.max_in_flight = 2, .queue = 10};
  have_backends({"b1", "b2"});
  const Assignment a = request();
  request();
  const RequestId c = queue();
  leave(a);
  EXPECT_EQ(actions(), Names{"due r3"});
  EXPECT_EQ(who(start_due(c)), "b1");
}

// -- Its time

TEST_F(QueueTest, GivesUpAtItsTimeAndNotBefore) {
  request();
  const RequestId b = queue();
  EXPECT_EQ(next_timeout(), 1s);
  advance(1s - 1ns);
  EXPECT_EQ(actions(), Names{});
  advance(1ns);
  EXPECT_EQ(actions(), Names{"due r2"});
  EXPECT_EQ(balancer().queue_length(), 0u);
  EXPECT_EQ(refused_when_due(b), Outcome::queue_timeout);
  EXPECT_EQ(ended(Outcome::queue_timeout), 1u);
  expect_books_balance();
}

TEST_F(QueueTest, OthersWaitOnWhenOneGivesUp) {
  const Assignment a = request();
  const RequestId b = queue();
  advance(600ms);
  const RequestId c = queue();
  advance(400ms);
  EXPECT_EQ(actions(), Names{"due r2"});
  EXPECT_EQ(refused_when_due(b), Outcome::queue_timeout);
  EXPECT_EQ(actions(), Names{}) << "no place has become free";
  leave(a);
  EXPECT_EQ(actions(), Names{"due r3"});
  start_due(c);
}

// A place was free for it, but it came too late: the place is the next one's.
TEST_F(QueueTest, APlaceIsNotLostWithTheOneThatWasCalled) {
  const Assignment a = request();
  const RequestId b = queue();
  advance(500ms);
  const RequestId c = queue();
  advance(500ms - 1ns);
  leave(a);
  EXPECT_EQ(actions(), Names{"due r2"});
  advance(1ns);
  EXPECT_EQ(actions(), Names{}) << "it has been told already";
  EXPECT_EQ(refused_when_due(b), Outcome::queue_timeout);
  EXPECT_EQ(actions(), Names{"due r3"});
  start_due(c);
}

TEST_F(QueueTest, APlaceIsNotLostWithTheOneWhoseRequestTimeIsUp) {
  config.timeouts.request = 900ms;
  const Assignment a = request();
  connect(a), sent(a), answer(a);
  const RequestId b = queue();
  advance(500ms);
  const RequestId c = queue();
  advance(400ms - 1ns);
  leave(a);
  EXPECT_EQ(actions(), Names{"due r2"});
  advance(1ns);
  EXPECT_EQ(refused_when_due(b), Outcome::timeout);
  EXPECT_EQ(actions(), Names{"due r3"});
  start_due(c);
}

TEST_F(QueueTest, TheTimeOfTheRequestEndsItsWait) {
  config.timeouts.request = 400ms;
  const Assignment a = request();
  connect(a), sent(a), answer(a);
  const RequestId b = queue();
  advance(400ms - 1ns);
  EXPECT_EQ(actions(), Names{});
  advance(1ns);
  EXPECT_EQ(actions(), Names{"due r2"});
  EXPECT_EQ(refused_when_due(b), Outcome::timeout);
  EXPECT_EQ(balancer().queue_length(), 0u);
  leave(a);
  expect_at_rest();
  EXPECT_EQ(next_timeout(), std::nullopt) << "the other deadline is gone, too";
}

TEST_F(QueueTest, OfTwoTimesThatAreUpTheEarlierGivesTheOutcome) {
  struct Row {
    Duration queue, request;
    Outcome outcome;
  };
  for (const Row& row :
       {Row{300ms, 500ms, Outcome::queue_timeout}, Row{500ms, 300ms, Outcome::timeout},
        Row{300ms, 300ms, Outcome::timeout}}) {  // It began first.
    config.limits.queue_timeout = row.queue;
    config.timeouts.request = row.request;
    reload();
    const Assignment a = request();
    connect(a), sent(a), answer(a);
    const RequestId b = queue();
    advance(1s);  // A late wakeup: both have passed.
    EXPECT_EQ(actions().size(), 1u) << "called once";
    EXPECT_EQ(refused_when_due(b), row.outcome) << row.queue.count() << ' ' << row.request.count();
    leave(a);
    expect_at_rest();
  }
}

TEST_F(QueueTest, TheEarlierGivesTheOutcomeThoughItWasCalledBefore) {
  for (const auto& [in_queue, outcome] :
       std::map<Duration, Outcome>{{300ms, Outcome::queue_timeout}, {500ms, Outcome::timeout}}) {
    config.limits.queue_timeout = in_queue;
    config.timeouts.request = 400ms;
    reload();
    const Assignment a = request();
    const RequestId b = queue();
    leave(a);
    EXPECT_EQ(actions().size(), 1u);
    advance(1s);
    EXPECT_EQ(refused_when_due(b), outcome) << in_queue.count();
    expect_at_rest();
  }
}

TEST_F(QueueTest, CalledAndOutOfTimeAtTheSameInstantIsCalledOnce) {
  const Assignment a = request();
  const RequestId b = queue();
  queue();
  balancer().handle_finished(Instant{1h + 1s}, a.request, Outcome::client_gone, false);
  advance(1s);
  EXPECT_EQ(actions(), (Names{"due r2", "due r3"})) << "r3 for its time, r2 for the place";
  EXPECT_EQ(refused_when_due(b), Outcome::queue_timeout);
  EXPECT_EQ(actions(), Names{});
}

// -- Clients that leave

TEST_F(QueueTest, LetsTheClientGoWhileItWaits) {
  const Assignment a = request();
  const auto waiting = queue_up(3);
  leave(waiting[0]);
  leave(waiting[2]);
  EXPECT_EQ(balancer().queue_length(), 1u);
  EXPECT_EQ(actions(), Names{});
  leave(a);
  EXPECT_EQ(actions(), Names{"due r3"});
  leave(start_due(waiting[1]));
  expect_at_rest();
  EXPECT_EQ(next_timeout(), std::nullopt);
  EXPECT_EQ(ended(Outcome::client_gone), 4u);
}

TEST_F(QueueTest, LetsTheClientGoOnceItIsCalled) {
  const Assignment a = request();
  const auto waiting = queue_up(2);
  leave(a);
  EXPECT_EQ(actions(), Names{"due r2"});
  leave(waiting[0]);
  EXPECT_EQ(actions(), Names{"due r3"}) << "its place is the next one's";
  start_due(waiting[1]);
  EXPECT_EQ(balancer().queue_length(), 0u);
}

TEST_F(QueueTest, LetsTheClientGoWhenItsTimeIsUp) {
  const Assignment a = request();
  const RequestId b = queue();
  advance(1s);
  EXPECT_EQ(actions(), Names{"due r2"});
  leave(b);
  leave(a);
  expect_at_rest();
}

// -- Turns

TEST_F(QueueTest, CallsOneAfterTheOther) {
  config.limits.max_in_flight_per_backend = 2;
  const Assignment a = request();
  const Assignment b = request();
  const auto waiting = queue_up(3);
  leave(a);
  leave(b);
  EXPECT_EQ(actions(), Names{"due r3"});
  start_due(waiting[0]);
  EXPECT_EQ(actions(), Names{"due r4"}) << "there is a second place";
  start_due(waiting[1]);
  EXPECT_EQ(actions(), Names{});
}

TEST_F(QueueTest, NewcomersDoNotOvertakeWhoWaits) {
  const Assignment a = request();
  const auto waiting = queue_up(2);
  leave(a);
  EXPECT_EQ(actions(), Names{"due r2"});
  const RequestId newcomer = queue();  // Though a place is free.
  const Assignment b = start_due(waiting[0]);
  leave(b);
  EXPECT_EQ(actions(), Names{"due r3"});
  leave(start_due(waiting[1]));
  EXPECT_EQ(actions(), Names{"due r4"});
  start_due(newcomer);
}

// The queue is empty, and yet somebody has been promised the place.
TEST_F(QueueTest, NewcomersDoNotOvertakeWhoWasCalled) {
  const Assignment a = request();
  const RequestId b = queue();
  leave(a);
  EXPECT_EQ(actions(), Names{"due r2"});
  const RequestId newcomer = queue();
  const Assignment started = start_due(b);
  EXPECT_EQ(actions(), Names{});
  leave(started);
  EXPECT_EQ(actions(), Names{"due r3"});
  start_due(newcomer);
}

TEST_F(QueueTest, WhoFindsItsPlaceGoneIsNextAndKeepsItsTime) {
  const Assignment a = request();
  const auto waiting = queue_up(2);
  advance(400ms);
  leave(a);
  EXPECT_EQ(actions(), Names{"due r2"});
  report_load(0, {{"b1", 1}});  // A sibling was faster.
  EXPECT_EQ(try_due(waiting[0]).kind, Start::Kind::queued);
  EXPECT_EQ(balancer().queue_length(), 2u);
  EXPECT_EQ(balancer().counters().queued, 2u) << "it is not counted a second time";
  EXPECT_EQ(actions(), Names{});
  report_load(0, {});
  EXPECT_EQ(actions(), Names{"due r2"});
  report_load(0, {{"b1", 1}});
  EXPECT_EQ(try_due(waiting[0]).kind, Start::Kind::queued);
  EXPECT_EQ(next_timeout(), 600ms);
  advance(600ms);
  EXPECT_EQ(actions(), (Names{"due r2", "due r3"}));
  EXPECT_EQ(refused_when_due(waiting[0]), Outcome::queue_timeout);
  EXPECT_EQ(refused_when_due(waiting[1]), Outcome::queue_timeout);
  expect_at_rest();
}

TEST_F(QueueTest, WhoFindsItsPlaceGoneGoesBackThoughTheQueueIsFull) {
  config.limits.queue = 1;
  const Assignment a = request();
  const RequestId b = queue();
  leave(a);
  EXPECT_EQ(actions(), Names{"due r2"});
  queue();
  report_load(0, {{"b1", 1}});
  EXPECT_EQ(try_due(b).kind, Start::Kind::queued);
  EXPECT_EQ(balancer().queue_length(), 2u);
  report_load(0, {});
  EXPECT_EQ(actions(), Names{"due r2"});
}

// -- What else makes room

TEST_F(QueueTest, CallsWhenASiblingHasLess) {
  report_load(0, {{"b1", 1}});
  queue();
  EXPECT_EQ(actions(), Names{});
  report_load(0, {});
  EXPECT_EQ(actions(), Names{"due r1"});
}

TEST_F(QueueTest, CallsWhenABackendJoins) {
  request();
  const auto waiting = queue_up(2);
  have_backends({"b1", "b2"});
  reload();
  EXPECT_EQ(actions(), Names{"due r2"});
  EXPECT_EQ(who(start_due(waiting[0])), "b2");
  EXPECT_EQ(actions(), Names{});
}

TEST_F(QueueTest, CallsWhenABackendComesBack) {
  have_backends({"b1", "b2"});
  have_health_check();
  make_healthy("b1");
  request();
  const RequestId b = queue();
  make_healthy("b2");
  EXPECT_EQ(actions(), Names{"due r2"});
  EXPECT_EQ(who(start_due(b)), "b2");
  eject("b2");
  const RequestId c = queue();
  EXPECT_EQ(actions(), Names{});
  leave(RequestId{b});
  EXPECT_EQ(actions(), Names{}) << "b2 is out";
  eject("b2", false);
  EXPECT_EQ(actions(), Names{"due r3"});
  EXPECT_EQ(who(start_due(c)), "b2");
}

TEST_F(QueueTest, AReloadThatLiftsTheLimitDrainsIt) {
  request();
  const auto waiting = queue_up(3);
  config.limits = {};
  reload();
  for (std::size_t n = 0; n < waiting.size(); ++n) {
    EXPECT_EQ(actions(), Names{"due r" + std::to_string(n + 2)});
    start_due(waiting[n]);
  }
  EXPECT_EQ(actions(), Names{});
  EXPECT_EQ(balancer().queue_length(), 0u);
}

TEST_F(QueueTest, AReloadWithoutAQueueKeepsWhoWaits) {
  const Assignment a = request();
  const auto waiting = queue_up(2);
  config.limits.queue = 0;
  reload();
  EXPECT_EQ(refused(), Outcome::over_limit);
  leave(a);
  EXPECT_EQ(actions(), Names{"due r2"});
  leave(start_due(waiting[0]));
  EXPECT_EQ(actions(), Names{"due r3"});
  leave(start_due(waiting[1]));
  expect_at_rest();
}

TEST_F(QueueTest, TheLastOfARemovedBackendMakesRoomInTheCluster) {
  have_backends({"b1", "b2"});
  config.limits = {.max_in_flight = 3, .queue = 10};
  const Assignment a = request();
  EXPECT_EQ(who(a), "b1");
  report_load(0, {{"b1", 2}});
  queue();
  have_backends({"b2"});
  reload();
  EXPECT_EQ(actions(), Names{});
  leave(a);
  EXPECT_EQ(actions(), Names{"due r2"});
}

// -- Nobody is left

TEST_F(QueueTest, IsFlushedWhenNobodyIsEligibleAnyMore) {
  have_health_check();
  make_healthy("b1");
  const Assignment a = request();
  const auto waiting = queue_up(2);
  make_unhealthy("b1");
  EXPECT_EQ(actions(), Names{"due r2"});
  EXPECT_EQ(refused_when_due(waiting[0]), Outcome::no_backend);
  EXPECT_EQ(actions(), Names{"due r3"});
  EXPECT_EQ(refused_when_due(waiting[1]), Outcome::no_backend);
  EXPECT_EQ(refused(), Outcome::no_backend);
  leave(a);
  expect_at_rest();
}

TEST_F(QueueTest, IsFlushedWhenAllAreRemoved) {
  const Assignment a = request();
  const auto waiting = queue_up(2);
  have_backends({});
  reload();
  EXPECT_EQ(actions(), Names{"due r2"});
  EXPECT_EQ(refused_when_due(waiting[0]), Outcome::no_backend);
  EXPECT_EQ(actions(), Names{"due r3"});
  have_backends({"b9"});  // Just in time.
  reload();
  EXPECT_EQ(who(start_due(waiting[1])), "b9");
  EXPECT_EQ(next_timeout(), 30s) << "the drain of b1";
  leave(a);
}

// -- Retries

TEST_F(QueueTest, ARetryWaitsInTheQueueAndNotAtItsHead) {
  have_backends({"b1", "b2"});
  const Assignment a = request();
  request();
  const RequestId c = queue();
  fail(a, AttemptFailure::reset);
  EXPECT_EQ(actions(), Names{"due r3"});
  EXPECT_EQ(who(start_due(c)), "b1");
  advance(0ms);
  EXPECT_EQ(actions(), Names{"due r1"});
  EXPECT_EQ(try_due(a.request).kind, Start::Kind::queued);
  queue();  // r4
  leave(c);
  EXPECT_EQ(actions(), Names{"due r1"});
  const Assignment again = start_due(a.request);
  EXPECT_EQ(again.attempt, 2u);
  EXPECT_EQ(who(again), "b1") << "tried before, and the only one with room";
  fail(again, AttemptFailure::reset);
  EXPECT_EQ(actions(), Names{"due r4"});
}

TEST_F(QueueTest, ARetryThatWaitsGivesUpAtItsTime) {
  const Assignment a = request();
  fail(a, AttemptFailure::reset);
  request();
  advance(0ms);
  EXPECT_EQ(try_due(a.request).kind, Start::Kind::queued);
  EXPECT_EQ(next_timeout(), 1s);
  actions();
  advance(1s);
  EXPECT_EQ(actions(), Names{"due r1"});
  EXPECT_EQ(refused_when_due(a.request), Outcome::queue_timeout);
  expect_books_balance();
}

// Its first wait is over and done with: no place is kept for it, and its time begins anew.
TEST_F(QueueTest, ARetryOfOneThatHasWaitedBeforeWaitsLikeAnyOther) {
  const Assignment a = request();
  const RequestId b = queue();
  leave(a);
  EXPECT_EQ(actions(), Names{"due r2"});
  fail(start_due(b), AttemptFailure::reset);
  request();  // r3
  advance(500ms);
  queue();  // r4
  EXPECT_EQ(actions(), Names{"due r2"});
  EXPECT_EQ(try_due(b).kind, Start::Kind::queued);
  EXPECT_EQ(balancer().counters().queued, 3u);
  advance(1s);
  EXPECT_EQ(actions(), (Names{"due r4", "due r2"})) << "behind r4, and as long as any";
}

TEST_F(QueueTest, ARetryThatTakesThePlaceLeavesTheCalledOneItsTurn) {
  const Assignment a = request();
  const auto waiting = queue_up(2);
  fail(a, AttemptFailure::reset);
  EXPECT_EQ(actions(), Names{"due r2"});
  advance(0ms);
  EXPECT_EQ(actions(), Names{"due r1"});
  const Assignment again = start_due(a.request);
  EXPECT_EQ(try_due(waiting[0]).kind, Start::Kind::queued);
  leave(again);
  EXPECT_EQ(actions(), Names{"due r2"});
}

}  // namespace
}  // namespace lb
