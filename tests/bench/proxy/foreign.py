"""How much of our processors went to others during a round.

A build or a neighbour that takes half a processor for half a minute starves most rounds of a run,
and then the rounds among themselves look alike. The kernel's own account tells.
"""

import gzip
import os
import platform
import resource
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def irq_time_is_apart():
    """Whether this kernel keeps time in interrupts, and so much of TCP's work, out of the CPU time
    of processes (Debian's does). Figures with and without are not comparable, and are both fair.
    """
    for path, opener in ((f"/boot/config-{platform.release()}", open), ("/proc/config.gz", gzip.open)):
        try:
            with opener(path, "rt") as config:
                return "CONFIG_IRQ_TIME_ACCOUNTING=y" in config.read()
        except OSError:
            continue
    return True  # Unknown: then foreign time is judged too low rather than too high.


class ForeignMeter:
    """Start it, run a round, ask it. `own` are the processes of the round that live on; children
    that ended meanwhile are accounted for by the kernel."""

    def __init__(self, cpus, own):
        self.names = {f"cpu{cpu}" for cpu in cpus}
        self.own = own
        self.irq_apart = irq_time_is_apart()
        self.start()

    def start(self):
        self.before = self._read()

    def share(self):
        """Of the time of our processors since start(): what neither we used nor nobody."""
        wall, busy, own = (after - before for after, before in zip(self._read(), self.before))
        return max(0.0, (busy - own) / (wall * len(self.names)))

    def _read(self):
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        own = ended.ru_utime + ended.ru_stime + time.process_time()
        own += sum(process.cpu_seconds() for process in self.own)
        return time.monotonic(), self._busy_seconds(), own

    def _busy_seconds(self):
        ticks = 0
        with open("/proc/stat") as stat:
            for line in stat:
                name, *counts = line.split()
                if name in self.names:
                    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, counts[:8])
                    ticks += user + nice + system + steal
                    ticks += 0 if self.irq_apart else irq + softirq
        return ticks / TICKS_PER_SECOND
