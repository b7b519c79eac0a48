// Goal: children do what they are told, and none is left when its parent is gone.
#include "harness/process.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "harness/errors.h"
#include "harness/temp_dir.h"

namespace lb::harness {
namespace {

constexpr Duration kPatience = std::chrono::seconds{5};

ProcessOptions shell(const std::string& script) {
  return {.arguments = {"/bin/sh", "-c", script}, .pipe_input = true, .pipe_output = true};
}

TEST(Process, TellsHowItEnded) {
  EXPECT_TRUE(Process(shell("exit 0")).wait(kPatience)->ok());
  EXPECT_EQ(Process(shell("exit 3")).wait(kPatience)->code, 3);
  EXPECT_EQ(Process(shell("kill -9 $$")).wait(kPatience)->signal, SIGKILL);
}

TEST(Process, WaitIsBounded) {
  Process process(shell("read line"));
  EXPECT_FALSE(process.wait(std::chrono::milliseconds{10}));
}

TEST(Process, PassesLinesBothWays) {
  Process process(shell("read line; echo \"got $line\"; echo rest"));
  process.write_line("slow 4");
  EXPECT_EQ(process.read_line(kPatience), "got slow 4");
  EXPECT_EQ(process.read_all([] {}), "rest\n");
}

TEST(Process, WritesToFiles) {
  const TempDir folder;
  Process process({.arguments = {"/bin/sh", "-c", "echo out; echo err >&2"},
                   .output_file = folder.file("out"),
                   .error_file = folder.file("err")});
  ASSERT_TRUE(process.wait(kPatience));
  EXPECT_EQ(read_file_or_nothing(folder.file("out")), "out\n");
  EXPECT_EQ(read_file_or_nothing(folder.file("err")), "err\n");
}

TEST(Process, AMissingProgramIsNamed) {
  try {
    const Process process({.arguments = {"/nowhere/lbd"}});
    FAIL() << "started";
  } catch (const HarnessError& error) {
    EXPECT_EQ(error.exit_code(), kExitEnvironment);
    EXPECT_NE(std::string{error.what()}.find("/nowhere/lbd"), std::string::npos);
  }
}

TEST(Process, TheDestructorKillsEvenAStoppedOne) {
  pid_t pid = -1;
  {
    const Process process(shell("read line"));
    pid = process.pid();
    process.signal(SIGSTOP);
  }
  EXPECT_EQ(::kill(pid, 0), -1);
}

// The parent is killed, so no destructor of it runs: the kernel has to end the child.
TEST(Process, DiesWithAParentThatIsKilled) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    const Process child(shell("read line"));
    const pid_t pid = child.pid();
    if (::write(ends[1], &pid, sizeof pid) != sizeof pid) ::_exit(1);
    ::raise(SIGKILL);
  }
  pid_t child = -1;
  ASSERT_EQ(::read(ends[0], &child, sizeof child), static_cast<ssize_t>(sizeof child));
  const auto child_end = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  ::waitpid(parent, nullptr, 0);
  if (child_end >= 0) {  // Otherwise it has gone already.
    pollfd poll{child_end, POLLIN, 0};
    EXPECT_EQ(::poll(&poll, 1, 5000), 1) << "the child lives on";
    ::close(child_end);
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace lb::harness
