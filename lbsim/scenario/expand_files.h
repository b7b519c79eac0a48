// Files of measured times: what {"empirical": {"file": "times.txt"}} points at takes its place.
#pragma once

#include <string>
#include <vector>

#include "lbcore/config/node.h"
#include "lbsim/scenario/scenario.h"

namespace lb::scenario {

// Puts {"values": [...]} in place of {"file": ...} of every "empirical" under `node`. The file has
// one value on each line, a duration or a plain number of milliseconds; lines that are empty or
// start with # say nothing. A problem stands at the name of the file and tells the line in it.
void expand_files(config::Node& node, const std::string& path, const ReadFile& read_file,
                  std::vector<config::Problem>& problems);

}  // namespace lb::scenario
