// The keys of a fleet.
#pragma once

#include <algorithm>
#include <array>
#include <string>

#include "lbcore/config/reader.h"
#include "lbsim/scenario/fleet.h"

namespace lb::config {

template <>
struct EnumWords<scenario::ClientsBy> {
  using enum scenario::ClientsBy;
  static constexpr std::array<std::pair<scenario::ClientsBy, const char*>, 3> words{
      {{hash, "hash"}, {round_robin, "round_robin"}, {random, "random"}}};
};

template <>
struct EnumWords<scenario::ProbePhase> {
  using enum scenario::ProbePhase;
  static constexpr std::array<std::pair<scenario::ProbePhase, const char*>, 2> words{
      {{spread, "spread"}, {together, "together"}}};
};

}  // namespace lb::config

namespace lb::scenario {

template <class Fields>
void describe(Fields& fields, Fleet& fleet) {
  fields.optional("daemons", fleet.daemons, config::Range{.min = 1, .max = Fleet::kDaemonsMax},
                  "how many daemons there are");
  fields.optional("clients", fleet.clients, "how clients come to a daemon");
  fields.optional("shares", fleet.shares, config::Range{.min = 0, .max = 1'000'000},
                  "which part of them each daemon gets");
  fields.optional("probes", fleet.probes, "whether daemons probe in step");
}

inline void check(const config::ObjectReader& fields, const Fleet& fleet) {
  if (fleet.shares.empty()) return;
  if (fleet.shares.size() != fleet.daemons) {
    fields.problem_at("shares", "expected one number for each of the " +
                                    std::to_string(fleet.daemons) + " daemons, found " +
                                    std::to_string(fleet.shares.size()));
  } else if (std::all_of(fleet.shares.begin(), fleet.shares.end(),
                         [](std::uint32_t share) { return share == 0; })) {
    fields.problem_at("shares", "one of them has to be above 0");
  }
}

}  // namespace lb::scenario
