// A child process that cannot outlive its parent.
//
// The kernel kills it when the parent's thread that started it is gone, however that went
// (PR_SET_PDEATHSIG), so even a harness that is killed leaves nothing behind. It is in a process
// group of its own: Ctrl-C reaches the parent alone, which ends its children in order.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lbcore/time.h"

namespace lb::harness {

struct ProcessOptions {
  std::vector<std::string> arguments;  // The program first; a path or a name to look for.
  bool pipe_input = false;             // Otherwise standard input is empty.
  bool pipe_output = false;            // Otherwise standard output is the parent's,
  std::string output_file{};           // or this file.
  std::string error_file{};            // Standard error; empty for the parent's.
};

// How a process ended.
struct ExitStatus {
  int code = 0;    // Of exit().
  int signal = 0;  // That ended it; 0 when it ended itself.
  [[nodiscard]] bool ok() const { return code == 0 && signal == 0; }
};
// "exit status 3" or "signal 9"
[[nodiscard]] std::string describe(const ExitStatus& status);

class Process {
 public:
  // Throws HarnessError when the program is missing or cannot be started.
  explicit Process(const ProcessOptions& options);
  // Kills it and waits until it is gone.
  ~Process();
  Process(Process&& other) noexcept;
  // What it was before is killed, as by the destructor.
  Process& operator=(Process&& other) noexcept;

  [[nodiscard]] pid_t pid() const { return pid_; }
  // Readable when it has ended.
  [[nodiscard]] int exit_descriptor() const { return exit_descriptor_; }

  void signal(int number) const;  // Nothing when it has ended.
  void kill_and_wait();

  // Waits for its end, not longer than `patience`, which may be zero.
  [[nodiscard]] std::optional<ExitStatus> wait(Duration patience);

  // To its standard input. REQUIRES: pipe_input. What a dead process would have read is lost.
  void write_line(const std::string& line) const;
  // From its standard output, without the line end; nothing when it ended or said nothing in time.
  // REQUIRES: pipe_output.
  [[nodiscard]] std::optional<std::string> read_line(Duration patience);
  // All the rest of its standard output, calling `meanwhile` several times a second, which may
  // throw. REQUIRES: pipe_output.
  [[nodiscard]] std::string read_all(const std::function<void()>& meanwhile);

 private:
  // Adds what it says to pending_, waiting until then; how much, 0 at the end, nothing when it kept
  // silent.
  [[nodiscard]] std::optional<std::size_t> read_some(std::chrono::steady_clock::time_point until);

  pid_t pid_ = -1;
  int exit_descriptor_ = -1;
  int input_ = -1;
  int output_ = -1;
  std::string pending_;  // Read, not yet returned.
  std::optional<ExitStatus> status_;
};

}  // namespace lb::harness
