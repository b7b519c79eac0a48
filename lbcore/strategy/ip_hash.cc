#include "lbcore/strategy/ip_hash.h"

#include "lbcore/strategy/weighted_draw.h"

namespace lb {
namespace {

class IpHash final : public Strategy {
 public:
  void rebuild(EligibleView eligible) override { by_weight_.rebuild(eligible); }

  Pick pick(EligibleView, HashKey key, Prng&) override {
    return {by_weight_.owner(key), PickReason::hashed};
  }

 private:
  WeightedDraw by_weight_;
};

}  // namespace

std::unique_ptr<Strategy> make_strategy(const IpHashConfig&) { return std::make_unique<IpHash>(); }

}  // namespace lb
