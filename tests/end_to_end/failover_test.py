"""What a client sees of backends that fail: as little as may be, and never a request done twice."""

import subprocess
import threading
import time
import unittest

from testbed import (Background, EndToEnd, dead_address, deaf_address, http_config,
                     quick_server, reserved_port, start, end, tool)
from wire import Backend, Client, Cut, answer, chunked

PROBES = {"type": "http", "path": "/health", "interval": "100ms", "timeout": "5s"}


def count_failed(address, stop, connections=8):
    """GETs over several connections until `stop` is set: how many were good, and what was not."""
    good, bad = [0] * connections, []

    def loop(index):
        with Client(address) as client:
            while not stop.is_set():
                status = client.get(f"/{index}").status
                if status == 200:
                    good[index] += 1
                else:
                    bad.append(status)
    loops = [Background(loop, index) for index in range(connections)]
    for each in loops:
        each.result(120)
    return sum(good), bad


class Crashes(EndToEnd):
    def gets_while(self, fault, **cluster):
        """Runs GETs through two servers while fault(lbd, servers) happens; none may fail."""
        servers = [self.enterContext(quick_server(f"s{n}")) for n in (1, 2)]
        lbd = self.lbd(http_config(servers, strategy="round_robin", **cluster))
        stop = threading.Event()
        gets = Background(count_failed, lbd.address(), stop)
        try:
            self.until(lambda: all(b["attempts"] > 100 for b in lbd.backends().values()))
            fault(lbd, servers)
        finally:
            stop.set()
            good, bad = gets.result()
        self.assertEqual(bad, [])
        cluster = lbd.cluster()
        self.assertEqual((cluster["requests"], cluster["outcomes"]["success"]), (good, good))
        return lbd

    def more_requests(self, lbd, count=500):
        before = lbd.cluster()["requests"]
        self.until(lambda: lbd.cluster()["requests"] > before + count)

    def test_killing_one_of_two_servers_costs_no_get(self):
        def fault(lbd, servers):
            servers[0].kill()
            self.more_requests(lbd)
        lbd = self.gets_while(fault)
        self.assertGreater(lbd.cluster()["retries"], 0)

    def test_killing_one_of_two_probed_servers_costs_no_get(self):
        def fault(lbd, servers):
            servers[0].kill()
            lbd.wait_for("backend_down", backend="b1")
            self.more_requests(lbd)
        lbd = self.gets_while(fault, health_check=PROBES)
        self.assertFalse(lbd.backends()["b1"]["eligible"])

    def test_killing_one_of_two_servers_costs_wrk_nothing(self):
        servers = [self.enterContext(quick_server(f"s{n}")) for n in (1, 2)]
        lbd = self.lbd(http_config(servers))
        wrk = start([tool("wrk"), "-t1", "-c20", "-d4s", "--timeout", "20s", lbd.url()],
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            self.until(lambda: lbd.cluster()["requests"] > 1000)
            servers[1].kill()
            report = wrk.communicate(timeout=60)[0]
        finally:
            end(wrk)
        self.assertIn("requests in", report)
        self.assertNotIn("Socket errors", report)
        self.assertNotIn("Non-2xx", report)


class Repeats(EndToEnd):
    """One backend reads a request and breaks off; the other is well."""

    def setUp(self):
        def break_off(connection):
            connection.read_request()
            connection.reset()
        self.broken = self.enterContext(Backend(serve=break_off))
        self.good = self.enterContext(Backend(name="good"))
        self.daemon = self.lbd(http_config([self.broken, self.good], strategy="round_robin",
                                           workers=1))

    def both(self, method, body=None):
        """Two requests, so that either backend is the first choice of one of them."""
        statuses = []
        for number in (1, 2):
            client = self.client(self.daemon.address())
            statuses.append(client.get(f"/{number}", method=method, body=body).status)
        return sorted(statuses)

    def test_a_get_is_repeated_on_the_other_backend(self):
        self.assertEqual(self.both("GET"), [200, 200])
        self.assertEqual(sorted(self.good.targets()), ["/1", "/2"])
        self.assertGreater(len(self.broken.targets()), 0)

    def test_a_put_with_a_small_body_is_repeated_with_its_body(self):
        self.assertEqual(self.both("PUT", b"body"), [200, 200])
        self.assertEqual([r.body for r in self.good.requests], [b"body", b"body"])

    def test_a_post_is_never_delivered_twice(self):
        for body in (b"", b"body"):
            with self.subTest(body):
                self.assertEqual(self.both("POST", body), [200, 502])
        delivered = self.good.targets() + self.broken.targets()
        self.assertEqual(sorted(delivered), ["/1", "/1", "/2", "/2"])  # Each once for each body.

    def test_a_put_with_a_small_body_that_comes_late_is_repeated_with_its_body(self):
        chunks = chunked(b"he", b"llo")
        for fields, pieces in (
                (["Content-Length: 5"], [b"hello"]),
                (["Content-Length: 5"], [b"he", b"llo"]),
                (["Content-Length: 5", "Expect: 100-continue"], [b"hello"]),
                (["Transfer-Encoding: chunked"], [chunks[:9], chunks[9:]])):
            with self.subTest((fields, pieces)):
                self.assertEqual(self.both_by_pieces("PUT", fields, pieces), [200, 200])
                self.assertEqual([r.body for r in self.good.requests], [b"hello", b"hello"])
                self.good.requests.clear()

    def test_a_post_with_a_small_body_that_comes_late_is_delivered_once(self):
        statuses = self.both_by_pieces("POST", ["Content-Length: 5"], [b"he", b"llo"])
        self.assertEqual(statuses, [200, 502])
        self.assertEqual(len(self.good.requests), 1)

    def both_by_pieces(self, method, fields, pieces):
        """Two requests, as both() makes them, with bodies that come after their heads."""
        statuses = []
        for number in (1, 2):
            client = self.client(self.daemon.address())
            heads = len(self.broken.heads) + len(self.good.heads)
            client.request(f"/{number}", *fields, method=method)
            if "Expect: 100-continue" in fields:
                self.assertEqual(client.read_response().status, 100)
            for piece in pieces:
                # Not with the head, and not with the piece before.
                self.until(lambda: len(self.broken.heads) + len(self.good.heads) > heads)
                time.sleep(0.02)
                client.send(piece)
            statuses.append(client.read_response().status)
        return sorted(statuses)

    def test_a_backend_that_breaks_off_in_a_small_body_loses_no_put(self):
        def break_off_at_once(connection):
            connection.read_head()
            connection.reset()
        broken = self.enterContext(Backend(serve=break_off_at_once))
        self.daemon = self.lbd(http_config([broken, self.good], strategy="round_robin"))
        self.broken = broken
        self.assertEqual(self.both_by_pieces("PUT", ["Content-Length: 6"], [b"he", b"ll", b"o!"]),
                         [200, 200])
        self.assertEqual([r.body for r in self.good.requests], [b"hello!"] * 2)

    def test_an_early_answer_that_is_listed_is_passed_on_while_the_body_still_comes(self):
        def busy(connection):
            connection.read_head()
            connection.send(answer("busy", status="503 Busy"))
        lbd = self.lbd(http_config([self.enterContext(Backend(serve=busy))],
                                   retries={"on": ["503"]}))
        client = self.client(lbd.address())
        client.request("/", "Content-Length: 5", method="PUT")
        self.assertEqual(client.read_response().status, 503)
        self.assertTrue(client.is_closed())

    def test_a_put_whose_body_is_gone_is_not_repeated(self):
        self.assertEqual(self.both("PUT", b"x" * 1_000_000), [200, 502])
        self.assertEqual(len(self.good.targets()), 1)

    def test_a_post_that_could_not_be_sent_goes_to_the_other_backend(self):
        dead = self.enterContext(dead_address())
        lbd = self.lbd(http_config([dead, self.good], strategy="round_robin"))
        client = self.client(lbd.address())
        for _ in range(4):
            self.assertEqual(client.get(method="POST", body=b"x").status, 200)
        self.assertGreater(lbd.backends()["b1"]["failures"], 0)

    def test_a_listed_status_is_repeated_for_get_and_passed_on_for_post(self):
        busy = self.enterContext(Backend(lambda r: answer("busy", status="503 Busy")))
        lbd = self.lbd(http_config([busy, self.good], strategy="round_robin",
                                   retries={"on": ["503"]}))
        client = self.client(lbd.address())
        self.assertEqual([client.get().status for _ in range(4)], [200] * 4)
        statuses = [client.get(method="POST", body=b"x").status for _ in range(4)]
        self.assertEqual(sorted(statuses), [200, 200, 503, 503])

    def test_attempts_are_bounded(self):
        lbd = self.lbd(http_config([self.broken], retries={"attempts": 4}))
        self.assertEqual(self.client(lbd.address()).get().status, 502)
        self.assertEqual(len(self.broken.targets()), 4)


class NobodyThere(EndToEnd):
    def answer_within(self, lbd, seconds=1):
        client = self.client(lbd.address())
        began = time.monotonic()
        response = client.get()
        return response.status, time.monotonic() - began < seconds

    def test_all_refusing_is_503_at_once(self):
        dead = [self.enterContext(dead_address()) for _ in range(2)]
        self.assertEqual(self.answer_within(self.lbd(http_config(dead))), (503, True))

    def test_all_marked_down_is_503_at_once(self):
        dead = [self.enterContext(dead_address()) for _ in range(2)]
        lbd = self.lbd(http_config(dead, health_check={**PROBES, "unhealthy_threshold": 1}))
        lbd.wait_for("backend_down", 2)
        self.assertEqual(self.answer_within(lbd), (503, True))
        self.assertEqual(lbd.cluster()["attempts"], 0)

    def test_a_cluster_without_backends_is_503_at_once(self):
        self.assertEqual(self.answer_within(self.lbd(http_config([]))), (503, True))

    def test_a_client_that_comes_before_the_first_probe_is_answered_after_it(self):
        go_on = threading.Event()

        def slow_to_say(request):
            if request.target == "/health":
                go_on.wait(30)
            return answer("up")
        backend = self.enterContext(Backend(slow_to_say))
        port = self.enterContext(reserved_port())
        config = http_config([backend], listener={"bind": f"127.0.0.1:{port}"},
                             health_check={**PROBES, "timeout": "20s"})
        lbd = self.lbd(config, wait_ready=False)
        lbd.wait_for("starting")
        self.until(lambda: backend.heads)
        self.assertEqual(lbd.admin("GET", "/readyz")[0], 503)
        self.assertEqual(lbd.admin("GET", "/livez")[0], 200)
        client = self.client(("127.0.0.1", port))
        client.request()
        go_on.set()
        self.assertEqual(client.read_response().body, b"up")
        lbd.wait_for("ready")
        self.assertEqual(lbd.admin("GET", "/readyz")[0], 200)

    def test_a_backend_added_later_gets_nothing_before_its_first_probe(self):
        deaf = self.enterContext(deaf_address())
        lbd = self.lbd(http_config([], health_check={**PROBES, "timeout": "20s"}))
        status, _ = lbd.admin("POST", "/backends", {"cluster": "web", "id": "n", "address": deaf})
        self.assertEqual(status, 201)
        self.assertEqual(self.answer_within(lbd), (503, True))
        self.assertEqual(lbd.backends()["n"]["health"], "unknown")

    def test_a_503_of_ours_keeps_the_connection(self):
        client = self.client(self.lbd(http_config([])).address())
        for _ in range(3):
            self.assertEqual(client.get().status, 503)
        self.assertEqual(client.get(method="HEAD").status, 503)
        self.assertEqual(client.get(method="POST", body=b"x" * 10).status, 503)


class Timeouts(EndToEnd):
    def never_answering(self, but):
        """A backend that reads requests, says `but`, and then nothing more."""
        def script(connection):
            while connection.read_request():
                connection.send(but)
        return self.enterContext(Backend(serve=script))

    def test_no_answer_in_time_is_504_and_a_get_is_not_repeated(self):
        backend = self.never_answering("")
        lbd = self.lbd(http_config([backend], timeouts={"response": "200ms"}))
        client = self.client(lbd.address())
        self.assertEqual(client.get().status, 504)
        self.assertEqual(client.get(method="POST", body=b"x").status, 504)
        self.assertEqual(len(backend.targets()), 2)
        self.assertEqual(lbd.cluster()["outcomes"]["timeout"], 2)

    def test_a_body_that_stops_moving_is_cut(self):
        backend = self.never_answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        lbd = self.lbd(http_config([backend], timeouts={"idle": "200ms"}))
        with self.assertRaises(Cut):
            self.client(lbd.address()).get()
        self.assertEqual(lbd.cluster()["outcomes"]["cut"], 1)

    def test_a_backend_that_does_not_accept_is_503_after_the_connect_timeout(self):
        deaf = self.enterContext(deaf_address())
        lbd = self.lbd(http_config([deaf], timeouts={"connect": "100ms"}))
        self.assertEqual(self.client(lbd.address()).get().status, 503)
        self.assertEqual(lbd.cluster()["attempts"], 3)
        self.assertEqual(lbd.cluster()["outcomes"]["connect_failure"], 1)

    def test_a_backend_that_does_not_accept_costs_a_wait_and_no_request(self):
        deaf = self.enterContext(deaf_address())
        good = self.enterContext(Backend())
        lbd = self.lbd(http_config([deaf, good], strategy="round_robin",
                                   timeouts={"connect": "100ms"}))
        client = self.client(lbd.address())
        self.assertEqual([client.get(method="POST", body=b"x").status for _ in range(4)],
                         [200] * 4)


if __name__ == "__main__":
    unittest.main()
