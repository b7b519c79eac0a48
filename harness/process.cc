#include "harness/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/fmt/fmt.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "harness/clock.h"
#include "harness/errors.h"

namespace lb::harness {
namespace {

// Both ends closed on exec; the child keeps its own by dup2().
struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw HarnessError(kExitEnvironment, fmt::format("cannot make a pipe: {}", strerror(errno)));
  }
  return {ends[0], ends[1]};
}

void close_if_open(int descriptor) {
  if (descriptor >= 0) ::close(descriptor);
}

// What the child is to use; -1 to keep the parent's.
struct ChildStreams {
  int input = -1;
  int output = -1;
  int error = -1;
};

int open_for_child(const std::string& path, int flags) {
  if (path.empty()) return -1;
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    throw HarnessError(kExitEnvironment,
                       fmt::format("cannot open \"{}\": {}", path, strerror(errno)));
  }
  return descriptor;
}

// Between fork and exec. Never returns: reports a failure of exec through `failure`.
[[noreturn]] void become(char* const* arguments, const ChildStreams& streams, pid_t parent,
                         int failure) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // It died before the line above took effect.
  ::setpgid(0, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  if (streams.input >= 0) ::dup2(streams.input, STDIN_FILENO);
  if (streams.output >= 0) ::dup2(streams.output, STDOUT_FILENO);
  if (streams.error >= 0) ::dup2(streams.error, STDERR_FILENO);
  // Asio opens sockets without close-on-exec. A child that had them would keep connections open
  // which their owner has closed.
  ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  ::execvp(arguments[0], arguments);
  const int reason = errno;
  [[maybe_unused]] const ssize_t written = ::write(failure, &reason, sizeof reason);
  ::_exit(127);
}

// By its number: the header of glibc 2.36 declares pidfd_open() for C alone.
int open_exit_descriptor(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

bool readable(int descriptor, Clock::time_point until) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd poll{descriptor, POLLIN, 0};
    const int count = ::poll(&poll, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (count >= 0 || errno != EINTR) return count > 0;
  }
}

}  // namespace

std::string describe(const ExitStatus& status) {
  return status.signal != 0 ? fmt::format("signal {}", status.signal)
                            : fmt::format("exit status {}", status.code);
}

Process::Process(const ProcessOptions& options) {
  std::vector<std::string> copies = options.arguments;
  std::vector<char*> arguments;
  for (std::string& argument : copies) arguments.push_back(argument.data());
  arguments.push_back(nullptr);

  const Pipe input = options.pipe_input ? make_pipe() : Pipe{open_for_child("/dev/null", O_RDONLY)};
  const Pipe output = options.pipe_output ? make_pipe() : Pipe{};
  constexpr int kNewFile = O_WRONLY | O_CREAT | O_APPEND;
  const int output_file = open_for_child(options.output_file, kNewFile);
  const int error_file = open_for_child(options.error_file, kNewFile);
  const Pipe failure = make_pipe();
  const ChildStreams streams{.input = input.read_end,
                             .output = options.pipe_output ? output.write_end : output_file,
                             .error = error_file};
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) become(arguments.data(), streams, parent, failure.write_end);
  int reason = pid_ < 0 ? errno : 0;
  for (const int ours :
       {input.read_end, output.write_end, output_file, error_file, failure.write_end}) {
    close_if_open(ours);
  }
  input_ = input.write_end;
  output_ = output.read_end;
  // End of file means that exec closed the other end: the program runs.
  if (reason == 0 && ::read(failure.read_end, &reason, sizeof reason) <= 0) reason = 0;
  ::close(failure.read_end);
  if (pid_ > 0) exit_descriptor_ = open_exit_descriptor(pid_);
  if (reason != 0) {
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
    for (const int mine : {input_, output_, exit_descriptor_}) close_if_open(mine);
    throw HarnessError(kExitEnvironment, fmt::format("cannot start \"{}\": {}",
                                                     options.arguments.front(), strerror(reason)));
  }
}

Process::~Process() {
  if (pid_ < 0) return;
  kill_and_wait();
  for (const int mine : {input_, output_, exit_descriptor_}) close_if_open(mine);
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      exit_descriptor_(other.exit_descriptor_),
      input_(other.input_),
      output_(other.output_),
      pending_(std::move(other.pending_)),
      status_(other.status_) {}

Process& Process::operator=(Process&& other) noexcept {
  Process old(std::move(*this));
  pid_ = std::exchange(other.pid_, -1);
  exit_descriptor_ = other.exit_descriptor_;
  input_ = other.input_;
  output_ = other.output_;
  pending_ = std::move(other.pending_);
  status_ = other.status_;
  return *this;
}

void Process::signal(int number) const {
  // Once waited for, the id may belong to a stranger.
  if (!status_) ::kill(pid_, number);
}

void Process::kill_and_wait() {
  signal(SIGKILL);
  static_cast<void>(wait(Duration::max() / 2));
}

std::optional<ExitStatus> Process::wait(Duration patience) {
  if (status_) return status_;
  constexpr Duration kLongest = std::chrono::hours{24};
  if (!readable(exit_descriptor_, Clock::now() + std::min(patience, kLongest))) return std::nullopt;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  status_ = WIFSIGNALED(status) ? ExitStatus{.code = 0, .signal = WTERMSIG(status)}
                                : ExitStatus{.code = WEXITSTATUS(status), .signal = 0};
  return status_;
}

void Process::write_line(const std::string& line) const {
  const std::string text = line + '\n';
  [[maybe_unused]] const ssize_t written = ::write(input_, text.data(), text.size());
}

std::optional<std::size_t> Process::read_some(Clock::time_point until) {
  if (!readable(output_, until)) return std::nullopt;
  std::array<char, 4096> bytes{};
  const ssize_t count = ::read(output_, bytes.data(), bytes.size());
  if (count <= 0) return 0;
  pending_.append(bytes.data(), static_cast<std::size_t>(count));
  return count;
}

std::optional<std::string> Process::read_line(Duration patience) {
  const auto until = Clock::now() + patience;
  for (;;) {
    const std::size_t end = pending_.find('\n');
    if (end != std::string::npos) {
      const std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      return line;
    }
    if (read_some(until).value_or(0) == 0) return std::nullopt;
  }
}

std::string Process::read_all(const std::function<void()>& meanwhile) {
  constexpr Duration kStep = std::chrono::milliseconds{100};
  while (read_some(Clock::now() + kStep) != std::size_t{0}) meanwhile();
  return std::exchange(pending_, {});
}

}  // namespace lb::harness
