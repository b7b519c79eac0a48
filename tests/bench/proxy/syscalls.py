"""System calls per request, counted by strace while an exact number of requests is sent."""

import os
import signal
import time

from load import ExactLoad
from processes import Failed, Process, Unusable
from proxies import which

WARM_UP_WAVES = 4
WAVES = 40
ATTACH_SECONDS = 10.0
SLACK = 0.05  # What is done now and then, such as a timer set once for many requests.
WAITING = ("epoll_wait", "epoll_pwait", "epoll_pwait2")


def count_syscalls(name, process, port, cpus, directory):
    """Name of system call -> calls per request, those of accepting connections left out."""
    summary = os.path.join(directory, "strace.summary")
    pids = process.pids()
    command = [which("strace"), "-f", "-c", "-o", summary]
    for pid in pids:
        command += ["-p", str(pid)]
    with ExactLoad(name, port) as load:
        load.send_waves(WARM_UP_WAVES)
        with Process("strace", command, cpus, directory) as strace:
            wait_until_attached(strace, len(pids))
            requests = load.send_waves(WAVES)
            strace.child.send_signal(signal.SIGINT)
            strace.child.wait(timeout=ATTACH_SECONDS)
    calls = read_summary(summary)
    if not calls:
        raise Failed(f"{name}: strace saw no system call: {strace.complaint()}")
    return {call: count / requests for call, count in calls.items()}


def wait_until_attached(strace, count):
    end = time.monotonic() + ATTACH_SECONDS
    while strace.complaint().count(" attached") < count:
        if strace.child.poll() is not None or time.monotonic() > end:
            raise Unusable(f"strace could not attach: {strace.complaint()}")
        time.sleep(0.02)


def read_summary(path):
    """Columns: % time, seconds, usecs/call, calls, errors (may be blank), name."""
    calls = {}
    with open(path) as summary:
        for line in summary:
            words = line.split()
            if len(words) in (5, 6) and words[3].isdigit() and words[-1] != "total":
                calls[words[-1]] = int(words[3])
    return calls


def require_at_most(limit, name, per_request):
    """Waiting apart: how many requests share a wait is up to the load."""
    calls = sum(count for call, count in per_request.items() if call not in WAITING)
    if calls > limit + SLACK:
        raise Failed(f"{name}: {calls:.2f} system calls per request besides epoll_wait, where at "
                     f"most {limit:g} are allowed")


def syscall_lines(name, per_request):
    waiting = sum(count for call, count in per_request.items() if call in WAITING)
    total = sum(per_request.values())
    lines = [f"{name}: {total:.2f} system calls per request, of which {waiting:.2f} epoll_wait"]
    for call, count in sorted(per_request.items(), key=lambda item: -item[1]):
        if count >= 0.005:
            lines.append(f"    {call:<16} {count:6.2f}")
    return lines
