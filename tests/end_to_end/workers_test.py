"""Several workers are one load balancer: they balance together and their counts add up."""

import threading
import time
import unittest

from testbed import Background, EndToEnd, http_config
from wire import Backend, Client, answer


class Workers(EndToEnd):
    def held(self, count):
        """Backends that hold every request until the test has ended."""
        release = threading.Event()
        backends = [self.enterContext(Backend(lambda r: release.wait(60) and answer("late")))
                    for _ in range(count)]
        self.addCleanup(release.set)
        return backends

    def spread(self, load_exchange):
        """Starts 16 slow requests one after another; how many each of 8 backends holds."""
        backends = self.held(8)
        lbd = self.lbd({**http_config(backends, strategy="least_connections"), "workers": 8,
                        "load_exchange": load_exchange})
        for number in range(1, 17):
            client = self.client(lbd.address())
            client.request("/%d" % number)
            self.until(lambda: sum(len(b.heads) for b in backends) == number)
            time.sleep(0.03)  # The pace of the load: thirty times the default load_exchange.
        return [len(b.heads) for b in backends]

    def test_slow_requests_of_all_workers_are_spread_over_all_backends(self):
        counts = self.spread("1ms")
        self.assertGreater(min(counts), 0, counts)
        self.assertLessEqual(max(counts), 4, counts)

    def test_without_load_exchange_they_would_not_be(self):
        # Keeps the test above honest: it would not pass by itself.
        counts = self.spread("1h")
        self.assertTrue(min(counts) == 0 or max(counts) > 4, counts)

    def test_counts_add_up_over_workers(self):
        backends = [self.enterContext(Backend()) for _ in range(2)]
        lbd = self.lbd({**http_config(backends, strategy="round_robin"), "workers": 2})

        def gets():
            for _ in range(10):
                with Client(lbd.address()) as client:
                    for _ in range(10):
                        assert client.get().status == 200
        for each in [Background(gets) for _ in range(4)]:
            each.result()
        cluster = lbd.cluster()
        self.assertEqual((cluster["requests"], cluster["outcomes"]["success"]), (400, 400))
        self.assertEqual(sum(b["attempts"] for b in cluster["backends"]), 400)
        self.assertEqual(sum(len(b.requests) for b in backends), 400)
        listener = lbd.metrics()["listeners"][0]
        self.assertEqual((listener["connections"], listener["answers_2xx"]), (40, 400))
        self.until(lambda: lbd.metrics()["listeners"][0]["connections_active"] == 0)

    def test_a_change_reaches_every_worker(self):
        backends = [self.enterContext(Backend(name=f"s{n}")) for n in (1, 2)]
        lbd = self.lbd({**http_config(backends[:1]), "workers": 4})
        self.assertEqual(lbd.admin("POST", "/backends", {
            "cluster": "web", "id": "n", "address": backends[1].address})[0], 201)
        self.assertEqual(lbd.admin("DELETE", "/backends/b1")[0], 200)
        lbd.backends()  # An answer of every worker: each has taken the change before it.
        bodies = set()
        for _ in range(40):
            with Client(lbd.address()) as client:
                bodies.add(client.get().body)
        self.assertEqual(bodies, {b"s2"})

    def test_all_workers_drain(self):
        backend = self.enterContext(Backend())
        lbd = self.lbd({**http_config([backend]), "workers": 4, "shutdown_timeout": "10m"})
        clients = [self.client(lbd.address()) for _ in range(20)]
        for client in clients:
            self.assertEqual(client.get().status, 200)
        lbd.terminate()
        self.assertTrue(all(client.is_closed() for client in clients))
        self.assertEqual(lbd.wait_end(), 0)


if __name__ == "__main__":
    unittest.main()
