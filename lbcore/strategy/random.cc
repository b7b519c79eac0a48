#include "lbcore/strategy/random.h"

#include "lbcore/strategy/weighted_draw.h"

namespace lb {
namespace {

class Random final : public Strategy {
 public:
  void rebuild(EligibleView eligible) override { by_weight_.rebuild(eligible); }

  Pick pick(EligibleView, HashKey, Prng& prng) override {
    return {by_weight_.draw(prng), PickReason::drawn};
  }

 private:
  WeightedDraw by_weight_;
};

}  // namespace

std::unique_ptr<Strategy> make_strategy(const RandomConfig&) { return std::make_unique<Random>(); }

}  // namespace lb
