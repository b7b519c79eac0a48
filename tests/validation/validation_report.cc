// Prints docs/validation.md.
#include <cstdio>

#include "tests/validation/page.h"

int main() {
  const std::string text = lb::validation::page();
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 3;
}
