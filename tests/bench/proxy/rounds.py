"""Interleaved rounds, and the one figure each proxy gets from them."""

import dataclasses
import random
import statistics
import time

# A round is starved when others took this much of our processors, or when it got this much less
# done than the proxy's median (a neighbour outside a virtual machine shows in nothing else). A
# proxy that is put aside all the time, or is fed one request at a time, costs more per request.
STARVED_ABOVE_FOREIGN = 0.05
STARVED_BELOW_RATE = 0.75
# A build next door lasts a minute or so: worth waiting for, before rounds are repeated.
QUIET_WAIT_SECONDS = 90.0
QUIET_PROBE_SECONDS = 0.5
# Time for a proxy to notice that the clients of a round are gone, so that closing them is charged
# to that round.
SETTLE_SECONDS = 0.05


@dataclasses.dataclass
class Round:
    requests: int
    requests_per_second: float
    cpu_us_per_request: float
    cpu_share: float  # Of one processor, while the round lasted.
    foreign_share: float  # Of our processors, that others took meanwhile.


@dataclasses.dataclass
class Contender:
    """A proxy that runs, and its rounds."""
    name: str
    process: object
    port: int
    load: object  # See load.py.
    rounds: list = dataclasses.field(default_factory=list)
    repeated: int = 0

    def run_round(self, seconds, cpus, directory, foreign):
        foreign.start()
        wall_before, cpu_before = time.monotonic(), self.process.cpu_seconds()
        done = self.load.run(self.name, self.port, seconds, cpus, directory)
        wall = time.monotonic() - wall_before
        time.sleep(SETTLE_SECONDS)
        self.process.require_running()
        cpu = self.process.cpu_seconds() - cpu_before
        self.rounds.append(Round(done.requests, done.requests_per_second, cpu / done.requests * 1e6,
                                 cpu / wall, foreign.share()))

    def fed_rounds(self):
        median = statistics.median(each.requests_per_second for each in self.rounds)
        return [each for each in self.rounds
                if each.foreign_share <= STARVED_ABOVE_FOREIGN
                and each.requests_per_second >= STARVED_BELOW_RATE * median]

    def result(self):
        fed = self.fed_rounds()
        rounds = fed or self.rounds
        costs = [each.cpu_us_per_request for each in rounds]
        return {
            # The least, not the mean: noise on a machine only ever adds.
            "cpu_us_per_request": min(costs),
            "cpu_us_per_request_median": statistics.median(costs),
            "requests_per_second": statistics.median(r.requests_per_second for r in rounds),
            "cpu_share": statistics.median(r.cpu_share for r in rounds),
            "rounds_fed": len(fed),
            "rounds_repeated": self.repeated,
            "rounds": [dataclasses.asdict(each) for each in self.rounds],
        }


def run_rounds(contenders, count, seconds, cpus, directory, foreign):
    """Every proxy in every round, each round in another order (shuffled: in turns every proxy would
    follow the same one nearly always): whatever changes on the machine over time, and whatever one
    proxy leaves in the caches for the next, falls on all alike."""
    shuffle = random.Random(1).shuffle
    for _ in range(count):
        turns = list(contenders)
        shuffle(turns)
        for contender in turns:
            contender.run_round(seconds, cpus, directory, foreign)
    # Starved rounds again, for as long again at most: a machine may never be quiet.
    patience = time.monotonic() + QUIET_WAIT_SECONDS
    for _ in range(count):
        hungry = [each for each in contenders if len(each.fed_rounds()) < count]
        if not hungry:
            return
        wait_until_quiet(foreign, patience)
        for contender in hungry:
            contender.run_round(seconds, cpus, directory, foreign)
            contender.repeated += 1


def wait_until_quiet(foreign, until):
    """Between rounds the proxies are idle, so that whatever is busy is somebody else."""
    while time.monotonic() < until:
        foreign.start()
        time.sleep(QUIET_PROBE_SECONDS)
        if foreign.share() <= STARVED_ABOVE_FOREIGN:
            return
