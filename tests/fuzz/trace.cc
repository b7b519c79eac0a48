// Records of a real day, as CSV and as access logs: what is read is in order and refers to what is
// there.
#include "lbsim/scenario/trace.h"

#include "lbcore/assert.h"
#include "tests/fuzz/target.h"

namespace lb::fuzz {
namespace {

void check(const scenario::LoadedTrace& loaded) {
  if (!loaded.problem.empty()) return;
  const scenario::Trace& trace = loaded.trace;
  Duration before{};
  for (const scenario::Trace::Entry& entry : trace.entries) {
    LB_ASSERT(entry.at >= before);
    LB_ASSERT(entry.client < trace.client_count);
    LB_ASSERT(entry.target < trace.targets.size());
    before = entry.at;
  }
}

}  // namespace

void run(std::string_view input) {
  check(scenario::read_csv_trace(input));
  check(scenario::read_log_trace(input));
}

}  // namespace lb::fuzz
