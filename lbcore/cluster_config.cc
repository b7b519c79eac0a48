#include "lbcore/cluster_config.h"

namespace lb {

std::string_view to_string(AdminState state) {
  switch (state) {
    case AdminState::enabled: return "enabled";
    case AdminState::draining: return "draining";
    case AdminState::disabled: return "disabled";
  }
  return "?";
}

}  // namespace lb
