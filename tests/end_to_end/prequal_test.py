"""Strategy prequal: backends are asked how loaded they are, and what they say decides."""

import threading
import time
import unittest

from testbed import WORKERS, Background, EndToEnd, http_config
from wire import Backend, Client, answer


class Worker:
    """What becomes of requests at one backend: each takes `seconds`; and GET of `load_path` is told
    at once how many there are and how long they took."""

    def __init__(self, seconds, load_path="/load"):
        self._seconds = seconds
        self._load_path = load_path
        self._lock = threading.Lock()
        self._in_flight = 0
        self._latency = 0

    def __call__(self, request):
        if request.target == self._load_path:
            return answer("", f"Backend-Load: in-flight={self._in_flight}, "
                              f"latency={int(self._latency * 1e6)}")
        if request.target != "/":
            return answer("", status="404 Not Found")
        began = time.monotonic()
        with self._lock:
            self._in_flight += 1
        time.sleep(self._seconds)
        with self._lock:
            self._in_flight -= 1
            self._latency = time.monotonic() - began
        return answer("done")


class PrequalCase(EndToEnd):
    def backend(self, seconds=0.002, **options):
        return self.enterContext(Backend(Worker(seconds, **options)))

    def balance(self, backends, strategy="prequal"):
        return self.lbd(http_config(backends, strategy=strategy))

    def send(self, lbd, clients=6, requests=60):
        """So many requests by each of so many clients, all of which have to be answered."""
        def work():
            with Client(lbd.address()) as client:
                for _ in range(requests):
                    self.assertEqual(client.get().status, 200)
        for worker in [Background(work) for _ in range(clients)]:
            worker.result()

    def shares(self, lbd):
        attempts = [backend["attempts"] for backend in lbd.backends().values()]
        return [count / sum(attempts) for count in attempts]

    def reasons(self, lbd, count):
        return {line["reason"] for line in lbd.access(count)}

    def questions(self, backend, path="/load"):
        return [request for request in backend.requests if request.target == path]


class AskedForTheirLoad(PrequalCase):
    def test_a_slow_backend_gets_clearly_less_than_its_third(self):
        lbd = self.balance([self.backend(), self.backend(), self.backend(seconds=0.1)])
        self.send(lbd)
        shares = self.shares(lbd)
        self.assertLess(shares[2], 0.15, shares)
        self.assertGreater(min(shares[:2]), 0.15, shares)
        self.assertIn("fastest", self.reasons(lbd, 360))

    def test_questions_of_a_worker_have_one_connection_of_their_own_and_are_no_attempts(self):
        backends = [self.backend(), self.backend()]
        lbd = self.balance(backends)
        self.send(lbd)
        self.assertEqual(lbd.cluster()["attempts"], 360)
        for backend in backends:
            questions = self.questions(backend)
            self.assertGreater(len(questions), 10)
            self.assertEqual(questions[0].head, b"GET /load HTTP/1.1\r\nHost: "
                             + backend.address.encode() + b"\r\nUser-Agent: lbd-load-probe")
            theirs = {request.connection for request in questions}
            others = {request.connection for request in backend.requests if request.target == "/"}
            self.assertLessEqual(len(theirs), WORKERS)
            self.assertFalse(theirs & others)
        self.until(lambda: lbd.cluster()["load_probes"]["told"]
                   == sum(len(self.questions(backend)) for backend in backends))
        self.assertEqual(lbd.cluster()["load_probes"]["failed"], 0)

    def test_the_path_is_configured(self):
        backends = [self.backend(load_path="/how?loaded") for _ in range(2)]
        lbd = self.balance(backends, strategy={"name": "prequal", "path": "/how?loaded"})
        self.send(lbd, requests=10)
        for backend in backends:
            self.assertTrue(self.questions(backend, "/how?loaded"))
            self.assertFalse(self.questions(backend))

    def test_a_tcp_listener_asks_the_same_question(self):
        backends = [self.backend(), self.backend()]
        lbd = self.lbd(http_config(backends, protocol="tcp", strategy="prequal"))
        with Client(lbd.address()) as client:
            self.assertEqual(client.get().status, 200)
        self.until(lambda: all(self.questions(backend) for backend in backends))


class WithoutALoad(PrequalCase):
    def test_where_nobody_knows_it_the_pick_is_random(self):
        backends = [self.backend(load_path=None) for _ in range(3)]
        lbd = self.balance(backends)
        began = time.monotonic()
        self.send(lbd, requests=100)
        seconds = time.monotonic() - began
        # Of 600 draws: more than five standard deviations either way.
        for share in self.shares(lbd):
            self.assertAlmostEqual(share, 1 / 3, delta=0.1)
        self.assertEqual(self.reasons(lbd, 600), {"drawn"})
        # And who says nothing is not asked with every request.
        for backend in backends:
            self.assertLessEqual(len(self.questions(backend)), seconds + 2)

    def test_one_that_does_not_know_it_still_gets_traffic(self):
        lbd = self.balance([self.backend(), self.backend(load_path=None)])
        self.send(lbd)
        self.assertGreater(min(self.shares(lbd)), 0.3)

    def test_a_backend_that_goes_away_takes_no_request_with_it(self):
        staying = [self.backend(), self.backend()]
        with Backend(Worker(seconds=0.002)) as going:
            lbd = self.balance([going, *staying])
            self.send(lbd, requests=10)
        self.send(lbd)
        self.assertEqual(lbd.cluster()["outcomes"]["success"], 420)

    def test_a_reload_takes_backends_away_that_owe_an_answer(self):
        silent = threading.Event()

        def owe(request):
            if request.target == "/load":
                silent.wait()
            return answer("done")
        backends = [self.enterContext(Backend(owe)) for _ in range(3)]
        self.addCleanup(silent.set)
        lbd = self.balance(backends)
        self.send(lbd, requests=5)
        self.until(lambda: all(self.questions(backend) for backend in backends))
        lbd.reload(http_config(backends[:1], strategy="round_robin"))
        self.send(lbd, requests=5)
        self.assertEqual([b["id"] for b in lbd.cluster()["backends"]], ["b1"])


if __name__ == "__main__":
    unittest.main()
