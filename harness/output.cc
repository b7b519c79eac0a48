#include "harness/output.h"

#include <fstream>
#include <iostream>

#include "harness/errors.h"

namespace lb::harness {

void write_json(const std::string& path, const config::Json& json) {
  if (path == "-") {
    std::cout << json.dump(2) << std::endl;
    return;
  }
  std::ofstream out(path);
  out << json.dump(2) << '\n';
  out.close();
  if (!out) throw HarnessError(kExitEnvironment, "cannot write \"" + path + '"');
}

}  // namespace lb::harness
