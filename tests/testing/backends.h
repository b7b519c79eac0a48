// Backends as strategies see them, for tests of one strategy alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lbcore/strategy/registry.h"

namespace lb::testing {

// Ids 0, 1, 2, … with these weights.
inline std::vector<BackendView> with_weights(const std::vector<std::uint32_t>& weights) {
  std::vector<BackendView> views;
  for (std::uint32_t i = 0; i < weights.size(); ++i) views.push_back({BackendId{i}, weights[i], 0});
  return views;
}

inline std::vector<BackendView> with_in_flight(const std::vector<std::uint32_t>& in_flight) {
  std::vector<BackendView> views;
  for (std::uint32_t i = 0; i < in_flight.size(); ++i) {
    views.push_back({BackendId{i}, 1, in_flight[i]});
  }
  return views;
}

inline std::vector<BackendView> with_ids(const std::vector<std::uint32_t>& ids) {
  std::vector<BackendView> views;
  for (const std::uint32_t id : ids) views.push_back({BackendId{id}, 1, 0});
  return views;
}

// A strategy at work on a set of backends, with verbs for what a Balancer does to it.
class StrategyAtWork {
 public:
  StrategyAtWork(const StrategyConfig& config, std::vector<BackendView> eligible,
                 std::uint64_t seed = 1)
      : strategy_(make_strategy(config)), prng_(seed) {
    become(std::move(eligible));
  }

  void become(std::vector<BackendView> eligible) {
    eligible_ = std::move(eligible);
    open_.reset(eligible_.size());
    strategy_->rebuild(eligible_, now_);
  }
  void advance(Duration duration) { now_ += duration; }
  void set_load(std::size_t index, std::uint32_t in_flight) {
    eligible_[index].in_flight = in_flight;
    strategy_->load_changed(eligible_, index, now_);
  }
  void close(std::size_t index) { open_.close(index); }
  void open(std::size_t index) { open_.open(index); }
  // An attempt on it has ended.
  void sample(std::size_t index, Duration latency, bool failed = false) {
    strategy_->latency_sampled(eligible_, index, {now_, latency, failed});
  }
  void report(std::size_t index, const LoadReport& report) {
    strategy_->load_reported(eligible_, index, report, now_);
  }

  Pick pick(HashKey key = 0) { return strategy_->pick(context(key)); }
  // A request that stays: picked, and in flight from then on.
  std::size_t start(HashKey key = 0) {
    const std::size_t index = pick(key).index;
    set_load(index, eligible_[index].in_flight + 1);
    return index;
  }
  void finish(std::size_t index, Duration latency, bool failed = false) {
    sample(index, latency, failed);
    set_load(index, eligible_[index].in_flight - 1);
  }
  std::optional<std::size_t> poll_load_probe() { return strategy_->poll_load_probe(); }
  std::optional<double> score(std::size_t index) { return strategy_->score(context(0), index); }

  // The next picks as letters: id 0 is "A".
  std::string picks(int count) {
    std::string letters;
    for (int n = 0; n < count; ++n) {
      letters += static_cast<char>('A' + eligible_[pick().index].id.value);
    }
    return letters;
  }

  [[nodiscard]] const std::vector<BackendView>& eligible() const { return eligible_; }
  Prng& prng() { return prng_; }
  Strategy& strategy() { return *strategy_; }

 private:
  PickContext context(HashKey key) {
    std::uint64_t in_flight = 0;
    for (const BackendView& view : eligible_) in_flight += view.in_flight;
    return {eligible_, open_, in_flight, key, now_, prng_};
  }

  std::unique_ptr<Strategy> strategy_;
  std::vector<BackendView> eligible_;
  OpenSet open_;
  Instant now_{};
  Prng prng_;
};

}  // namespace lb::testing
