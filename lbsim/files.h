// The files of the command line.
#pragma once

#include <fstream>
#include <optional>
#include <string>

#include "lbsim/scenario/scenario.h"

namespace lb::sim {

// The text of a file; nothing when it cannot be read.
[[nodiscard]] std::optional<std::string> read_file(const std::string& path);

// Reads what a scenario names, relative to the scenario.
[[nodiscard]] scenario::ReadFile reader_beside(const std::string& scenario_file);

// Something to write to: standard output for "-". A file comes into being whole or not at all:
// until finish() it has another name, and what is never finished is removed.
class OutputFile {
 public:
  explicit OutputFile(const std::string& target);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();

  // False, after saying so, when it cannot be written to at all.
  [[nodiscard]] bool open() const;
  void write(std::string_view text);
  // False, after saying so on standard error, when not all could be written.
  [[nodiscard]] bool finish();

 private:
  std::string target_;
  std::string written_;  // The name it has until it is finished; empty for standard output.
  std::ofstream file_;
};

// All at once.
[[nodiscard]] bool write_output(const std::string& target, std::string_view text);

}  // namespace lb::sim
