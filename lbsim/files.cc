#include "lbsim/files.h"

#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <iterator>

namespace lb::sim {
namespace {

// A pipe or a terminal cannot be renamed into place.
bool is_special(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error) && !std::filesystem::is_regular_file(path, error);
}

}  // namespace

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  in.peek();  // A directory can be opened, but not read.
  if (!in.is_open() || in.bad()) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

scenario::ReadFile reader_beside(const std::string& scenario_file) {
  const std::size_t slash = scenario_file.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : scenario_file.substr(0, slash + 1);
  return [folder](const std::string& path) {
    return read_file(path.starts_with('/') ? path : folder + path);
  };
}

OutputFile::OutputFile(const std::string& target) : target_(target) {
  if (target == "-") return;
  written_ = is_special(target) ? target : target + ".part" + std::to_string(getpid());
  file_.open(written_, std::ios::binary);
}

OutputFile::~OutputFile() {
  if (!written_.empty() && written_ != target_) {
    file_.close();
    std::error_code none;
    std::filesystem::remove(written_, none);
  }
}

bool OutputFile::open() const {
  const bool ok = written_.empty() || file_.is_open();
  if (!ok) std::cerr << "lbsim: cannot write " << target_ << '\n';
  return ok;
}

void OutputFile::write(std::string_view text) {
  if (written_.empty()) {
    std::cout << text << std::flush;  // Who reads along sees what is there.
  } else {
    file_ << text;
  }
}

bool OutputFile::finish() {
  bool ok = true;
  if (written_.empty()) {
    ok = static_cast<bool>(std::cout.flush());
  } else {
    file_.close();
    ok = static_cast<bool>(file_);
    std::error_code error;
    if (ok && written_ != target_) std::filesystem::rename(written_, target_, error);
    if (error) ok = false;
    if (ok) written_ = target_;
  }
  if (!ok) {
    std::cerr << "lbsim: cannot write " << (target_ == "-" ? "standard output" : target_) << '\n';
  }
  return ok;
}

bool write_output(const std::string& target, std::string_view text) {
  OutputFile output(target);
  output.write(text);
  return output.finish();
}

}  // namespace lb::sim
