#include "harness/temp_dir.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "harness/errors.h"

namespace lb::harness {

TempDir::TempDir() {
  const char* parent = std::getenv("TMPDIR");
  path_ = (parent == nullptr || *parent == '\0' ? std::string{"/tmp"} : std::string{parent}) +
          "/lbharness-XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr) {
    throw HarnessError(kExitEnvironment, "cannot make a folder like \"" + path_ +
                                             "\"; set TMPDIR to a folder that may be written");
  }
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::file(std::string_view name) const { return path_ + '/' + std::string{name}; }

void write_file(const std::string& path, std::string_view text) {
  const std::string fresh = path + ".new";
  std::ofstream out(fresh, std::ios::binary);
  out << text;
  out.close();
  if (!out || std::rename(fresh.c_str(), path.c_str()) != 0) {
    throw HarnessError(kExitEnvironment, "cannot write \"" + path + '"');
  }
}

std::string read_file_or_nothing(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace lb::harness
