#include "lbsim/scenario/clients.h"

#include "lbcore/assert.h"
#include "lbcore/exact_math.h"

namespace lb::scenario {
namespace {

std::vector<double> zipf_weights(const Clients& clients) {
  std::vector<double> weights(clients.count);
  for (std::uint32_t k = 0; k < clients.count; ++k) {
    weights[k] = exact_exp(-clients.zipf * exact_ln(k + 1.0));
  }
  return weights;
}

}  // namespace

AliasTable::AliasTable(const std::vector<double>& weights) : cells_(weights.size()) {
  double sum = 0;
  for (const double weight : weights) sum += weight;
  LB_ASSERT(sum > 0);
  std::vector<std::uint32_t> small;
  std::vector<std::uint32_t> large;
  for (std::uint32_t i = 0; i < weights.size(); ++i) {
    cells_[i] = {weights[i] / sum * static_cast<double>(weights.size()), i};
    (cells_[i].own < 1 ? small : large).push_back(i);
  }
  // Each small cell is filled up from a large one, which may become small by that.
  while (!small.empty() && !large.empty()) {
    const std::uint32_t poor = small.back();
    const std::uint32_t rich = large.back();
    small.pop_back();
    cells_[poor].other = rich;
    cells_[rich].own -= 1 - cells_[poor].own;
    if (cells_[rich].own >= 1) continue;
    large.pop_back();
    small.push_back(rich);
  }
  // What is left is full but for rounding.
  for (const std::uint32_t i : small) cells_[i].own = 1;
}

std::uint32_t AliasTable::draw(Prng& prng) const {
  const auto i = static_cast<std::uint32_t>(prng.below(cells_.size()));
  return prng.unit() < cells_[i].own ? i : cells_[i].other;
}

ClientDraw::ClientDraw(const Clients& clients)
    : count_(clients.count), leaves_(clients.session > 0 ? 1 / clients.session : 0) {
  LB_ASSERT(count_ > 0);
  if (clients.zipf > 0) zipf_.emplace_back(zipf_weights(clients));
  if (leaves_ <= 0) return;
  for (std::uint32_t place = 0; place < count_; ++place) present_.push_back(place);
}

std::uint32_t ClientDraw::draw(Prng& prng) {
  const std::uint32_t place =
      zipf_.empty() ? static_cast<std::uint32_t>(prng.below(count_)) : zipf_.front().draw(prng);
  if (present_.empty()) return place;
  const std::uint32_t client = present_[place];
  if (prng.unit() < leaves_) present_[place] += count_;
  return client;
}

}  // namespace lb::scenario
