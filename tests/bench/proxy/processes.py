"""Child processes of the benchmark: pinned, metered, and ended whatever happens."""

import contextlib
import ctypes
import os
import select
import signal
import socket
import subprocess
import time

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1
STOP_SECONDS = 5.0


class Failed(Exception):
    """The benchmark ran, and something answered wrongly or ended: exit code 1."""


class Unusable(Exception):
    """Something this needs is missing or cannot start here: exit code 3."""


class Cpus:
    """Proxy on one processor, everything that drives it on another, when there are two.

    A proxy that shares its processor with the load is measured with the load's cache misses.
    """

    def __init__(self):
        allowed = sorted(os.sched_getaffinity(0))
        self.pinned = len(allowed) >= 2
        self.proxy = {allowed[0]} if self.pinned else set(allowed)
        self.load = {allowed[1]} if self.pinned else set(allowed)


class Process:
    """One child and whatever it forks. Use as a context manager: leaving it ends them all."""

    def __init__(self, name, command, cpus, directory, stdout=None):
        self.name = name
        self.log = os.path.join(directory, name + ".stderr")

        def in_child():
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ignored signals are inherited.
            os.sched_setaffinity(0, cpus)
            # If this driver is killed outright its children still hear of it.
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

        # A group of its own: Ctrl-C reaches the driver alone, which then ends things in order. No
        # session of its own: the scheduler deals processors out by session (sched(7), autogroup),
        # so two workers of one process would get as much as one worker of another.
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen(
                command, cwd=directory, stdin=subprocess.DEVNULL, stdout=stdout or log, stderr=log,
                process_group=0, preexec_fn=in_child)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def complaint(self):
        with open(self.log, "r", errors="replace") as log:
            return log.read()[-2000:].strip()

    def pids(self):
        """The child and its descendants."""
        found = [self.child.pid]
        for pid in found:
            with contextlib.suppress(OSError):
                for thread in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{thread}/children") as children:
                        found.extend(int(each) for each in children.read().split())
        return found

    def cpu_seconds(self):
        """User and system time so far of all its processes, of threads that ended too.

        The CPU clock of another process (clock_getcpuclockid(3)) counts nanoseconds, where
        /proc/PID/stat counts ticks of 10 ms and /proc/PID/schedstat covers one thread.
        """
        total = 0.0
        for pid in self.pids():
            clock = ctypes.c_int()
            if LIBC.clock_getcpuclockid(pid, ctypes.byref(clock)) == 0:
                with contextlib.suppress(OSError):
                    total += time.clock_gettime(clock.value)
        return total

    def require_running(self):
        if self.child.poll() is not None:
            raise Failed(f"{self.name} ended with {self.child.returncode}: {self.complaint()}")

    def wait_until_accepting(self, port, seconds=10.0):
        end = time.monotonic() + seconds
        while True:
            if self.child.poll() is not None:
                raise Unusable(f"{self.name} did not start: {self.complaint()}")
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            if time.monotonic() > end:
                raise Unusable(f"{self.name} does not accept connections on port {port} after "
                               f"{seconds:g} s: {self.complaint()}")
            time.sleep(0.02)

    def stop(self):
        """Ask, wait, then insist. By pidfd: a pid may already be somebody else's."""
        with contextlib.ExitStack() as stack:
            members = []
            for pid in self.pids():
                with contextlib.suppress(OSError):
                    members.append(os.pidfd_open(pid))
                    stack.callback(os.close, members[-1])
            if self.child.poll() is None:
                self.child.terminate()
            end = time.monotonic() + STOP_SECONDS
            for member in members:
                # A pidfd becomes readable when its process has ended.
                if not select.select([member], [], [], max(0.0, end - time.monotonic()))[0]:
                    with contextlib.suppress(OSError):
                        signal.pidfd_send_signal(member, signal.SIGKILL)
            self.child.wait()
            if self.child.stdout:
                self.child.stdout.close()


def start_announced(name, command, cpus, directory):
    """Starts one of our own small servers and returns it with the port it printed."""
    process = Process(name, command, cpus, directory, stdout=subprocess.PIPE)
    line = process.child.stdout.readline().decode()
    if not line.startswith("listening on "):
        process.stop()
        raise Unusable(f"{name} did not start: {process.complaint()}")
    return process, int(line.split()[-1])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
