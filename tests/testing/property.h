// Runs a RapidCheck property as part of a GoogleTest test: always the same cases, so that a build
// is not red by luck, and more or others on request:
//
//   LB_PROPERTY_SEED=7 LB_PROPERTY_CASES=100000 properties_test
//
// A failure prints the seed and the smallest failing input that was found.
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <sstream>
#include <string>

#include "lbcore/hash.h"

namespace lb::testing {

template <class Testable>
void expect_property(Testable&& property, int cases = 500) {
  const auto setting = [](const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
  };
  rc::detail::TestParams params;
  const ::testing::TestInfo& test = *::testing::UnitTest::GetInstance()->current_test_info();
  const std::uint64_t seed = setting("LB_PROPERTY_SEED", 2026);
  // Other cases for each parameter of a test: the same ones would find the same.
  params.seed = test.value_param() == nullptr ? seed : combine(seed, hash_bytes(test.name()));
  params.maxSuccess =
      static_cast<int>(setting("LB_PROPERTY_CASES", static_cast<std::uint64_t>(cases)));
  params.maxSize = 100;
  rc::detail::TestMetadata metadata;
  metadata.id = test.name();
  metadata.description = metadata.id;
  const auto result = rc::detail::checkTestable(std::forward<Testable>(property), metadata, params);
  if (result.template is<rc::detail::SuccessResult>()) return;
  std::ostringstream text;
  rc::detail::printResultMessage(result, text);
  ADD_FAILURE() << "LB_PROPERTY_SEED=" << seed << '\n' << text.str();
}

}  // namespace lb::testing
