// Goal: every failure and outcome has a name, an outcome and a status, and none is forgotten.
// Method: the whole of both enums, written out.
#include "lbcore/outcome.h"

#include <gtest/gtest.h>

#include <set>

#include "lbcore/cluster_config.h"
#include "lbcore/strategy/strategy.h"

namespace lb {
namespace {

TEST(Outcome, OfEveryFailure) {
  EXPECT_EQ(outcome_of(AttemptFailure::connect_failure), Outcome::connect_failure);
  EXPECT_EQ(outcome_of(AttemptFailure::connect_timeout), Outcome::connect_failure);
  EXPECT_EQ(outcome_of(AttemptFailure::reset), Outcome::reset);
  EXPECT_EQ(outcome_of(AttemptFailure::response_timeout), Outcome::timeout);
  EXPECT_EQ(outcome_of(AttemptFailure::idle_timeout), Outcome::timeout);
  EXPECT_EQ(outcome_of(AttemptFailure::invalid_answer), Outcome::invalid_answer);
  EXPECT_EQ(outcome_of(AttemptFailure::drain_timeout), Outcome::timeout);
  EXPECT_EQ(outcome_of(AttemptFailure::request_timeout), Outcome::timeout);
}

TEST(Outcome, StatusSaysWhoIsToBlame) {
  EXPECT_EQ(status_for(Outcome::success), 0);
  EXPECT_EQ(status_for(Outcome::backend_error), 0);
  EXPECT_EQ(status_for(Outcome::no_backend), 503);
  EXPECT_EQ(status_for(Outcome::over_limit), 503);
  EXPECT_EQ(status_for(Outcome::queue_timeout), 503);
  EXPECT_EQ(status_for(Outcome::connect_failure), 503);
  EXPECT_EQ(status_for(Outcome::reset), 502);
  EXPECT_EQ(status_for(Outcome::timeout), 504);
  EXPECT_EQ(status_for(Outcome::invalid_answer), 502);
  EXPECT_EQ(status_for(Outcome::cut), 0);
  EXPECT_EQ(status_for(Outcome::client_gone), 0);
}

TEST(Outcome, NamesAreThereAndDifferent) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kOutcomeCount; ++i) names.insert(to_string(static_cast<Outcome>(i)));
  EXPECT_EQ(names.size(), kOutcomeCount);
  EXPECT_FALSE(names.contains("?"));
  EXPECT_EQ(to_string(static_cast<Outcome>(kOutcomeCount)), "?") << "kOutcomeCount is too small";
  std::set<std::string_view> failures;
  for (int i = 0; i < 10; ++i) failures.insert(to_string(static_cast<AttemptFailure>(i)));
  EXPECT_EQ(failures.size(), 10u);
  EXPECT_FALSE(failures.contains("?"));
  EXPECT_EQ(to_string(static_cast<AttemptFailure>(10)), "?");
  std::set<std::string_view> reasons;
  for (int i = 0; i < 10; ++i) reasons.insert(to_string(static_cast<PickReason>(i)));
  EXPECT_EQ(reasons.size(), 10u);
  EXPECT_FALSE(reasons.contains("?"));
  EXPECT_EQ(to_string(static_cast<PickReason>(10)), "?");
  EXPECT_EQ(to_string(AdminState::draining), "draining");
  EXPECT_EQ(to_string(PickReason::least_loaded), "least_loaded");
  EXPECT_EQ(to_string(PickReason::only_one), "only_one");
}

TEST(OutcomeCounts, AddUp) {
  OutcomeCounts counts;
  for (std::size_t i = 0; i < kOutcomeCount; ++i) counts[static_cast<Outcome>(i)] += i + 1;
  EXPECT_EQ(counts.total(), 66u) << "1 + 2 + … + 11";
}

}  // namespace
}  // namespace lb
