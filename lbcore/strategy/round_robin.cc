#include "lbcore/strategy/round_robin.h"

#include <algorithm>

namespace lb {
namespace {

class RoundRobin final : public Strategy {
 public:
  [[nodiscard]] std::unique_ptr<Strategy> clone() const override {
    return std::make_unique<RoundRobin>(*this);
  }
  [[nodiscard]] bool uses_weights() const override { return false; }

  void rebuild(EligibleView eligible, Instant) override {
    // First of those after the last picked; past the end means: from the start again.
    const auto next = std::upper_bound(
        eligible.begin(), eligible.end(), last_,
        [](std::int64_t last, const BackendView& view) { return last < view.id.value; });
    next_ = static_cast<std::size_t>(next - eligible.begin());
  }

  Pick pick(const PickContext& context) override {
    if (next_ >= context.eligible.size()) next_ = 0;
    const std::size_t index = context.open.next(next_);
    last_ = context.eligible[index].id.value;
    next_ = index + 1;
    return {index, PickReason::in_turn};
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
