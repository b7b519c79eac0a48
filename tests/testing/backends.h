// Backends as strategies see them, for tests of one strategy alone.
#pragma once

#include <cstdint>
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
    strategy_->rebuild(eligible_);
  }
  void set_load(std::size_t index, std::uint32_t in_flight) {
    eligible_[index].in_flight = in_flight;
    strategy_->load_changed(eligible_, index);
  }
  Pick pick(HashKey key = 0) { return strategy_->pick(eligible_, key, prng_); }

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

 private:
  std::unique_ptr<Strategy> strategy_;
  std::vector<BackendView> eligible_;
  Prng prng_;
};

}  // namespace lb::testing
