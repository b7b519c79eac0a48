// How the configuration says what a key is made from: client_ip, path, {header: name},
// {cookie: name} or {query: name}.
#pragma once

#include <string>

#include "lbcore/config/json.h"
#include "lbcore/config/reader.h"
#include "lbcore/request_attributes.h"

namespace lb::config {

void read(const Place& place, KeyExpression& value, Range range = {});
struct Writing;
class Definitions;
[[nodiscard]] Json write(Writing, const KeyExpression& value);
[[nodiscard]] std::string type_words(const KeyExpression& value, Range range);
[[nodiscard]] Json schema_of(Definitions& definitions, const KeyExpression& value,
                             Range range = {});

}  // namespace lb::config
