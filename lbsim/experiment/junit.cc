#include "lbsim/experiment/junit.h"

#include <pugixml.hpp>
#include <sstream>

namespace lb::experiment {
namespace {

// Of all runs, what the expectation at `index` was missed by, one line a run.
std::string misses(const TestSuite& suite, std::size_t index, std::size_t& count) {
  std::string text;
  count = 0;
  for (std::size_t i = 0; i < suite.runs.size(); ++i) {
    const Verdict& verdict = suite.runs[i].verdicts[index];
    if (verdict.passed) continue;
    if (count++ > 0) text += '\n';
    if (suite.runs.size() > 1) {
      text.append("seed ").append(std::to_string(suite.first_seed + i)).append(": ");
    }
    text += verdict.miss;
  }
  return text;
}

// How many test cases failed.
std::size_t add_suite(pugi::xml_node parent, const TestSuite& suite) {
  pugi::xml_node node = parent.append_child("testsuite");
  node.append_attribute("name") = suite.name.c_str();
  const std::vector<Verdict>& verdicts = suite.runs.front().verdicts;
  pugi::xml_attribute tests = node.append_attribute("tests");
  pugi::xml_attribute failures = node.append_attribute("failures");
  std::size_t failed = 0;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    pugi::xml_node test = node.append_child("testcase");
    test.append_attribute("classname") = suite.name.c_str();
    test.append_attribute("name") = verdicts[i].expectation.c_str();
    std::size_t missed = 0;
    const std::string text = misses(suite, i, missed);
    if (missed == 0) continue;
    ++failed;
    pugi::xml_node failure = test.append_child("failure");
    std::string message = text;
    if (suite.runs.size() > 1) {
      message = "missed in " + std::to_string(missed);
      message += " of " + std::to_string(suite.runs.size()) + " runs";
    }
    failure.append_attribute("message") = message.c_str();
    failure.text() = text.c_str();
  }
  tests = verdicts.size();
  failures = failed;
  return failed;
}

}  // namespace

std::string to_junit(std::span<const TestSuite> suites) {
  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version") = "1.0";
  declaration.append_attribute("encoding") = "UTF-8";
  pugi::xml_node root = document.append_child("testsuites");
  pugi::xml_attribute tests = root.append_attribute("tests");
  pugi::xml_attribute failures = root.append_attribute("failures");
  std::size_t count = 0;
  std::size_t failed = 0;
  for (const TestSuite& suite : suites) {
    if (suite.runs.empty()) continue;
    count += suite.runs.front().verdicts.size();
    failed += add_suite(root, suite);
  }
  tests = count;
  failures = failed;
  std::ostringstream out;
  document.save(out, "  ");
  return out.str();
}

}  // namespace lb::experiment
