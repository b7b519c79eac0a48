// One cluster's configuration as text, for journals: what was written reads back as the same.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lbcore/cluster_config.h"

namespace lb::config {

// JSON on one line.
[[nodiscard]] std::string cluster_text(const ClusterConfig& config);

// Nothing when the text is not a cluster by every rule but those that look across clusters.
[[nodiscard]] std::optional<ClusterConfig> parse_cluster_text(std::string_view text);

}  // namespace lb::config
