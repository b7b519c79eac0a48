// The JSON type of the project, declared: who only passes JSON on need not compile the library.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace lb::config {

using Json = nlohmann::ordered_json;  // Keys stay in the order they were written.

}  // namespace lb::config
