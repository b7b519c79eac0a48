// What a failing case leaves behind: its journal, as a file that lbsim replay opens. Every failing
// run overwrites it, and the last one that fails is the smallest that was found; so what is left
// is the minimal case. An assertion of the brain ends the process on the spot; then it is that of
// the first case that failed.
//
// The file is NAME_OF_THE_TEST.journal in $LB_PROPERTY_JOURNALS, or where the test runs.
#pragma once

#include <functional>
#include <string>

namespace lb::testing {

// As expect_property(): `property` generates a case and hands it to run_recorded().
void expect_laws(const std::function<void()>& property, int cases);

// Runs a case that writes its journal to the string it is given.
void run_recorded(const std::function<void(std::string& journal)>& run);

}  // namespace lb::testing
