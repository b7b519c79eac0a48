// What a decision costs: the pick of every strategy, beside a plain walk over the array, and the
// whole life of a request through a Balancer.
//
//   pick/<strategy>/<backends>       one pick, the two load changes and the latency sample that
//                                    every request brings
//   array_walk/<backends>            the same with the cheapest thing one could write by hand: walk
//                                    the array for the fewest in flight
//   request/<strategy>/<backends>    handle_request to handle_finished, deadlines included
//   reload/<strategy>/<backends>     handle_config with one weight changed
//
// A pick alone, with nothing in flight ever changing, would flatter strategies that keep an order:
// their work is in load_changed(). So kInFlight requests are under way at all times and each pick
// ends the oldest of them.
//
// At the end a table: nanoseconds for each size, and in brackets their ratio to the array walk of
// the same run.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "lbcore/balancer.h"
#include "lbcore/strategy/registry.h"

namespace {

constexpr std::size_t kInFlight = 64;
constexpr std::uint64_t kSeed = 42;
// About what one core carries. Virtual: no clock is read.
constexpr lb::Duration kBetweenRequests = std::chrono::microseconds{20};
constexpr lb::Duration kLatency = std::chrono::milliseconds{5};

// Weights 1 to 4: equal ones would let weighted strategies off lightly.
std::uint32_t weight_of(std::size_t index) { return static_cast<std::uint32_t>(index % 4) + 1; }

std::vector<lb::BackendView> make_backends(std::size_t count) {
  std::vector<lb::BackendView> backends(count);
  for (std::size_t i = 0; i < count; ++i) {
    backends[i].id = lb::BackendId{static_cast<std::uint32_t>(i)};
    backends[i].weight = weight_of(i);
  }
  return backends;
}

// Runs `pick` with kInFlight picks under way; `changed` hears of every change of a load.
template <class PickOne, class Changed>
void run_picks(benchmark::State& state, std::vector<lb::BackendView>& backends, PickOne pick,
               Changed changed) {
  std::array<std::size_t, kInFlight> under_way{};
  std::size_t turn = 0;
  const auto start = [&](std::uint64_t number) {
    const std::size_t index = pick(lb::mix(number));
    ++backends[index].in_flight;
    changed(index, false);
    under_way[turn] = index;
    turn = (turn + 1) % kInFlight;
  };
  std::uint64_t number = 0;
  while (number < kInFlight) start(number++);
  for (auto _ : state) {
    const std::size_t oldest = under_way[turn];
    --backends[oldest].in_flight;
    changed(oldest, true);
    start(number++);
  }
  state.SetItemsProcessed(state.iterations());
}

void pick(benchmark::State& state, const lb::StrategyConfig& config) {
  std::vector<lb::BackendView> backends = make_backends(static_cast<std::size_t>(state.range(0)));
  const auto strategy = lb::make_strategy(config);
  lb::Instant now{};
  strategy->rebuild(backends, now);
  lb::OpenSet open;
  open.reset(backends.size());
  lb::Prng prng{kSeed};
  const auto pick_one = [&](lb::HashKey key) {
    now += kBetweenRequests;
    const std::size_t index = strategy->pick({backends, open, kInFlight, key, now, prng}).index;
    while (const auto asked = strategy->poll_load_probe()) {
      strategy->load_reported(backends, *asked, {backends[*asked].in_flight, kLatency}, now);
    }
    return index;
  };
  const auto changed = [&](std::size_t index, bool ended) {
    if (ended) strategy->latency_sampled(backends, index, {now, kLatency, false});
    strategy->load_changed(backends, index, now);
  };
  run_picks(state, backends, pick_one, changed);
}

void array_walk(benchmark::State& state) {
  std::vector<lb::BackendView> backends = make_backends(static_cast<std::size_t>(state.range(0)));
  run_picks(
      state, backends,
      [&](lb::HashKey) {
        std::size_t best = 0;
        std::uint32_t fewest = backends[0].in_flight;
        for (std::size_t i = 1; i < backends.size(); ++i) {
          if (backends[i].in_flight >= fewest) continue;
          best = i;
          fewest = backends[i].in_flight;
        }
        return best;
      },
      [](std::size_t, bool) {});
}

lb::ClusterPlan make_plan(const lb::StrategyConfig& strategy, std::size_t count) {
  lb::ClusterPlan plan;
  plan.config.name = "bench";
  plan.config.strategy = strategy;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = std::to_string(i);
    plan.config.backends.push_back({.id = name, .address = {}, .weight = weight_of(i)});
    plan.backend_ids.push_back(lb::BackendId{static_cast<std::uint32_t>(i)});
    plan.health.push_back(lb::HealthState::healthy);
  }
  return plan;
}

