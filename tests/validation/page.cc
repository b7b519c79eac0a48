#include "tests/validation/page.h"

#include <algorithm>
#include <cstdio>

#include "tests/validation/law.h"

namespace lb::validation {
namespace {

constexpr const char* kIntroduction = R"(# Validation

Is the simulator right? Here it simulates systems whose answer is known, and this page shows both.
It is written by the tests themselves (`tests/validation`): every row is one of them, and a test
fails when this page is not what the runs say.

**How to read a row.** *Theory* is the value of the formula named beside it. *Simulated* is the
mean of 20 runs with seeds 1 to 20, and *±* the half-width of Student's interval around it that
misses once in a thousand times. The row holds when theory lies inside that interval, widened by
*bias*, the share of the value that the method itself may get wrong: 0.1 % for quantiles, which
come out of a histogram, 0.05 % for a warm-up that ends, and what a finite number of backends
differs from infinitely many. So that no row passes by being vague, *±* may not exceed *limit*, a
share of theory. An empty limit means that every single run has to give exactly theory's value.

Runs are as long as the limit asks for, by the asymptotic variance of a queue in heavy traffic
(Whitt, Management Science 35(11), 1989), after a warm-up of ten relaxation times. Services take
10 ms in the mean, exponential unless a row says otherwise; hosts are no distance apart.

When draws change, because the simulator draws in another order, all rows are new, and one in a
thousand would fail by chance. Then look at it with other seeds before you believe in either.

)";

constexpr const char* kEnd = R"(## How to write this page anew

```sh
cmake --build --preset release --target validation_report
build/release/bin/validation_report > docs/validation.md
```
)";

// With so many significant digits, or more when there are more before the point.
std::string number(double value, int digits) {
  int decimals = digits - 1;
  for (double scale = 10; scale <= value; scale *= 10) --decimals;
  for (double scale = 1; scale > value && value > 0; scale /= 10) ++decimals;
  std::string text(64, '\0');
  const int length = std::snprintf(text.data(), text.size(), "%.*f", std::max(decimals, 0), value);
  text.resize(static_cast<std::size_t>(length));
  return value == 0 ? "0" : text;
}

std::string figure(double value) { return number(value, 4); }
std::string width(double value) { return number(value, 2); }

std::string percent(double value) {
  if (value == 0) return "";
  std::string text(64, '\0');
  const int length = std::snprintf(text.data(), text.size(), "%.2f %%", 100 * value);
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::string row(std::initializer_list<std::string> cells) {
  std::string text = "|";
  for (const std::string& cell : cells) {
    text += ' ' + cell;
    text += " |";
  }
  return text + '\n';
}

std::string laws_part() {
  std::string text;
  std::string section;
  for (const Law& law : all_laws()) {
    if (law.section != section) {
      section = law.section;
      text += (text.empty() ? "## " : "\n## ") + section + "\n\n";
      text += row({"system", "figure", "formula", "theory", "simulated", "±", "bias", "limit"});
      text += "|---|---|---|--:|--:|--:|--:|--:|\n";
    }
    const Interval found = simulated(law.measure);
    text += row({law.system, law.figure, law.formula, figure(law.theory), figure(found.mean),
                 width(found.half_width), percent(law.bias), percent(law.precision)});
  }
  return text + '\n';
}

std::string mistakes_part() {
  std::string text =
      "# Mistakes that would be found\n\nThe same runs, held against what theory says of a system "
      "that is a little different. No such row holds;\na test asserts it.\n\n";
  text += row({"system", "figure", "mistake", "would be", "simulated", "±"});
  text += "|---|---|---|--:|--:|--:|\n";
  const std::vector<Law> laws = all_laws();
  for (const Mistake& mistake : all_mistakes()) {
    const Interval found = simulated(law_of(laws, mistake).measure);
    text += row({mistake.system, mistake.figure, mistake.words, figure(mistake.value),
                 figure(found.mean), width(found.half_width)});
  }
  return text + '\n';
}

std::string claims_part() {
  std::string text =
      "# Orders and thresholds\n\nHere theory says which of two is greater, or that something "
      "stays "
      "or ends. *At least* is what the\nwhole interval has to exceed.\n";
  std::string section;
  for (const Claim& claim : all_claims()) {
    if (claim.section != section) {
      section = claim.section;
      text += "\n## " + section + "\n\n";
      text += row({"claim", "from", "figure", "simulated", "±", "at least"});
      text += "|---|---|---|--:|--:|--:|\n";
    }
    const Interval found = simulated(claim.measure);
    text += row({claim.words, claim.source, claim.figure, figure(found.mean),
                 width(found.half_width), figure(claim.least)});
  }
  return text + '\n';
}

}  // namespace

std::string page() { return kIntroduction + laws_part() + claims_part() + mistakes_part() + kEnd; }

}  // namespace lb::validation
