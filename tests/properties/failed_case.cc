#include "tests/properties/failed_case.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "lbcore/journal/file.h"
#include "lbcore/journal/text.h"
#include "tests/testing/property.h"

namespace lb::testing {
namespace {

// For the signal handler, which has no other way to know.
std::string file_of_case;
const std::string* journal_of_case = nullptr;

std::string file_name() {
  const ::testing::TestInfo& test = *::testing::UnitTest::GetInstance()->current_test_info();
  std::string name = std::string{test.test_suite_name()} + '.' + test.name() + ".journal";
  std::replace(name.begin(), name.end(), '/', '_');
  const char* folder = std::getenv("LB_PROPERTY_JOURNALS");
  const auto place =
      folder == nullptr ? std::filesystem::current_path() : std::filesystem::path{folder};
  return (place / name).string();
}

std::string text_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  std::ostringstream text;
  journal::Reader reader(bytes);
  while (const auto entry = reader.next()) text << "  " << journal::to_text(*entry) << '\n';
  return text.str() + reader.problem();
}

void write_on_abort(int) {
  if (journal_of_case != nullptr) {
    const int fd = open(file_of_case.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0644);
    const bool written = fd >= 0 && write(fd, journal_of_case->data(), journal_of_case->size()) > 0;
    const std::string said = written ? "journal: " + file_of_case + '\n' : "no journal\n";
    static_cast<void>(!write(STDERR_FILENO, said.data(), said.size()));
  }
  std::signal(SIGABRT, SIG_DFL);
}

}  // namespace

void run_recorded(const std::function<void(std::string& journal)>& run) {
  std::string journal;
  journal_of_case = &journal;
  try {
    run(journal);
  } catch (...) {
    std::ofstream(file_of_case, std::ios::binary) << journal;
    journal_of_case = nullptr;
    throw;
  }
  journal_of_case = nullptr;
}

void expect_laws(const std::function<void()>& property, int cases) {
  file_of_case = file_name();
  std::filesystem::remove(file_of_case);
  std::signal(SIGABRT, write_on_abort);
  expect_property(property, cases);
  std::signal(SIGABRT, SIG_DFL);
  if (!std::filesystem::exists(file_of_case)) return;
  ADD_FAILURE() << "journal: " << file_of_case << '\n' << text_of(file_of_case);
}

}  // namespace lb::testing