// Stands in for the world around one Balancer: time passes, requests come, none of them fails.
class World {
 public:
  World(const lb::StrategyConfig& strategy, std::size_t count)
      : balancer_(now_, make_plan(strategy, count), kSeed) {}

  lb::RequestId start_request() {
    pass_time();
    const lb::Start start = balancer_.handle_request(now_, {.key = lb::mix(number_++)});
    if (!start) return {};
    if (!start->reused) balancer_.handle_connected(now_, start->request);
    balancer_.handle_sent(now_, start->request);
    carry_out_actions();
    return start->request;
  }

  void finish_request(lb::RequestId request) {
    const lb::NextStep step =
        balancer_.handle_answer(now_, request, 200, {.request_sent = true, .idempotent = true});
    benchmark::DoNotOptimize(step);
    balancer_.handle_finished(now_, request, lb::Outcome::success, true);
    carry_out_actions();
  }

 private:
  void pass_time() {
    now_ += kBetweenRequests;
    const auto due = balancer_.poll_timeout();
    if (due && *due <= now_) balancer_.handle_timeout(now_);
  }

  void carry_out_actions() {
    while (const auto action = balancer_.poll_action()) benchmark::DoNotOptimize(action);
  }

  lb::Instant now_{};
  lb::Balancer balancer_;
  std::uint64_t number_ = 0;
};

void request(benchmark::State& state, const lb::StrategyConfig& config) {
  World world(config, static_cast<std::size_t>(state.range(0)));
  std::array<lb::RequestId, kInFlight> under_way;
  for (lb::RequestId& each : under_way) each = world.start_request();
  std::size_t turn = 0;
  for (auto _ : state) {
    world.finish_request(under_way[turn]);
    under_way[turn] = world.start_request();
    if (!under_way[turn]) return state.SkipWithError("nobody was eligible");
    turn = (turn + 1) % kInFlight;
  }
  state.SetItemsProcessed(state.iterations());
}

// One backend's weight changes back and forth; the others stay as they are.
void reload(benchmark::State& state, const lb::StrategyConfig& config) {
  lb::ClusterPlan plan = make_plan(config, static_cast<std::size_t>(state.range(0)));
  lb::Balancer balancer(lb::Instant{}, plan, kSeed);
  for (auto _ : state) {
    std::uint32_t& weight = plan.config.backends.front().weight;
    weight = weight == 1 ? 2 : 1;
    balancer.handle_config(lb::Instant{}, plan);
  }
}

// Prints each run as it ends, and a table in the end.
class TableReporter : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration || run.error_occurred) continue;
      const std::string name = run.benchmark_name();
      const std::size_t slash = name.rfind('/');
      const double scale = run.time_unit == benchmark::kMillisecond ? 1e6 : 1;
      // The least of the repetitions: what disturbs a run only ever makes it slower.
      auto [place, is_new] = times_[name.substr(0, slash)].try_emplace(
          std::stoul(name.substr(slash + 1)), run.GetAdjustedCPUTime() * scale);
      if (!is_new) place->second = std::min(place->second, run.GetAdjustedCPUTime() * scale);
    }
  }

  void print_table() const {
    const auto walk = times_.find("array_walk");
    std::printf("\n%-32s %20s %20s %20s\n", "ns (ratio to array walk)", "10", "1,000", "10,000");
    for (const auto& [name, by_size] : times_) {
      std::printf("%-32s", name.c_str());
      for (const auto& [size, time] : by_size) {
        const double ratio = walk == times_.end() ? 0 : time / walk->second.at(size);
        std::printf(" %11.1f (%6.3f)", time, ratio);
      }
      std::printf("\n");
    }
  }

 private:
  std::map<std::string, std::map<std::size_t, double>> times_;
};

void at_all_sizes(benchmark::internal::Benchmark* bench) {
  bench->Arg(10)->Arg(1'000)->Arg(10'000);
}

void register_all() {
  at_all_sizes(benchmark::RegisterBenchmark("array_walk", array_walk));
  for (const lb::StrategyConfig& config : lb::all_strategies()) {
    const std::string name{lb::strategy_name(config)};
    at_all_sizes(benchmark::RegisterBenchmark(("pick/" + name).c_str(), pick, config));
    at_all_sizes(benchmark::RegisterBenchmark(("request/" + name).c_str(), request, config));
    at_all_sizes(benchmark::RegisterBenchmark(("reload/" + name).c_str(), reload, config)
                     ->Unit(benchmark::kMillisecond));
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  register_all();
  TableReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  reporter.print_table();
  benchmark::Shutdown();
}
