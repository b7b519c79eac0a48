// Goal: the breaker opens after failures in a row, tries with a few, closes after successes in a
// row; and no attempt speaks for another time than its own.
// Method: the whole machine as a table, every result in every state, of its own epoch and of an
// earlier one; then the trials, counted.
#include "lbcore/circuit_breaker.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace lb {
namespace {

using enum CircuitBreaker::Result;

constexpr CircuitBreakerConfig kConfig{.consecutive_failures = 3, .trials = 2, .successes = 2};

class CircuitBreakerTest : public testing::Test {
 protected:
  // Attempts one after the other: 's' succeeds, 'f' fails, '-' was given up by its client; in
  // capitals, and '=', after an answer that had begun well. True when one of them opened it.
  bool attempts(const std::string& results) {
    bool opened = false;
    for (const char result : results) {
      const auto epoch = breaker.started();
      const bool answered = std::string{"SF="}.find(result) != std::string::npos;
      if (answered) breaker.answered(epoch, kConfig);
      const auto what = result == 's' || result == 'S'   ? success
                        : result == 'f' || result == 'F' ? failure
                                                         : neither;
      opened = breaker.ended(epoch, what, answered, kConfig) || opened;
    }
    return opened;
  }
  bool end(CircuitBreaker::Epoch epoch, CircuitBreaker::Result result) {
    return breaker.ended(epoch, result, false, kConfig);
  }
  bool admits() const { return breaker.admits(kConfig); }
  void become(BreakerState state) {
    breaker = {};
    if (state == BreakerState::closed) return;
    attempts("fff");
    if (state == BreakerState::half_open) breaker.half_open();
    EXPECT_EQ(breaker.state(), state);
  }

  CircuitBreaker breaker;
};

TEST_F(CircuitBreakerTest, FollowsItsTable) {
  using enum BreakerState;
  struct Row {
    BreakerState from;
    std::string results;
    BreakerState to;
    bool opened;
  };
  const std::vector<Row> table{
      {closed, "", closed, false},
      {closed, "s", closed, false},
      {closed, "ff", closed, false},
      {closed, "fff", open, true},
      {closed, "ffsff", closed, false},  // A success starts the count again.
      {closed, "ffsfff", open, true},
      {closed, "ff-f", open, true},  // A client that left has said nothing.
      {closed, "-----", closed, false},
      {closed, "FFF", open, true},  // Answers that broke off.
      {closed, "fFf", open, true},
      {closed, "FFSFF", closed, false},
      {closed, "FF=F", open, true},
      {half_open, "", half_open, false},
      {half_open, "s", half_open, false},
      {half_open, "ss", closed, false},
      {half_open, "s-s", closed, false},
      {half_open, "f", open, true},
      {half_open, "sf", open, true},  // So near, and yet.
      {half_open, "-", half_open, false},
      {half_open, "ssff", closed, false},  // Closed again, it counts from zero.
      {half_open, "ssfff", open, true},
      {half_open, "S", half_open, false},
      {half_open, "SS", closed, false},
      {half_open, "sS", closed, false},
      {half_open, "F", open, true},
      {half_open, "==", closed, false},    // A trial has only to answer.
      {half_open, "SFff", closed, false},  // The second answer closed it, and broke off later.
  };
  for (const Row& row : table) {
    become(row.from);
    EXPECT_EQ(attempts(row.results), row.opened) << to_string(row.from) << ' ' << row.results;
    EXPECT_EQ(breaker.state(), row.to) << to_string(row.from) << ' ' << row.results;
  }
}

TEST_F(CircuitBreakerTest, AdmitsEverybodyNobodyOrAFew) {
  for (int n = 0; n < 100; ++n) {
    ASSERT_TRUE(admits());
    static_cast<void>(breaker.started());
  }
  become(BreakerState::open);
  EXPECT_FALSE(admits());
  breaker.half_open();
  EXPECT_TRUE(admits());
  const auto first = breaker.started();
  EXPECT_TRUE(admits());
  const auto second = breaker.started();
  EXPECT_FALSE(admits()) << "two trials at the same time";
  EXPECT_EQ(breaker.trials(), 2u);
  end(first, neither);
  EXPECT_TRUE(admits()) << "a place is free again, whatever came of it";
  end(second, success);
  EXPECT_EQ(breaker.trials(), 0u);
}

// Every result in every state, of an attempt that began before that state: no change at all.
TEST_F(CircuitBreakerTest, LateResultsSayNothing) {
  using enum BreakerState;
  for (const BreakerState state : {open, half_open, closed}) {
    for (const auto result : {success, failure, neither}) {
      breaker = {};
      const auto late = breaker.started();
      attempts("fff");
      if (state != open) breaker.half_open();
      if (state == closed) attempts("ss");
      ASSERT_EQ(breaker.state(), state);
      for (int n = 0; n < 5; ++n) {
        breaker.answered(late, kConfig);
        EXPECT_FALSE(end(late, result));
        EXPECT_FALSE(breaker.ended(late, result, true, kConfig));
      }
      EXPECT_EQ(breaker.state(), state) << static_cast<int>(result);
      EXPECT_EQ(breaker.trials(), 0u) << "it was no trial";
    }
  }
}

TEST_F(CircuitBreakerTest, ALateTrialSaysNothingOfTheNextTime) {
  become(BreakerState::half_open);
  const auto slow = breaker.started();
  const auto quick = breaker.started();
  EXPECT_TRUE(end(quick, failure));
  breaker.half_open();
  static_cast<void>(breaker.started());
  EXPECT_FALSE(end(slow, success));
  EXPECT_EQ(breaker.trials(), 1u) << "the new one is still under way";
  EXPECT_FALSE(end(slow, failure));
  EXPECT_EQ(breaker.state(), BreakerState::half_open);
}

TEST_F(CircuitBreakerTest, ATrialThatOutlastsTheSuccessesSaysNothing) {
  become(BreakerState::half_open);
  const auto slow = breaker.started();
  attempts("ss");
  EXPECT_EQ(breaker.state(), BreakerState::closed);
  end(slow, failure);
  EXPECT_FALSE(attempts("ff")) << "the slow one would have been the third in a row";
}

// The configuration had none for a while: what began before has nothing to say after.
TEST_F(CircuitBreakerTest, AResetBreakerDoesNotKnowItsTrials) {
  become(BreakerState::half_open);
  const auto before = breaker.started();
  breaker.reset();
  EXPECT_EQ(breaker.state(), BreakerState::closed);
  EXPECT_FALSE(attempts("ff")) << "it counts from zero";
  attempts("f");
  breaker.half_open();
  end(before, success);
  EXPECT_EQ(breaker.trials(), 0u);
  EXPECT_TRUE(admits());
  attempts("s");
  EXPECT_EQ(breaker.state(), BreakerState::half_open) << "one of two; the old one is not counted";
}

TEST(BreakerState, EveryOneHasAName) {
  EXPECT_EQ(to_string(BreakerState::closed), "closed");
  EXPECT_EQ(to_string(BreakerState::open), "open");
  EXPECT_EQ(to_string(BreakerState::half_open), "half_open");
}

}  // namespace
}  // namespace lb
