// A folder for one run, readable by its owner alone, and gone afterwards.
#pragma once

#include <string>
#include <string_view>

namespace lb::harness {

class TempDir {
 public:
  // Below $TMPDIR, or /tmp. Throws HarnessError when it cannot be made.
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  // The path of a file in it.
  [[nodiscard]] std::string file(std::string_view name) const;

 private:
  std::string path_;
};

// Replaces the file at once, so that a reader sees the old or the new text and never a part. Throws
// HarnessError when it cannot be written.
void write_file(const std::string& path, std::string_view text);

// Its text; empty when it cannot be read.
[[nodiscard]] std::string read_file_or_nothing(const std::string& path);

}  // namespace lb::harness
