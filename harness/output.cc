#include "harness/output.h"

#include <fstream>
#include <iostream>

#include "harness/errors.h"

namespace lb::harness {

void write_text(const std::string& path, const std::string& text) {
  if (path == "-") {
    std::cout << text << std::flush;
    return;
  }
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out) throw HarnessError(kExitEnvironment, "cannot write \"" + path + '"');
}

void write_json(const std::string& path, const config::Json& json) {
  write_text(path, json.dump(2) + '\n');
}

}  // namespace lb::harness
