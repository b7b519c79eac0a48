// What an event of the timeline makes of the clusters of a daemon. Both worlds ask here.
#pragma once

#include <string_view>
#include <vector>

#include "lbsim/scenario/scenario.h"

namespace lb::scenario {

// False for an event that has nothing to do with them: then they are as they were.
bool change_clusters(const Event& event, std::vector<ClusterConfig>& clusters);

// Null when there is none of that name.
[[nodiscard]] ClusterConfig* find_cluster(std::vector<ClusterConfig>& clusters,
                                          std::string_view name);

}  // namespace lb::scenario
