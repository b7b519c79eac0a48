// The daemon's own log: one JSON object a line on standard error.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "lbcore/config/daemon_config.h"

namespace lb::daemon {

using config::Json;
using config::LogLevel;

// Messages below this level are not written.
void set_log_level(LogLevel level);

// {"time": …, "level": …, "event": "backend_down", …fields}
void log_event(LogLevel level, std::string_view event, const Json& fields = Json::object());

}  // namespace lb::daemon
