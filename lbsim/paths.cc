#include "lbsim/paths.h"

#include "lbcore/hash.h"
#include "lbsim/scenario/seeds.h"

namespace lb::sim {

Paths::Paths(const scenario::Scenario& scenario, std::uint32_t daemons) : daemons_(daemons) {
  for (const auto& member : scenario.all_backends()) {
    prngs_.emplace_back(combine(scenario::backend_seed(scenario.seed, member.backend.id), 2));
  }
  troubled_.resize(prngs_.size());
}

void Paths::strike(std::uint32_t backend, const scenario::Fault& fault) {
  using scenario::FaultKind;
  std::vector<Path>& paths = troubled_[backend];
  if (fault.kind == FaultKind::recover) return paths.clear();
  if (fault.kind != FaultKind::loss && fault.kind != FaultKind::partition) return;
  paths.resize(daemons_);
  const auto strike_one = [&fault](Path& path) {
    if (fault.kind == FaultKind::partition) {
      path.cut = true;
    } else {
      path.loss = fault.ratio;
      path.retransmit = fault.retransmit;
    }
  };
  for (const std::uint32_t daemon : fault.daemons) strike_one(paths[daemon]);
  if (!fault.daemons.empty()) return;
  for (Path& path : paths) strike_one(path);
}

Duration Paths::draw(std::uint32_t backend, const Path& path) {
  constexpr int kDoublingsMax = 6;  // 12 s after the first 200 ms; hosts give up some time later.
  Duration delay{};
  Duration wait = path.retransmit;
  for (int n = 0; path.loss > 0 && n < kDoublingsMax && prngs_[backend].unit() < path.loss; ++n) {
    delay += wait;
    wait *= 2;
  }
  return delay;
}

}  // namespace lb::sim
