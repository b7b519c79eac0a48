// What a configuration asks of clients and backends that those of the harness do not speak. The
// simulator makes nothing of it and plays on.
#pragma once

#include <string>
#include <vector>

#include "lbcore/config/daemon_config.h"
#include "lbcore/config/reader.h"

namespace lb::scenario {

// `config` was read from `node`, which is called `path`: empty for a file of its own. Where the
// node is only the name of a file, everything is said of that name. `first` is the configuration
// the run begins with: its backends are told once what to expect.
void note_unspoken(const config::Node& node, const std::string& path,
                   const config::DaemonConfig& config, const config::DaemonConfig& first,
                   std::vector<config::Problem>& simulated_only);

}  // namespace lb::scenario
