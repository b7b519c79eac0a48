// Entries of a journal in words, for people and for comparing.
#pragma once

#include <string>

#include "lbcore/journal/entry.h"

namespace lb::journal {

// One line: "0.012500000 brain 0: request key 7: r1.0 to b2 over c1.0, new, drawn of 3, attempt 1".
[[nodiscard]] std::string to_text(const Entry& entry);

// Every field that a caller can see: two answers with the same text are the same.
[[nodiscard]] std::string to_text(const Answer& answer);
[[nodiscard]] std::string to_text(const Action& action);
[[nodiscard]] std::string to_text(const Input& input);

}  // namespace lb::journal
