#include "lbcore/strategy/strategy.h"

namespace lb {

std::string_view to_string(PickReason reason) {
  switch (reason) {
    case PickReason::in_turn: return "in_turn";
    case PickReason::drawn: return "drawn";
    case PickReason::least_loaded: return "least_loaded";
    case PickReason::fastest: return "fastest";
    case PickReason::unexplored: return "unexplored";
    case PickReason::hashed: return "hashed";
    case PickReason::first_open: return "first_open";
    case PickReason::only_one: return "only_one";
    case PickReason::moved_on: return "moved_on";
    case PickReason::sticky: return "sticky";
    case PickReason::last_resort: return "last_resort";
  }
  return "?";
}

}  // namespace lb
