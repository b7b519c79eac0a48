// What a Balancer's deadline is about, packed into the 64 bits a DeadlineTable keeps for it.
#pragma once

#include <cstdint>

#include "lbcore/ids.h"

namespace lb {

template <class Tag>
[[nodiscard]] constexpr std::uint64_t subject_of(SlotId<Tag> id) {
  return (std::uint64_t{id.generation} << 32U) | id.slot;
}

template <class SlotIdType>
[[nodiscard]] constexpr SlotIdType subject_as(std::uint64_t subject) {
  return SlotIdType{static_cast<std::uint32_t>(subject),
                    static_cast<std::uint32_t>(subject >> 32U)};
}

}  // namespace lb
