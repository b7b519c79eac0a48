#!/usr/bin/env python3
"""simpy_loop.py SERVERS REQUESTS: the model of bare_loop.cc as one writes it with SimPy."""
import random
import sys

import simpy

SERVICE_MEAN = 5.0  # Milliseconds.


def main():
    servers, requests = int(sys.argv[1]), int(sys.argv[2])
    environment = simpy.Environment()
    places = [simpy.Resource(environment) for _ in range(servers)]
    random.seed(1)
    latencies = []
    rate = 0.9 * servers / SERVICE_MEAN

    def serve(place):
        came = environment.now
        with place.request() as turn:
            yield turn
            yield environment.timeout(random.expovariate(1 / SERVICE_MEAN))
        latencies.append(environment.now - came)

    def arrive():
        for _ in range(requests):
            yield environment.timeout(random.expovariate(rate))
            pair = random.sample(places, 2)
            environment.process(serve(min(pair, key=lambda p: p.count + len(p.queue))))

    environment.process(arrive())
    environment.run()
    print(f"mean_ms {sum(latencies) / len(latencies):.4f}")


if __name__ == "__main__":
    main()
