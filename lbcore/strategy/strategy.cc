#include "lbcore/strategy/strategy.h"

namespace lb {

std::string_view to_string(PickReason reason) {
  switch (reason) {
    case PickReason::in_turn: return "in_turn";
    case PickReason::drawn: return "drawn";
    case PickReason::least_loaded: return "least_loaded";
    case PickReason::hashed: return "hashed";
    case PickReason::only_one: return "only_one";
    case PickReason::untried: return "untried";
  }
  return "?";
}

}  // namespace lb
