// Members of large JSON objects. nlohmann's ordered_map is a vector, and looks at every key before
// it adds one: too slow for an object with a member for each of ten thousand backends.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "lbcore/config/json.h"

namespace lb::scenario {

// O(1). REQUIRES: `json` is an object without such a key.
inline void append_member(config::Json& json, std::string key, config::Json value) {
  json.get_ref<config::Json::object_t&>().emplace_back(std::move(key), std::move(value));
}

}  // namespace lb::scenario
