// Goal: the simulator gives the numbers of queueing theory, and docs/validation.md shows them.
// Method: every row of the page is a test; law.h says when it holds. Runs are kept, so the page
// and the mistakes cost nothing more: all of this is one test of ctest.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/validation/law.h"
#include "tests/validation/page.h"

namespace lb::validation {

void PrintTo(const Law& law, std::ostream* out) { *out << law.system << ": " << law.figure; }
void PrintTo(const Claim& claim, std::ostream* out) { *out << claim.words; }

namespace {

std::string test_name(const std::string& words) {
  std::string name;
  for (const char c : words) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      name += c;
    else if (!name.empty() && name.back() != '_')
      name += '_';
  }
  return name;
}

class Theory : public ::testing::TestWithParam<Law> {};

TEST_P(Theory, IsWhatIsSimulated) {
  const Law& law = GetParam();
  const Interval found = simulated(law.measure);
  EXPECT_TRUE(holds(law, found)) << law.system << ", " << law.figure << "\n  theory    "
                                 << law.theory << " (" << law.formula << ")\n  simulated "
                                 << found.mean << " +- " << found.half_width << ", which may be "
                                 << law.precision * law.theory << "\n  bias      "
                                 << law.bias * law.theory;
}

INSTANTIATE_TEST_SUITE_P(, Theory, ::testing::ValuesIn(all_laws()), [](const auto& row) {
  return test_name(row.param.system + ' ' + row.param.figure);
});

class Order : public ::testing::TestWithParam<Claim> {};

TEST_P(Order, IsWhatIsSimulated) {
  const Claim& claim = GetParam();
  const Interval found = simulated(claim.measure);
  EXPECT_TRUE(holds(claim, found))
      << claim.words << "\n  " << claim.figure << ' ' << found.mean << " +- " << found.half_width
      << ", expected at least " << claim.least;
}

INSTANTIATE_TEST_SUITE_P(, Order, ::testing::ValuesIn(all_claims()),
                         [](const auto& row) { return test_name(row.param.words); });

TEST(Mistakes, WouldBeFound) {
  const std::vector<Law> laws = all_laws();
  for (const Mistake& mistake : all_mistakes()) {
    const Law law = law_of(laws, mistake);
    const Interval found = simulated(law.measure);
    EXPECT_TRUE(found_out(mistake, law, found))
        << law.system << ", " << law.figure << ", " << mistake.words << ": would be "
        << mistake.value << ", simulated " << found.mean << " +- " << found.half_width;
  }
}

TEST(Page, ThePageIsWhatTheRunsSay) {
  std::ifstream in{LB_VALIDATION_PAGE};
  std::ostringstream written;
  written << in.rdbuf();
  EXPECT_EQ(written.str(), page()) << "write it anew: the page says how, at its end";
}

}  // namespace
}  // namespace lb::validation
