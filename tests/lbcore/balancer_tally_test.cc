// Goal: what a worker tells of its backends is what it saw: successes, failures, and how they ran.
// Method: the spoken fixture with one backend; every way an attempt can end, and what is counted.
#include "tests/testing/balancer_fixture.h"

namespace lb {
namespace {

using namespace testing;

class BalancerTallyTest : public BalancerFixture {
 protected:
  BalancerTallyTest() {
    have_backends({"b1"});
    config.outlier_ejection.emplace();
    config.retries.attempts = 1;
  }
  std::vector<Tally> take() { return balancer().take_tallies(Instant{1h}); }
  // Of b1 alone.
  Tally tally() {
    const std::vector<Tally> all = take();
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? Tally{} : all[0];
  }
  void answered(int status) {
    const Assignment a = request();
    send(a);
    answer(a, status);
    finish(a);
  }
};

TEST_F(BalancerTallyTest, IsEmptyAtFirst) { EXPECT_EQ(take(), std::vector<Tally>{}); }

TEST_F(BalancerTallyTest, CountsAnswersByTheirStatus) {
  for (const int status : {200, 301, 404, 499}) answered(status);
  EXPECT_EQ(tally(), (Tally{id_of("b1"), 4, 0, {0, 0, 0, true}, {0, 0, 0, true}}));
  for (const int status : {500, 501, 505}) answered(status);
  EXPECT_EQ(tally(), (Tally{id_of("b1"), 0, 3, {3, 3, 3, false}, {0, 0, 0, true}}))
      << "failures, but not of a gateway";
  for (const int status : {502, 503, 504}) answered(status);
  EXPECT_EQ(tally(), (Tally{id_of("b1"), 0, 3, {3, 3, 3, false}, {3, 3, 3, false}}));
}

TEST_F(BalancerTallyTest, CountsAttemptsWithoutAnAnswerAsBoth) {
  std::uint32_t count = 0;
  for (const auto failure : {AttemptFailure::connect_failure, AttemptFailure::connect_timeout,
                             AttemptFailure::reset, AttemptFailure::response_timeout,
                             AttemptFailure::idle_timeout, AttemptFailure::invalid_answer}) {
    fail(request(), failure);
    ++count;
  }
  EXPECT_EQ(
      tally(),
      (Tally{id_of("b1"), 0, count, {count, count, count, false}, {count, count, count, false}}));
}

TEST_F(BalancerTallyTest, KeepsTheOrder) {
  for (const int status : {500, 502, 200, 503, 503, 500, 200, 504}) answered(status);
  const Tally t = tally();
  EXPECT_EQ(t.successes, 2u);
  EXPECT_EQ(t.failures, 6u);
  EXPECT_EQ(t.failure_run, (FailureRun{2, 1, 3, true}));
  EXPECT_EQ(t.gateway_run, (FailureRun{0, 1, 2, true}));
}

TEST_F(BalancerTallyTest, SaysNothingOfAClientThatLeft) {
  leave(request());
  const Assignment a = request();
  send(a);
  leave(a);
  EXPECT_EQ(take(), std::vector<Tally>{});
}

TEST_F(BalancerTallyTest, CountsTheAnswerOfAClientThatLeftLater) {
  const Assignment a = request();
  send(a);
  answer(a);
  leave(a);
  EXPECT_EQ(tally().successes, 1u);
}

// Nor is it a success first: that would break the row of a backend that never finishes an answer.
TEST_F(BalancerTallyTest, AnAnswerThatBreaksOffIsAFailureAndNothingElse) {
  for (int n = 0; n < 3; ++n) {
    const Assignment a = request();
    send(a);
    answer(a);
    EXPECT_EQ(take(), std::vector<Tally>{}) << "it may still go wrong";
    fail(a, AttemptFailure::reset, kAnswerBegun);
    EXPECT_EQ(tally(), (Tally{id_of("b1"), 0, 1, {1, 1, 1, false}, {1, 1, 1, false}}));
  }
}

TEST_F(BalancerTallyTest, CountsAGoodAnswerThatIsTriedAgain) {
  config.retries.attempts = 2;
  config.retries.on.statuses = {404};
  const Assignment a = request();
  send(a);
  EXPECT_EQ(answer(a, 404).kind, NextStep::Kind::retry);
  EXPECT_EQ(tally().successes, 1u);
}

TEST_F(BalancerTallyTest, CountsEveryAttemptOfARequest) {
  have_backends({"b1", "b2"});
  config.retries.attempts = 3;
  config.retries.on.statuses = {503};
  const Assignment a = request();
  send(a);
  answer(a, 503);
  const Assignment b = retry(a);
  fail(b, AttemptFailure::reset);
  const Assignment c = retry(b);
  send(c);
  answer(c);
  finish(c);
  std::map<BackendId, std::pair<std::uint32_t, std::uint32_t>> counts;
  for (const Tally& t : take()) counts[t.backend] = {t.successes, t.failures};
  EXPECT_EQ(counts[a.backend].second, 1u);
  EXPECT_EQ(counts[b.backend].second, 1u);
  EXPECT_EQ(counts[a.backend].first + counts[b.backend].first, 1u);
}

TEST_F(BalancerTallyTest, ATcpSessionHasSucceededOnceItIsConnected) {
  const Assignment a = request({.pooled = false});
  EXPECT_EQ(take(), std::vector<Tally>{});
  connect(a);
  EXPECT_EQ(tally().successes, 1u);
  finish(a);
  EXPECT_EQ(take(), std::vector<Tally>{}) << "its end says nothing more";
}

TEST_F(BalancerTallyTest, TakingEmptiesAndSortsById) {
  have_backends({"b3", "b1", "b2"});  // Ids 1, 2, 3 in this order.
  const Assignment first = request();
  const Assignment second = request();
  const Assignment third = request();
  for (const Assignment& a : {third, first, second}) send(a), answer(a), finish(a);
  std::vector<std::uint32_t> ids;
  for (const Tally& t : take()) ids.push_back(t.backend.value);
  EXPECT_EQ(ids, (std::vector<std::uint32_t>{1, 2, 3}));
  EXPECT_EQ(take(), std::vector<Tally>{});
  answered(200);
  EXPECT_EQ(take().size(), 1u);
}

TEST_F(BalancerTallyTest, IsForgottenWithItsBackend) {
  answered(500);
  have_backends({"b2"});
  reload();
  EXPECT_EQ(take(), std::vector<Tally>{});
  have_backends({"b2", "b3"});  // b3 in the place of b1.
  reload();
  EXPECT_EQ(take(), std::vector<Tally>{});
}

TEST_F(BalancerTallyTest, IsNothingWithoutOutlierEjection) {
  config.outlier_ejection.reset();
  answered(500);
  EXPECT_EQ(take(), std::vector<Tally>{});
  config.outlier_ejection.emplace();
  reload();
  EXPECT_EQ(take(), std::vector<Tally>{}) << "and nothing is made up later";
  answered(500);
  EXPECT_EQ(take().size(), 1u);
}

TEST_F(BalancerTallyTest, AReloadWithoutOutlierEjectionForgetsIt) {
  answered(500);
  config.outlier_ejection.reset();
  reload();
  EXPECT_EQ(take(), std::vector<Tally>{});
  config.outlier_ejection.emplace();
  reload();
  EXPECT_EQ(take(), std::vector<Tally>{});
  answered(200);
  EXPECT_EQ(tally().failures, 0u);
}

// -- The trend of errors, which is for people

TEST_F(BalancerTallyTest, TheTrendCountsWithAndWithoutOutlierEjection) {
  for (int n = 0; n < 2; ++n) {
    answered(200);
    answered(503);
    fail(request(), AttemptFailure::reset);
    leave(request());
    const ErrorTrend::Reading reading = status("b1").errors.read(Instant{1h});
    EXPECT_EQ(reading.attempts, 3u + 3u * static_cast<unsigned>(n));
    EXPECT_EQ(reading.failures, 2u + 2u * static_cast<unsigned>(n));
    config.outlier_ejection.reset();
    reload();
  }
}

TEST_F(BalancerTallyTest, AShortageOfOursIsNoFailureOfTheBackend) {
  const AttemptFacts unsent{.idempotent = true, .body_replayable = true};
  fail(request(), AttemptFailure::shortage, unsent);
  EXPECT_EQ(take(), std::vector<Tally>{});
  EXPECT_EQ(balancer().backends().at(0).failures, 0u);
}

}  // namespace
}  // namespace lb
