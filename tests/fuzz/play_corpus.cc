// Runs a target on the files of the folders given. An input that breaks something is the last one
// named.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/target.h"

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int n = 1; n < argc; ++n) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[n])) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) {
    std::fputs("no corpus: nothing was tried\n", stderr);
    return 1;
  }
  for (const std::filesystem::path& file : files) {
    std::puts(file.filename().c_str());
    std::fflush(stdout);
    std::ifstream in(file, std::ios::binary);
    const std::string input{std::istreambuf_iterator<char>{in}, {}};
    lb::fuzz::run(input);
  }
}
