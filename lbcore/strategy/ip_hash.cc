#include "lbcore/strategy/ip_hash.h"

#include "lbcore/strategy/weighted_draw.h"

namespace lb {
namespace {

class IpHash final : public Strategy {
 public:
  explicit IpHash(const IpHashConfig& config) : bound_(config.balance_factor) {}

  [[nodiscard]] std::unique_ptr<Strategy> clone() const override {
    return std::make_unique<IpHash>(*this);
  }
  [[nodiscard]] bool uses_key() const override { return true; }

  void rebuild(EligibleView eligible, Instant) override {
    by_weight_.rebuild(eligible);
    bound_.rebuild(eligible);
  }

  Pick pick(const PickContext& context) override {
    std::size_t index = by_weight_.owner(context.key);
    return pick_in_hash_order(context, bound_, index, [&] {
      if (++index == context.eligible.size()) index = 0;
      return index;
    });
  }

 private:
  WeightedDraw by_weight_;
  BoundedLoad bound_;
};

}  // namespace

std::unique_ptr<Strategy> make_strategy(const IpHashConfig& config) {
  return std::make_unique<IpHash>(config);
}

}  // namespace lb
