// LB_ASSERT: a broken invariant stops the process, in every build. What a peer, a file or an
// operator can cause is never an assertion: it is an outcome, an event or a config error.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace lb {

[[noreturn, gnu::cold, gnu::noinline]] inline void assert_failed(const char* expression,
                                                                 const char* file, int line) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, expression);
  std::abort();
}

}  // namespace lb

#define LB_ASSERT(expression) \
  ((expression) ? static_cast<void>(0) : ::lb::assert_failed(#expression, __FILE__, __LINE__))
