// Goal: a simulated backend has places, a queue and faults as the scenario format says, and
// forgets what a process would forget.
// Method: one job after the other through admit, finish and next_waiting.
#include "lbsim/backend_model.h"

#include <gtest/gtest.h>

namespace lb::sim {
namespace {

using namespace std::chrono_literals;
using scenario::FaultKind;
using Admission = BackendModel::Admission;
using Jobs = std::vector<JobId>;

class BackendModelTest : public ::testing::Test {
 protected:
  // Two places, and two more may wait.
  BackendModel backend{
      "b1", {.service_time = scenario::Constant{10ms}, .concurrency = 2, .queue = 2}, 1};

  void strike(FaultKind kind) { backend.strike({.backend = "b1", .kind = kind}); }
  // Jobs 1, 2, … until the queue is full.
  void fill() {
    for (const JobId job : {1u, 2u}) EXPECT_EQ(backend.admit(job), Admission::served);
    for (const JobId job : {3u, 4u}) EXPECT_EQ(backend.admit(job), Admission::waiting);
  }
  Jobs all_waiting() {
    Jobs jobs;
    while (const auto job = backend.next_waiting()) jobs.push_back(*job);
    return jobs;
  }
};

TEST_F(BackendModelTest, ServesAsManyAsItHasPlaces) {
  fill();
  EXPECT_EQ(backend.admit(5), Admission::overloaded);
  EXPECT_EQ(backend.next_waiting(), std::nullopt) << "no place is free";
  EXPECT_EQ(backend.finish(1), 200);
  EXPECT_EQ(backend.next_waiting(), 3u) << "first come, first served";
  EXPECT_EQ(backend.next_waiting(), std::nullopt);
  EXPECT_EQ(backend.admit(6), Admission::waiting) << "the queue has room again";
  EXPECT_EQ(backend.finish(2), 200);
  EXPECT_EQ(backend.finish(3), 200);
  EXPECT_EQ(all_waiting(), (Jobs{4, 6}));
}

TEST_F(BackendModelTest, WithoutAQueueRefusesAtOnce) {
  BackendModel one("b1", {.concurrency = 1, .queue = 0}, 1);
  EXPECT_EQ(one.admit(1), Admission::served);
  EXPECT_EQ(one.admit(2), Admission::overloaded);
  EXPECT_EQ(one.finish(1), 200);
  EXPECT_EQ(one.admit(3), Admission::served);
}

TEST_F(BackendModelTest, ForgetsEverythingInACrash) {
  fill();
  strike(FaultKind::hang);
  EXPECT_EQ(backend.admit(5), Admission::waiting);
  EXPECT_EQ(backend.finish(1), 0);
  backend.strike({.backend = "b1", .kind = FaultKind::slow, .factor = 3});
  const std::uint32_t life = backend.epoch();
  strike(FaultKind::crash);
  EXPECT_FALSE(backend.up());
  EXPECT_FALSE(backend.accepts_connections());
  EXPECT_FALSE(backend.hung());
  EXPECT_EQ(backend.epoch(), life + 1);
  strike(FaultKind::recover);
  EXPECT_TRUE(backend.accepts_connections());
  EXPECT_EQ(backend.epoch(), life + 1) << "a life begins with a crash, not with a recovery";
  EXPECT_EQ(all_waiting(), Jobs{});
  EXPECT_TRUE(backend.thaw().arrived.empty());
  EXPECT_EQ(backend.draw_service_time({}), 10ms);
  fill();
}

TEST_F(BackendModelTest, StandsStillInAHangAndGoesOnAfterIt) {
  fill();
  strike(FaultKind::hang);
  EXPECT_TRUE(backend.accepts_connections()) << "the kernel accepts for it";
  EXPECT_EQ(backend.finish(1), 0);
  EXPECT_EQ(backend.next_waiting(), std::nullopt);
  EXPECT_EQ(backend.admit(5), Admission::waiting) << "unread, so no queue can be full";
  EXPECT_EQ(backend.admit(6), Admission::waiting);
  EXPECT_EQ(backend.finish(2), 0);
  strike(FaultKind::recover);
  const BackendModel::Thawed thawed = backend.thaw();
  EXPECT_EQ(thawed.finished, (Jobs{1, 2}));
  EXPECT_EQ(thawed.arrived, (Jobs{5, 6}));
  EXPECT_TRUE(backend.thaw().finished.empty()) << "once";
  for (const JobId job : thawed.finished) EXPECT_EQ(backend.finish(job), 200);
  EXPECT_EQ(all_waiting(), (Jobs{3, 4}));
  for (const JobId job : thawed.arrived) EXPECT_EQ(backend.admit(job), Admission::waiting);
}

TEST_F(BackendModelTest, RefusesConnectionsButServesThoseItHas) {
  strike(FaultKind::refuse);
  EXPECT_FALSE(backend.accepts_connections());
  EXPECT_TRUE(backend.up());
  EXPECT_EQ(backend.admit(1), Admission::served);
  strike(FaultKind::recover);
  EXPECT_TRUE(backend.accepts_connections());
}

TEST_F(BackendModelTest, ResetsWhatComesInAndFinishesWhatItHas) {
  EXPECT_EQ(backend.admit(1), Admission::served);
  strike(FaultKind::reset);
  EXPECT_TRUE(backend.resets());
  EXPECT_EQ(backend.admit(2), Admission::broken);
  EXPECT_EQ(backend.finish(1), 200);
  strike(FaultKind::recover);
  EXPECT_EQ(backend.admit(3), Admission::served);
}

TEST_F(BackendModelTest, SlowsDownByAFactor) {
  EXPECT_EQ(backend.draw_service_time({}), 10ms);
  backend.strike({.backend = "b1", .kind = FaultKind::slow, .factor = 2.5});
  EXPECT_EQ(backend.draw_service_time({}), 25ms);
  backend.strike({.backend = "b1", .kind = FaultKind::slow, .factor = 0.5});
  EXPECT_EQ(backend.draw_service_time({}), 5ms) << "of the first time, not of the last factor";
  strike(FaultKind::recover);
  EXPECT_EQ(backend.draw_service_time({}), 10ms);
}

// 10,000 draws of a fair coin of 0.3 are within 3.5 % of 3,000 unless something is wrong: that is
// more than two in a million, and the draws are the same ones every time.
TEST_F(BackendModelTest, FailsAShareOfItsAnswers) {
  const auto failures = [&] {
    int count = 0;
    for (JobId job = 0; job < 10'000; ++job) {
      EXPECT_EQ(backend.admit(job), Admission::served);
      const int status = backend.finish(job);
      EXPECT_TRUE(status == 200 || status == 500);
      if (status == 500) ++count;
    }
    return count;
  };
  EXPECT_EQ(failures(), 0);
  backend.strike({.backend = "b1", .kind = FaultKind::error_ratio, .ratio = 0.3});
  EXPECT_NEAR(failures(), 3'000, 220);
  backend.strike({.backend = "b1", .kind = FaultKind::error_ratio, .ratio = 1});
  EXPECT_EQ(failures(), 10'000);
  strike(FaultKind::recover);
  EXPECT_EQ(failures(), 0);
}

TEST_F(BackendModelTest, TruncatesAShareOfItsAnswersAndDrawsNothingUnlessItDoes) {
  const auto draw = [&](double ratio) {
    backend.strike({.backend = "b1", .kind = FaultKind::truncate, .ratio = ratio});
    int count = 0;
    for (int n = 0; n < 10'000; ++n) count += backend.draw_truncation() ? 1 : 0;
    return count;
  };
  EXPECT_EQ(draw(0), 0);
  EXPECT_NEAR(draw(0.3), 3'000, 220);
  EXPECT_EQ(draw(1), 10'000);
  strike(FaultKind::recover);
  EXPECT_FALSE(backend.spoils_answers());
  EXPECT_FALSE(backend.draw_truncation());
}

TEST_F(BackendModelTest, KeepsThePlaceOfASpoiltAnswerUntilItIsTold) {
  fill();
  backend.strike({.backend = "b1", .kind = FaultKind::drip, .over = 1s});
  EXPECT_EQ(backend.drips(), 1s);
  EXPECT_EQ(backend.finish(1), 200);
  EXPECT_EQ(backend.next_waiting(), std::nullopt);
  EXPECT_FALSE(backend.hold(1));
  strike(FaultKind::hang);
  EXPECT_TRUE(backend.hold(1));
  strike(FaultKind::recover);
  EXPECT_EQ(backend.thaw().finished, Jobs{1});
  EXPECT_EQ(backend.drips(), 0s);
  backend.leave();
  EXPECT_EQ(backend.next_waiting(), 3u);
}

TEST_F(BackendModelTest, DrawsItsTimesFromItsSeedAlone) {
  const scenario::Behaviour behaviour{.service_time = scenario::Exponential{10ms}};
  const auto draws = [&](std::uint64_t seed) {
    BackendModel model("b1", behaviour, seed);
    std::vector<Duration> times;
    for (int n = 0; n < 20; ++n) times.push_back(model.draw_service_time({}));
    return times;
  };
  EXPECT_EQ(draws(1), draws(1));
  EXPECT_NE(draws(1), draws(2));
}

}  // namespace
}  // namespace lb::sim
