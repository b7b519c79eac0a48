// IMPLEMENTATION  Among equal weights the greatest hash is the greatest score: whole numbers only.
//   With weights the least of -ln(u) / weight is looked for. -ln(u) is 1 - u or more, which costs
//   nothing, so the logarithm is only taken of the few that could still win: about ln n of n.
#include "lbcore/strategy/rendezvous.h"

#include <limits>
#include <vector>

#include "lbcore/exact_math.h"

namespace lb {
namespace {

class Rendezvous final : public Strategy {
 public:
  explicit Rendezvous(const RendezvousConfig& config) : bound_(config.balance_factor) {}

  [[nodiscard]] std::unique_ptr<Strategy> clone() const override {
    return std::make_unique<Rendezvous>(*this);
  }
  [[nodiscard]] bool uses_key() const override { return true; }

  void rebuild(EligibleView eligible, Instant) override {
    bound_.rebuild(eligible);
    seats_.clear();
    equal_weights_ = true;
    for (const BackendView& view : eligible) {
      seats_.push_back({mix(view.id.value + kSeed), static_cast<double>(view.weight)});
      equal_weights_ = equal_weights_ && view.weight == eligible.front().weight;
    }
  }

  Pick pick(const PickContext& context) override {
    const auto anybody = [](std::size_t) { return true; };
    const std::size_t owner = highest(context.key, anybody);
    if (bound_.accepts(context, owner)) return {owner, PickReason::hashed};
    const auto accepted = [&](std::size_t i) { return bound_.accepts(context, i); };
    std::size_t index = highest(context.key, accepted);
    if (index == kNobody) {
      index = highest(context.key, [&](std::size_t i) { return context.open.contains(i); });
    }
    return {index, index == owner ? PickReason::hashed : PickReason::moved_on};
  }

 private:
  struct Seat {
    std::uint64_t hash;  // Of the id.
    double weight;
  };
  static constexpr std::uint64_t kSeed = 0x9e3779b97f4a7c15ULL;
  static constexpr std::size_t kNobody = std::numeric_limits<std::size_t>::max();

  template <class May>
  [[nodiscard]] std::size_t highest(HashKey key, May may) const {
    return equal_weights_ ? greatest_hash(key, may) : least_cost(key, may);
  }

  template <class May>
  [[nodiscard]] std::size_t greatest_hash(HashKey key, May may) const {
    std::size_t best = kNobody;
    std::uint64_t greatest = 0;
    for (std::size_t i = 0; i < seats_.size(); ++i) {
      const std::uint64_t hash = mix(key ^ seats_[i].hash);
      if ((hash <= greatest && best != kNobody) || !may(i)) continue;
      greatest = hash, best = i;
    }
    return best;
  }

  template <class May>
  [[nodiscard]] std::size_t least_cost(HashKey key, May may) const {
    // So much more than the least cost that no rounding of a last bit decides who is left out.
    constexpr double kMargin = 1 + 1e-12;
    std::size_t best = kNobody;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < seats_.size(); ++i) {
      const double u = Prng::unit_of(mix(key ^ seats_[i].hash));
      if (1 - u > least * seats_[i].weight * kMargin || !may(i)) continue;
      const double cost = -exact_ln(u) / seats_[i].weight;
      if (cost < least) least = cost, best = i;
    }
    return best;
  }

  BoundedLoad bound_;
  std::vector<Seat> seats_;  // One a backend.
  bool equal_weights_ = true;
};

}  // namespace

std::unique_ptr<Strategy> make_strategy(const RendezvousConfig& config) {
  return std::make_unique<Rendezvous>(config);
}

}  // namespace lb
