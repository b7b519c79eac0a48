#!/usr/bin/env python3
"""Simulated requests per second of one core: lbsim, a bare heap loop and SimPy, in one run.

Power of two choices at load 0.9, exponential service, Poisson arrivals, no network delays. lbsim has
the whole brain and its digest on; the bare loop (bare_loop.cc) is the floor. CPU time, user and
system, without what each needs to start; rounds are interleaved and the least of each counts.

    bench_simulator.py                  100 and 1,000 backends
    bench_simulator.py --check          everything runs and agrees on the mean latency; times nothing

Exit code: 0 done, 1 the models do not agree, 3 something is missing.
"""
import argparse
import json
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SERVICE_MEAN_MS = 5
LOAD = 0.9


def scenario(backends, requests):
    rate = LOAD * backends * 1000 / SERVICE_MEAN_MS
    return {
        "why": "how fast is the simulator?", "seed": 1,
        "duration": f"{round(requests / rate * 1000)}ms",
        "config": {
            "listeners": [{"name": "web", "bind": "127.0.0.1:8080", "cluster": "web"}],
            "clusters": [{"name": "web", "strategy": "least_request", "backends": [
                {"id": f"b{n}", "address": f"127.0.0.1:{10000 + n}"} for n in range(backends)]}]},
        "backends": {"*": {"service_time": {"exponential": {"mean": f"{SERVICE_MEAN_MS}ms"}},
                           "concurrency": 1, "queue": 1000000}},
        "network": {"connect": "0s", "one_way": "0s"},
        "load": [{"arrivals": {"poisson": {"rate": rate}}, "timeout": "1h"}],
    }


class Contender:
    def __init__(self, name, command, requests):
        self.name, self.command, self.requests = name, command, requests
        self.seconds = None
        self.mean_ms = None

    def run(self, backends, requests):
        """CPU seconds of one run; remembers the mean latency it found."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(self.command(backends, requests), capture_output=True, text=True,
                              check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.mean_ms = float(re.search(r'mean_ms"?:?\s*([0-9.]+)', done.stdout).group(1))
        return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)

    def round(self, backends):
        # Twice, so that what it takes to start falls out.
        few = self.requests // 20
        seconds = self.run(backends, few + self.requests) - self.run(backends, few)
        if self.seconds is None or seconds < self.seconds:
            self.seconds = seconds

    def million_per_second(self):
        return self.requests / self.seconds / 1e6


def contenders(binaries, folder):
    def lbsim(backends, requests):
        file = folder / f"{backends}_{requests}.json"
        file.write_text(json.dumps(scenario(backends, requests)))
        return [binaries / "lbsim", "run", file, "--json", "-"]

    def bare(backends, requests):
        return [binaries / "bare_loop", str(backends), str(requests)]

    def simpy(backends, requests):
        return [sys.executable if has_simpy(sys.executable) else "/usr/bin/python3",
                HERE / "simpy_loop.py", str(backends), str(requests)]

    return [Contender("lbsim", lbsim, 2_000_000), Contender("bare loop", bare, 4_000_000),
            Contender("SimPy", simpy, 60_000)]


def has_simpy(python):
    return subprocess.run([python, "-c", "import simpy"], capture_output=True,
                          check=False).returncode == 0


def check(all_of_them):
    for one in all_of_them:
        one.run(20, 400_000 if one.name != "SimPy" else 150_000)
        print(f"{one.name}: mean latency {one.mean_ms:.2f} ms")
    means = [one.mean_ms for one in all_of_them]
    # The shortest run knows the mean to 4 % (one standard deviation); seeds are fixed.
    if max(means) > 1.12 * min(means):
        print("they do not simulate the same thing", file=sys.stderr)
        return 1
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, usage=argparse.SUPPRESS,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build/release/bin")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if not has_simpy(sys.executable) and not has_simpy("/usr/bin/python3"):
        print("bench_simulator.py: needs the Debian package python3-simpy3", file=sys.stderr)
        return 3
    with tempfile.TemporaryDirectory() as folder:
        if options.check:
            return check(contenders(options.bin, pathlib.Path(folder)))
        print("million simulated requests per second of CPU time (and next to the bare loop)")
        for backends in (100, 1000):
            all_of_them = contenders(options.bin, pathlib.Path(folder))
            for _ in range(options.rounds):
                for one in all_of_them:
                    one.round(backends)
            bare = all_of_them[1].million_per_second()
            for one in all_of_them:
                speed = one.million_per_second()
                print(f"  {backends:5} backends  {one.name:10} {speed:7.2f}  ({speed / bare:.3f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
