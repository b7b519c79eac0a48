// Setting one value of a document from the command line.
#pragma once

#include <string_view>

#include "lbcore/config/node.h"

namespace lb::scenario {

// Puts `value` at a path such as config.clusters[0].strategy, making objects on the way; false when
// the path does not lead anywhere. The value's place in the document is that of what it replaces.
[[nodiscard]] bool set_at(config::Node& root, std::string_view path, const config::Node& value);

}  // namespace lb::scenario
