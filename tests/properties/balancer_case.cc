#include "tests/properties/balancer_case.h"

#include <array>
#include <ostream>

namespace lb::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::array<const char*, kKnobCount> kKnobWords{
    "strategy",        "strategy_option",   "health_check", "panic",   "slow_start",
    "breaker",         "limit_per_backend", "limit",        "queue",   "queue_timeout",
    "queue_order",     "attempts",          "budget",       "backoff", "retry_on",
    "max_idle",        "max_age",           "max_requests", "warm_up", "affinity",
    "request_timeout", "timeouts",          "outlier"};

constexpr std::array<const char*, static_cast<std::size_t>(Command::Kind::kCount)> kWords{
    "request", "serve",  "connected", "progress", "sent",   "answer", "fail",    "finish",  "leave",
    "act",     "closes", "spare",     "report",   "health", "eject",  "sibling", "tallies", "join",
    "remove",  "order",  "weigh",     "promote",  "turn",   "wait",   "slip"};

// A strategy whose table takes long to build would take the time of hundreds of cases.
void make_small(auto& config) {
  if constexpr (requires { config.table_size; }) config.table_size = 251;
}

void use_options(auto& config, unsigned variant) {
  if constexpr (requires { config.balance_factor; }) {
    config.balance_factor = std::array{1.0, 1.25, 2.0}.at(variant - 1);
  }
  if constexpr (requires { config.choice_count; }) config.choice_count = 2 * variant - 1;
  if constexpr (requires { config.virtual_nodes; }) config.virtual_nodes = variant;
  if constexpr (requires { config.probe_rate; }) config.probe_rate = variant * 0.5;
}

constexpr std::array<std::optional<SlowStartConfig>, kKnobValues> kSlowStarts{
    {std::nullopt, SlowStartConfig{.duration = 10s, .aggression = 1, .min_percent = 10},
     SlowStartConfig{.duration = 2s, .aggression = 2, .min_percent = 1},
     SlowStartConfig{.duration = 5ms, .aggression = 1, .min_percent = 50}}};

constexpr std::array<std::optional<CircuitBreakerConfig>, kKnobValues> kBreakers{
    {std::nullopt,
     CircuitBreakerConfig{.consecutive_failures = 1, .open_time = 2s, .trials = 1, .successes = 1},
     CircuitBreakerConfig{.consecutive_failures = 2, .open_time = 1s, .trials = 1, .successes = 2},
     CircuitBreakerConfig{
         .consecutive_failures = 3, .open_time = 10ms, .trials = 2, .successes = 2}}};

}  // namespace

StrategyConfig with_options(StrategyConfig strategy, unsigned variant) {
  std::visit(
      [&](auto& config) {
        make_small(config);
        if (variant > 0) use_options(config, variant);
      },
      strategy);
  return strategy;
}

ClusterConfig config_of(const std::vector<unsigned>& knobs, const StrategyConfig& own) {
  const auto at = [&](Knob knob) {
    const auto index = static_cast<std::size_t>(knob);
    return index < knobs.size() ? knobs[index] % kKnobValues : 0;
  };
  const auto turned = [&](Knob knob, const auto& values) { return values.at(at(knob)); };
  const std::vector<StrategyConfig> all = all_strategies();
  const auto strategy = static_cast<std::size_t>(Knob::strategy);
  const unsigned other = strategy < knobs.size() ? knobs[strategy] : 0;
  ClusterConfig config;
  config.name = "web";
  config.strategy =
      with_options(other == 0 ? own : all[(other - 1) % all.size()], at(Knob::strategy_option));
  if (at(Knob::health_check) > 0) config.health_check.emplace();
  config.panic_threshold = turned(Knob::panic, std::array{0U, 50U, 100U, 34U});
  config.slow_start = turned(Knob::slow_start, kSlowStarts);
  config.circuit_breaker = turned(Knob::breaker, kBreakers);
  config.limits.max_in_flight_per_backend = at(Knob::limit_per_backend);
  config.limits.max_in_flight = turned(Knob::limit, std::array{0U, 1U, 3U, 5U});
  config.limits.queue = turned(Knob::queue, std::array{0U, 1U, 3U, 20U});
  config.limits.queue_timeout =
      turned(Knob::queue_timeout, std::array<Duration, kKnobValues>{2s, 1s, 10ms, 5s});
  config.limits.queue_order =
      at(Knob::queue_order) % 2 == 0 ? QueueOrder::fifo : QueueOrder::adaptive_lifo;
  config.retries.attempts = 1 + at(Knob::attempts);
  config.retries.budget_percent = turned(Knob::budget, std::array{100U, 20U, 50U, 0U});
  config.retries.budget_floor = turned(Knob::budget, std::array{100U, 3U, 0U, 1U});
  config.retries.backoff = {
      turned(Knob::backoff, std::array<Duration, kKnobValues>{0ms, 5ms, 1s, 2s}),
      turned(Knob::backoff, std::array<Duration, kKnobValues>{0ms, 250ms, 2s, 1s})};
  config.retries.on = {true, true, true, {503}};
  if (at(Knob::retry_on) == 1) config.retries.on = RetryConditions{};
  if (at(Knob::retry_on) == 2) config.retries.on = {false, false, true, {429, 500}};
  config.connection_pool.max_idle_per_backend = turned(Knob::max_idle, std::array{64U, 2U, 1U, 0U});
  config.connection_pool.max_age =
      turned(Knob::max_age, std::array<Duration, kKnobValues>{0s, 1s, 3s, 100s});
  config.connection_pool.max_requests = at(Knob::max_requests);
  config.connection_pool.warm_up = at(Knob::warm_up);
  if (at(Knob::affinity) > 0) config.affinity.emplace();
  config.timeouts.request =
      turned(Knob::request_timeout, std::array<Duration, kKnobValues>{0s, 3s, 1s, 2s});
  // The same length on purpose: deadlines of different kinds then fall on one instant.
  config.timeouts.connect = config.timeouts.response = 2s;
  config.timeouts.idle = config.timeouts.drain = 2s;
  if (at(Knob::timeouts) > 0) {
    config.timeouts.connect = 1s;
    config.timeouts.response = 3s;
    config.timeouts.idle = 5s;
    config.timeouts.drain = at(Knob::timeouts) * 2s;
  }
  if (at(Knob::outlier) > 0) config.outlier_ejection.emplace();
  return config;
}

void showValue(const Setup& setup, std::ostream& os) {
  os << strategy_name(setup.strategy) << ", backends";
  for (const std::uint8_t backend : setup.backends) {
    os << ' ' << 1 + backend % 6 << (backend >= 6 ? "/" : "");
    if (backend >= 6) os << backend / 6;
  }
  for (std::size_t n = 0; n < setup.knobs.size(); ++n) {
    if (setup.knobs[n] > 0) os << ", " << kKnobWords.at(n) << ' ' << setup.knobs[n];
  }
  if (setup.slow_world) os << ", slow world";
}

void showValue(const Command& command, std::ostream& os) {
  os << kWords.at(static_cast<std::size_t>(command.kind)) << '(';
  if (command.kind == Command::Kind::turn) {
    os << kKnobWords.at(command.which % kKnobCount);
  } else {
    os << command.which;
  }
  os << ", " << command.how << ')';
}

}  // namespace lb::testing
