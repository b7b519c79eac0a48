#!/usr/bin/env python3
"""CPU time per request of lbd beside HAProxy, nginx and a bare epoll relay (the floor).

CPU time, user and system, of a proxy's processes divided by the requests it carried: unlike
requests per second it does not depend on how fast the load generator is, and it repeats within a
few percent where wall time does not. Compare figures of one run with each other only.

latency_1k is another matter: how much later an answer comes through a proxy, at 1,000 requests a
second (latency.py). So is two_workers: how much more than one worker two serve (workers.py).

    bench_proxies.py                        all four, 128-byte answers
    bench_proxies.py --install --case all   installs missing peers (root, apt-get), every case
    bench_proxies.py --only floor,lbd --rounds 3
    bench_proxies.py --syscalls             system calls per request of lbd, by strace
    bench_proxies.py --syscalls --at-most 4 fails when there are more than that and its epoll_wait
    bench_proxies.py --instructions         instructions per request of lbd, by callgrind
    bench_proxies.py --check                starts everything, checks the answers, times nothing

Exit code: 0 done, 1 a proxy answered wrongly, saw errors or made too many calls, 2 usage, 3 something is missing.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import signal
import sys
import tempfile

sys.dont_write_bytecode = True  # Nothing is to appear in the source tree.

import latency
import report
import workers
from cases import CASES
from foreign import ForeignMeter, irq_time_is_apart
from install import install_missing
from handshakes import Certificate
from instructions import instructions_per_request
from load import check_answers
from processes import Cpus, Failed, Unusable, start_announced
from proxies import Floor, Haproxy, Lbd, Nginx, Site, version_line, which
from rounds import Contender, run_rounds
from syscalls import count_syscalls, require_at_most, syscall_lines

ROOT = pathlib.Path(__file__).resolve().parents[3]


PROXIES = ("floor", "nginx", "haproxy", "lbd")


def list_of(known):
    def parse(text):
        names = text.split(",")
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(
                f"expected some of {','.join(known)}, found {','.join(unknown)}")
        return [name for name in known if name in names]
    return parse


def at_least(kind, least):
    def parse(text):
        value = kind(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"expected {least} or more, found {text}")
        return value
    return parse


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", default=["http_128"], metavar="CASE,...",
                        type=lambda text: list(CASES) if text == "all" else list_of(CASES)(text),
                        help=f"some of {','.join(CASES)}, or all (default http_128)")
    parser.add_argument("--only", type=list_of(PROXIES), metavar="PROXY,...",
                        help=f"some of {','.join(PROXIES)}; each must then be there")
    parser.add_argument("--rounds", type=at_least(int, 1), default=7, help="default 7")
    parser.add_argument("--seconds", type=at_least(float, 0.3), default=1.5,
                        help="of one round of one proxy, default 1.5")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bin",
                        help="where floor_relay, bench_backend, paced_client and lbd are")
    parser.add_argument("--lbd", type=pathlib.Path, help="the lbd to measure")
    parser.add_argument("--json", metavar="FILE", help="the figures, every round; - for stdout")
    parser.add_argument("--install", action="store_true", help="install what is missing first")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="check the answers, time nothing")
    mode.add_argument("--syscalls", action="store_true",
                      help="count system calls per request instead (of lbd, or of --only)")
    mode.add_argument("--instructions", action="store_true",
                      help="count instructions per request instead (of lbd, or of --only)")
    parser.add_argument("--at-most", type=at_least(float, 0), metavar="N",
                        help="with --syscalls: fail above N for each request, epoll_wait apart")
    arguments = parser.parse_args()
    if arguments.at_most is not None and not arguments.syscalls:
        parser.error("--at-most goes with --syscalls")
    # Children run in a folder of their own, where a relative path would mean something else.
    arguments.bin = arguments.bin.resolve()
    arguments.lbd = (arguments.lbd or arguments.bin / "lbd").resolve()
    if (arguments.syscalls or arguments.instructions) and not arguments.only:
        arguments.only = ["lbd"]
    return arguments


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.cpus = Cpus()
        # With --json - standard output is the JSON and nothing else.
        self.text = sys.stderr if arguments.json == "-" else sys.stdout
        wanted = arguments.only or PROXIES
        everyone = [Floor(str(arguments.bin / "floor_relay")), Nginx(), Haproxy(),
                    Lbd(str(arguments.lbd))]
        self.proxies = [proxy for proxy in everyone if proxy.name in wanted]

    def say(self, line):
        print(line, file=self.text, flush=True)

    def run(self):
        self.prepare()
        figures = {"machine": self.machine(), "versions": self.versions(), "cases": {},
                   "settings": {"rounds": self.arguments.rounds, "seconds": self.arguments.seconds}}
        for line in figures["versions"].values():
            self.say(line)
        if not self.cpus.pinned:
            self.say("one processor only: proxy and load share it, figures will be high")
        for case in self.arguments.case:
            figures["cases"][case] = self.run_case(case)
        if self.arguments.json == "-":
            json.dump(figures, sys.stdout, indent=2)
            print()
        elif self.arguments.json:
            with open(self.arguments.json, "w") as file:
                json.dump(figures, file, indent=2)

    def prepare(self):
        needed = ([] if self.arguments.check else ["strace"] if self.arguments.syscalls
                  else ["valgrind"] if self.arguments.instructions else ["wrk"])
        peers = [proxy.name for proxy in self.proxies if proxy.name in ("haproxy", "nginx")]
        if self.arguments.install:
            tcp = any(CASES[case].protocol == "tcp" for case in self.arguments.case)
            install_missing(needed + peers, want_stream=tcp and "nginx" in peers)
        for program in needed:
            if not which(program):
                raise Unusable(f"{program} is not installed; --install installs it")

    def machine(self):
        with open("/proc/cpuinfo") as cpuinfo:
            model = next((line.split(":", 1)[1].strip() for line in cpuinfo
                          if line.startswith("model name")), "unknown")
        return {"cpu": model, "cpus": os.cpu_count(), "kernel": platform.release(),
                "pinned": self.cpus.pinned, "irq_time_is_apart": irq_time_is_apart()}

    def versions(self):
        found = {proxy.name: f"{proxy.name}: {proxy.version()}" for proxy in self.proxies
                 if proxy.missing("http") is None}
        if which("wrk"):
            found["wrk"] = f"wrk: {version_line([which('wrk'), '-v'])}"
        return found

    def present(self, case):
        """Those that can take part. A proxy asked for by name must; another is only missed aloud."""
        found = []
        for proxy in self.proxies:
            missing = proxy.missing(case.protocol)
            if (case.close or case.tls) and not proxy.knows_http:
                self.say(f"without {proxy.name}: it knows neither HTTP nor TLS")
                continue
            if missing is None:
                found.append(proxy)
            elif self.arguments.only:
                raise Unusable(missing)
            else:
                self.say(f"without {proxy.name}: {missing}")
        return found

    def run_case(self, name):
        case = CASES[name]
        if (self.arguments.syscalls or self.arguments.instructions) and not case.plain():
            raise Unusable(f"{name}: this is counted on plain connections that stay")
        with contextlib.ExitStack() as stack:
            directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="lb_bench_"))
            if case.workers:
                return self.compare_workers(name, directory, stack)
            backend, port = start_announced(
                "bench_backend", self.backend_command(case), self.cpus.load, directory)
            stack.enter_context(backend)
            certificate = Certificate(directory) if case.tls else None
            site = Site(directory, self.cpus.proxy, case.protocol, [port], certificate)
            if self.arguments.instructions:
                return self.count_instructions(name, site)
            contenders = []
            for proxy in self.present(case):
                process, port = proxy.start(site)
                stack.enter_context(process)
                check_answers(proxy.name, port, case.body_bytes, certificate)
                contenders.append(Contender(proxy.name, process, port, case.load(certificate)))
            if self.arguments.check:
                return self.say_they_answer(name, contenders)
            if self.arguments.syscalls:
                return self.count_syscalls(name, contenders, directory)
            if case.rate:
                return self.time_answers(name, contenders, backend, site, directory)
            return self.time_requests(name, contenders, backend, directory)

    def backend_command(self, case):
        binary = self.arguments.bin / "bench_backend"
        if not os.access(binary, os.X_OK):
            raise Unusable(f"{binary} is not built")
        return [str(binary), "0", str(case.body_bytes)]

    def say_they_answer(self, case, contenders):
        for each in contenders:
            self.say(f"{case}: {each.name} answers correctly")
        return {}

    def count_syscalls(self, case, contenders, directory):
        counts = {}
        for each in contenders:
            counts[each.name] = count_syscalls(each.name, each.process, each.port, self.cpus.load,
                                               directory)
            for line in syscall_lines(f"{case}: {each.name}", counts[each.name]):
                self.say(line)
            if self.arguments.at_most is not None:
                require_at_most(self.arguments.at_most, f"{case}: {each.name}", counts[each.name])
        return counts

    def count_instructions(self, name, site):
        counts = {}
        for proxy in self.present(CASES[name]):
            counts[proxy.name] = instructions_per_request(proxy, site)
            self.say(f"{name}: {proxy.name}: {counts[proxy.name]:,.0f} instructions per request")
        return counts

    def time_requests(self, name, contenders, backend, directory):
        results = self.rounds_of(contenders, [backend], directory)
        report.add_ratios(results)
        return self.say_table(name, report.table_rows(results), results)

    def time_answers(self, name, contenders, backend, site, directory):
        binary = self.arguments.bin / "paced_client"
        if not os.access(binary, os.X_OK):
            raise Unusable(f"{binary} is not built")
        pace = latency.Pace(str(binary), CASES[name].rate)
        paced = [latency.PacedContender(latency.DIRECT, backend, site.backend_port, pace)]
        paced += [latency.PacedContender(each.name, each.process, each.port, pace)
                  for each in contenders]
        with latency.processors_awake() as awake:
            if not awake:
                self.say("processors may sleep (only root may keep them awake): waking them is in "
                         "these figures, and differs by more than proxies do")
            results = self.rounds_of(paced, [], directory)
        latency.add_ratios(results)
        return self.say_table(name, latency.table_rows(results), results)

    def compare_workers(self, name, directory, stack):
        case = CASES[name]
        lbd = [proxy for proxy in self.present(case) if isinstance(proxy, Lbd)]
        if not lbd or not self.cpus.pinned:
            self.say(f"without {name}: it takes lbd and two processors")
            return {}
        contenders, backends = workers.start(
            lbd[0].binary, self.backend_command(case), case.body_bytes, self.cpus, directory, stack)
        if self.arguments.check:
            return self.say_they_answer(name, contenders)
        workers.place(contenders, self.cpus, directory)
        results = self.rounds_of(contenders, backends, directory)
        workers.add_shares(contenders, results)
        return self.say_table(name, workers.table_rows(results), results)

    def rounds_of(self, contenders, others, directory):
        """`others` are processes of this benchmark, too, so no strangers."""
        seconds = self.arguments.seconds
        foreign = ForeignMeter(self.cpus.proxy | self.cpus.load,
                               [*others, *(each.process for each in contenders)])
        for each in contenders:  # Warm-up: pools, caches and connections to the backend grow.
            each.load.run(each.name, each.port, min(1.0, seconds), self.cpus.load, directory)
        run_rounds(contenders, self.arguments.rounds, seconds, self.cpus.load, directory, foreign)
        return {each.name: each.result() for each in contenders}

    def say_table(self, case, rows, results):
        for line in report.table_lines(case, rows, results):
            self.say(line)
        return results


def leave(number, _frame):
    """An ordinary exit: on its way out every child is ended and the folder removed. Once only; a
    second Ctrl-C would interrupt just that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(128 + number)


def main():
    arguments = parse_arguments()
    # Said for SIGINT too: a shell starts what it puts in the background with Ctrl-C ignored.
    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)
    bench = Bench(arguments)
    if bench.cpus.pinned:
        os.sched_setaffinity(0, bench.cpus.load)
    try:
        bench.run()
    except Failed as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    except Unusable as error:
        print(f"cannot run: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
