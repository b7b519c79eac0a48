#include "lbcore/strategy/round_robin.h"

#include <algorithm>

namespace lb {
namespace {

class RoundRobin final : public Strategy {
 public:
  void rebuild(EligibleView eligible) override {
    // First of those after the last picked; past the end means: from the start again.
    const auto next = std::upper_bound(
        eligible.begin(), eligible.end(), last_,
        [](std::int64_t last, const BackendView& view) { return last < view.id.value; });
    next_ = static_cast<std::size_t>(next - eligible.begin());
  }

  Pick pick(EligibleView eligible, HashKey, Prng&) override {
    if (next_ >= eligible.size()) next_ = 0;
    last_ = eligible[next_].id.value;
    return {next_++, PickReason::in_turn};
  }

 private:
  std::size_t next_ = 0;
  std::int64_t last_ = -1;  // Id of the last picked; -1 before the first pick.
};

}  // namespace

std::unique_ptr<Strategy> make_strategy(const RoundRobinConfig&) {
  return std::make_unique<RoundRobin>();
}

}  // namespace lb
