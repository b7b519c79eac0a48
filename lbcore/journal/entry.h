// One entry of a journal: what a brain was told and answered, what it wanted done, or its birth.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "lbcore/input.h"

namespace lb::journal {

// A brain begins: everything it needs to be made again.
struct Birth {
  ClusterPlan plan;
  std::uint64_t seed = 0;
};

struct Said {
  Input input;
  Answer answer;
};

struct Entry {
  std::uint32_t brain = 0;  // Several can share a journal: one for each cluster and worker.
  Instant at;               // Not of an action.
  std::variant<Birth, Said, Action> what;
};

// The entry as bytes, its time as the distance from `last`; nothing is kept in between.
[[nodiscard]] std::string encode(const Entry& entry, Instant last);

// Nothing when the bytes are no entry. All of `bytes` must be used up.
[[nodiscard]] std::optional<Entry> decode(std::string_view bytes, Instant last);

}  // namespace lb::journal
