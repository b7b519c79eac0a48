"""What a proxy adds to the time an answer takes, at a rate that leaves it mostly idle.

Each round is one run of paced_client, an open loop whose latencies count from when a request was
due, so a proxy that stands still cannot hide it. The server itself takes part, without a proxy:
what a proxy adds is its quantile less that one.

The figure is the lower quartile of the rounds. Noise on a machine only ever adds, so the middle is
too high: a few times a second something puts whoever runs aside for some milliseconds, and that is
the p99 of a round of 1,500 requests. The least, which serves for CPU time, is the luck of one round
here: it moved by a third from run to run, the quartile by a tenth.
For a p99 to go by take 40 rounds: with 24 the ratio of two proxies that are alike is within 0.1.
"""

import contextlib
import dataclasses
import json
import os
import statistics
import subprocess

from load import TIMEOUT_SECONDS
from processes import Failed, Process
from rounds import STARVED_ABOVE_FOREIGN, Contender

DIRECT = "direct"
QUANTILES = ("p50", "p99")
PEERS = ("nginx", "haproxy")


@contextlib.contextmanager
def processors_awake():
    """Whether they are kept from sleeping while this lasts (root may; Documentation/power/
    pm_qos_interface of the kernel). A processor with nothing to do halts, and four times on the way
    of each request one is woken: in a virtual machine 40 us each, which differ by more than the
    proxies do and say nothing about them."""
    try:
        wish = open("/dev/cpu_dma_latency", "wb", buffering=0)
    except OSError:
        yield False
        return
    with wish:
        wish.write((0).to_bytes(4, "little"))
        yield True


@dataclasses.dataclass
class Pace:
    """So many requests a second, by paced_client."""
    binary: str
    rate: int

    def run(self, name, port, seconds, cpus, directory):
        command = [self.binary, str(port), str(self.rate), str(seconds)]
        with Process("paced_client", command, cpus, directory, stdout=subprocess.PIPE) as client:
            try:
                output = client.child.communicate(timeout=seconds + 2 * TIMEOUT_SECONDS)[0]
            except subprocess.TimeoutExpired:
                raise Failed(f"{name}: paced_client did not end") from None
            if client.child.returncode != 0:
                raise Failed(f"{name}: {client.complaint()}")
            return json.loads(output)


def lower_quartile(values):
    return sorted(values)[(len(values) - 1) // 4]


class PacedContender(Contender):
    def run_round(self, seconds, cpus, directory, foreign):
        foreign.start()
        figures = self.load.run(self.name, self.port, seconds, cpus, directory)
        self.process.require_running()
        self.rounds.append({**figures, "foreign_share": foreign.share()})

    def fed_rounds(self):
        return [each for each in self.rounds if each["foreign_share"] <= STARVED_ABOVE_FOREIGN]

    def result(self):
        fed = self.fed_rounds()
        rounds = fed or self.rounds
        result = {key: lower_quartile([each[key] for each in rounds])
                  for key in ("p50_us", "p99_us", "late_p50_us", "late_p99_us")}
        result |= {f"{q}_us_median": statistics.median(each[f"{q}_us"] for each in rounds)
                   for q in QUANTILES}
        return result | {"rounds_fed": len(fed), "rounds_repeated": self.repeated,
                         "rounds": self.rounds}


def add_ratios(results):
    """What each adds, and that to what the peers add."""
    direct = results[DIRECT]
    for q in QUANTILES:
        for result in results.values():
            result[f"{q}_added_us"] = result[f"{q}_us"] - direct[f"{q}_us"]
        for name, result in results.items():
            # Where a peer adds less than can be measured there is nothing to be compared with.
            result[f"{q}_added_ratio"] = {
                peer: result[f"{q}_added_us"] / results[peer][f"{q}_added_us"]
                for peer in PEERS
                if name != DIRECT and peer in results and results[peer][f"{q}_added_us"] > 0}


def table_rows(results):
    header = ["proxy"]
    for q in QUANTILES:
        header += [f"{q} us", "(median)", f"{q} added", *(f"/ {peer}" for peer in PEERS)]
    rows = [[*header, "late p99", "rounds"]]
    for name, result in results.items():
        row = [name]
        for q in QUANTILES:
            row += [f"{result[f'{q}_us']:.1f}", f"{result[f'{q}_us_median']:.1f}",
                    f"{result[f'{q}_added_us']:.1f}" if name != DIRECT else "-"]
            ratios = result[f"{q}_added_ratio"]
            row += [f"{ratios[peer]:.2f}" if peer in ratios else "-" for peer in PEERS]
        rows.append([*row, f"{result['late_p99_us']:.1f}",
                     f"{result['rounds_fed']}/{len(result['rounds'])}"])
    return rows
