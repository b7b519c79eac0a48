#include "lbcore/strategy/random.h"

#include "lbcore/strategy/weighted_draw.h"

namespace lb {
namespace {

class Random final : public Strategy {
 public:
  [[nodiscard]] std::unique_ptr<Strategy> clone() const override {
    return std::make_unique<Random>(*this);
  }

  void rebuild(EligibleView eligible, Instant) override { by_weight_.rebuild(eligible); }

  Pick pick(const PickContext& context) override {
    return {by_weight_.draw_open(context.prng, context.open), PickReason::drawn};
  }

 private:
  WeightedDraw by_weight_;
};

}  // namespace

std::unique_ptr<Strategy> make_strategy(const RandomConfig&) { return std::make_unique<Random>(); }

}  // namespace lb
