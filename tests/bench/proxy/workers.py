"""Whether two workers serve twice what one serves.

Requests per second cannot tell on two processors: whoever makes the load needs them, too. What a
worker can serve is the inverse of the CPU time a request costs it, so two workers serve
2 x (cost with one worker) / (cost with two) times what one does, and that shows at any load: what
workers share, be it a lock or a line of cache, makes the request of each cost more.

Costs are comparable only when all is alike but the number of workers. A message to another
processor costs more than one that stays, so each processor has a server and a half of the load,
and each worker has as many connections from here as from there, as many in all whoever it is.
Beside them run two daemons of one worker each: they share nothing but the kernel, so nothing can
do better.
"""

import contextlib
import dataclasses
import os
import time

from load import Done, RunningWrk, check_answers
from processes import start_announced
from proxies import Lbd, Site
from rounds import Contender

CONNECTIONS_OF_A_WORKER = 32
ONE, TWO, APART = "1 worker", "2 workers", "2 daemons"
WARM_UP_SECONDS = 1.0


class Daemons:
    """One process or two as one: what a Contender needs of a Process, and the threads in it."""

    def __init__(self, processes):
        self.processes = processes

    def cpu_seconds(self):
        return sum(each.cpu_seconds() for each in self.processes)

    def require_running(self):
        for each in self.processes:
            each.require_running()

    def busiest_threads(self, count):
        """(thread, CPU seconds so far), the busiest first."""
        found = []
        for each in self.processes:
            for thread in os.listdir(f"/proc/{each.child.pid}/task"):
                with open(f"/proc/{each.child.pid}/task/{thread}/schedstat") as stat:
                    found.append((int(thread), int(stat.read().split()[0]) / 1e9))
        return sorted(found, key=lambda item: -item[1])[:count]


@dataclasses.dataclass
class SpreadLoad:
    """wrk on each processor for each of the ports, all at a time."""
    cpus: list
    ports: list
    workers: int

    def run(self, name, _port, seconds, _cpus, directory):
        connections = (CONNECTIONS_OF_A_WORKER * self.workers) // (len(self.cpus) * len(self.ports))
        with contextlib.ExitStack() as stack:
            runs = [stack.enter_context(RunningWrk(name, f"http://127.0.0.1:{port}/", connections,
                                                   {cpu}, directory))
                    for cpu in self.cpus for port in self.ports]
            time.sleep(seconds)
            done = [each.stop() for each in runs]
        return Done(sum(each.requests for each in done),
                    sum(each.requests_per_second for each in done))


def start(lbd_binary, backend_command, body_bytes, cpus, directory, stack):
    """One, two, and two apart, each with both servers behind it; and the servers."""
    backends, ports = [], []
    for cpu in sorted(cpus.proxy | cpus.load):
        process, port = start_announced(f"bench_backend_{cpu}", backend_command, {cpu}, directory)
        backends.append(stack.enter_context(process))
        ports.append(port)
    site = Site(directory, cpus.proxy | cpus.load, "http", ports)
    contenders = []
    for name, daemons, workers in ((ONE, 1, 1), (TWO, 1, 2), (APART, 2, 1)):
        running = []
        for number in range(daemons):
            process, port = Lbd(lbd_binary, workers, f"lbd_{name[0]}_{number}_{workers}").start(site)
            running.append((stack.enter_context(process), port))
            check_answers(name, port, body_bytes)
        load = SpreadLoad(sorted(site.cpus), [port for _, port in running], daemons * workers)
        contenders.append(Contender(name, Daemons([one for one, _ in running]), 0, load))
    return contenders, backends


def place(contenders, cpus, directory):
    """A worker on each processor: its threads are those that a warm-up keeps busy."""
    for each in contenders:
        each.load.run(each.name, each.port, WARM_UP_SECONDS, cpus.load, directory)
        busy = each.process.busiest_threads(each.load.workers)
        for cpu, (thread, _) in zip(each.load.cpus, busy):
            os.sched_setaffinity(thread, {cpu})


def add_shares(contenders, results):
    one = results[ONE]["cpu_us_per_request"]
    for each in contenders:
        seconds = [spent for _, spent in each.process.busiest_threads(each.load.workers)]
        result = results[each.name]
        result["busiest_worker_share"] = max(seconds) / sum(seconds)
        result["times_one_worker"] = each.load.workers * one / result["cpu_us_per_request"]


def table_rows(results):
    rows = [["lbd", "us CPU/request", "(median)", "serves, to 1 worker", "busiest worker",
             "CPU busy", "rounds"]]
    for name, result in results.items():
        rows.append([name, f"{result['cpu_us_per_request']:.2f}",
                     f"{result['cpu_us_per_request_median']:.2f}",
                     f"{result['times_one_worker']:.2f}", f"{result['busiest_worker_share']:.0%}",
                     f"{result['cpu_share']:.0%}",
                     f"{result['rounds_fed']}/{len(result['rounds'])}"])
    return rows
