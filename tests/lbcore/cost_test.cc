// Goal: what the headers promise of cost and can be counted: no allocation for a pick or a request,
// and what a backend costs in memory.
// Method: counting operator new and delete, over the whole registry. Times are in tests/bench.
#include <gtest/gtest.h>

#include "lbcore/balancer.h"
#include "tests/testing/allocations.h"
#include "tests/testing/strategy_printer.h"

namespace lb {
namespace {

using namespace std::chrono_literals;

ClusterPlan plan_of(const StrategyConfig& strategy, std::uint32_t count) {
  ClusterPlan plan;
  plan.config.name = "web";
  plan.config.strategy = strategy;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string name = "b" + std::to_string(i);
    plan.config.backends.push_back({.id = name, .address = "10.0.0.1:80", .weight = i % 4 + 1});
    plan.backend_ids.push_back(BackendId{i});
    plan.health.push_back(HealthState::healthy);
  }
  return plan;
}

class EveryStrategy : public ::testing::TestWithParam<StrategyConfig> {};

INSTANTIATE_TEST_SUITE_P(Registry, EveryStrategy, ::testing::ValuesIn(all_strategies()),
                         [](const auto& strategy) {
                           return std::string{strategy_name(strategy.param)};
                         });

// Requests overlap, some fail and are retried, time passes: everything a busy worker does.
class Traffic {
 public:
  explicit Traffic(const ClusterPlan& plan) : balancer_(now_, plan, 1) {}

  void serve(int requests) {
    for (int n = 0; n < requests; ++n) {
      now_ += 100us;
      balancer_.handle_timeout(now_);
      start(balancer_.handle_request(now_, {.key = mix(number_++)}));
      carry_out();
      while (under_way_.size() >= 32) {
        end(under_way_[number_ % 32]);
        carry_out();
      }
    }
  }

 private:
  void start(const Start& start) {
    if (!start) return;
    if (!start->reused) balancer_.handle_connected(now_, start->request);
    balancer_.handle_sent(now_, start->request);
    under_way_.push_back(start->request);
  }

  void end(RequestId& place) {
    const RequestId request = place;
    place = under_way_.back();
    under_way_.pop_back();
    const AttemptFacts facts{.request_sent = true, .idempotent = true, .body_replayable = true};
    if (number_ % 7 == 0) {
      static_cast<void>(
          balancer_.handle_attempt_failed(now_, request, AttemptFailure::reset, facts));
    } else {
      static_cast<void>(balancer_.handle_answer(now_, request, 200, facts));
      balancer_.handle_finished(now_, request, Outcome::success, true);
    }
  }

  void carry_out() {
    while (const auto action = balancer_.poll_action()) {
      if (action->kind == Action::Kind::attempt_due) {
        start(balancer_.handle_attempt_due(now_, action->request));
      } else if (action->kind == Action::Kind::ask_load) {
        balancer_.handle_load_report(now_, action->backend, {1, 5ms});
      }
    }
  }

  Instant now_{1h};
  Balancer balancer_;
  std::uint64_t number_ = 0;
  std::vector<RequestId> under_way_;
};

TEST_P(EveryStrategy, ServesWithoutAllocating) {
  ClusterPlan plan = plan_of(GetParam(), 100);
  plan.config.connection_pool.max_idle_per_backend = 2;  // Soon full.
  Traffic traffic(plan);
  traffic.serve(400'000);  // Everything has grown to its size.
  const std::uint64_t before = testing::allocations();
  traffic.serve(20'000);
  EXPECT_EQ(testing::allocations() - before, 0U);
}

TEST_P(EveryStrategy, CostsAtMost512BytesABackend) {
  constexpr std::uint32_t kBackends = 10'000;
  const ClusterPlan plan = plan_of(GetParam(), kBackends);
  const std::int64_t before = testing::allocated_bytes();
  const Balancer balancer(Instant{}, plan, 1);
  const std::int64_t bytes = (testing::allocated_bytes() - before) / kBackends;
  RecordProperty("bytes", static_cast<int>(bytes));
  // A ring has as many nodes as it is told to, up to 26 for each of so many backends, of 10 bytes.
  const bool ring = std::holds_alternative<RingHashConfig>(GetParam());
  EXPECT_LE(bytes, ring ? 512 + 100 : 512) << strategy_name(GetParam());
}

}  // namespace
}  // namespace lb
