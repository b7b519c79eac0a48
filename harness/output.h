// Where reports go.
#pragma once

#include <string>

#include "lbcore/config/json.h"

namespace lb::harness {

// To the file at `path`, or to standard output for "-". Throws HarnessError when it cannot be
// written.
void write_text(const std::string& path, const std::string& text);
void write_json(const std::string& path, const config::Json& json);

}  // namespace lb::harness
