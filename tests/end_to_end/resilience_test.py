"""Limits and the queue, sessions, breakers, backups, warm connections, the overall deadline, and why
a backend is picked: what the brain decides, seen from both sides of a real lbd."""

import threading
import time
import unittest

from testbed import WORKERS, Background, EndToEnd, dead_address, http_config
from wire import Backend, Client, answer


class Gate:
    """A backend that keeps its answers until it is opened."""

    def __init__(self, name="gate"):
        self.open = threading.Event()
        self.waiting = 0
        self.backend = Backend(self._answer, name=name)

    def _answer(self, _):
        self.waiting += 1
        self.open.wait(30)
        return answer(self.backend.name)


class Limits(EndToEnd):
    def setUp(self):
        self.gate = Gate()
        self.enterContext(self.gate.backend)
        self.addCleanup(self.gate.open.set)

    def get(self, lbd, target="/"):
        with Client(lbd.address()) as client:
            return client.get(target)

    def test_what_finds_no_place_is_503_at_once(self):
        lbd = self.lbd(http_config([self.gate.backend],
                                   limits={"max_in_flight_per_backend": 1}))
        first = Background(self.get, lbd)
        self.until(lambda: self.gate.waiting == 1)
        self.assertEqual(self.get(lbd).status, 503)
        self.gate.open.set()
        self.assertEqual(first.result().body, b"gate")
        outcomes = lbd.cluster()["outcomes"]
        self.assertEqual((outcomes["over_limit"], outcomes["success"]), (1, 1))

    def test_a_queue_serves_in_order_and_the_log_tells_the_wait(self):
        lbd = self.lbd(http_config([self.gate.backend], workers=1,
                                   limits={"max_in_flight": 1, "queue": 10,
                                           "queue_timeout": "20s"}))
        first = Background(self.get, lbd, "/first")
        self.until(lambda: self.gate.waiting == 1)
        second = Background(self.get, lbd, "/second")
        self.until(lambda: lbd.cluster()["queue_length"] == 1)
        third = Background(self.get, lbd, "/third")
        self.until(lambda: lbd.cluster()["queue_length"] == 2)
        time.sleep(0.2)  # For the wait to show.
        self.gate.open.set()
        self.assertEqual([r.result().status for r in (first, second, third)], [200] * 3)
        self.assertEqual(self.gate.backend.targets(), ["/first", "/second", "/third"])
        waits = {line["path"]: line["queue_ms"] for line in lbd.access(3)}
        self.assertGreater(waits["/second"], 150)
        self.assertEqual(lbd.cluster()["queued"], 2)

    def test_a_wait_that_is_too_long_is_503(self):
        lbd = self.lbd(http_config([self.gate.backend], workers=1,
                                   limits={"max_in_flight": 1, "queue": 10,
                                           "queue_timeout": "200ms"}))
        first = Background(self.get, lbd)
        self.until(lambda: self.gate.waiting == 1)
        begin = time.monotonic()
        self.assertEqual(self.get(lbd).status, 503)
        self.assertGreaterEqual(time.monotonic() - begin, 0.19)
        self.gate.open.set()
        self.assertEqual(first.result().status, 200)
        self.assertEqual(lbd.cluster()["outcomes"]["queue_timeout"], 1)

    def test_a_route_with_a_better_priority_goes_first(self):
        config = http_config([self.gate.backend], workers=1,
                             limits={"max_in_flight": 1, "queue": 10, "queue_timeout": "20s"})
        listener = config["listeners"][0]
        del listener["cluster"]
        listener["routes"] = [{"match": {"path": "/urgent"}, "cluster": "web"},
                              {"cluster": "web", "priority": 5}]
        lbd = self.lbd(config)
        first = Background(self.get, lbd, "/first")
        self.until(lambda: self.gate.waiting == 1)
        slow = Background(self.get, lbd, "/slow")
        self.until(lambda: lbd.cluster()["queue_length"] == 1)
        urgent = Background(self.get, lbd, "/urgent")
        self.until(lambda: lbd.cluster()["queue_length"] == 2)
        self.gate.open.set()
        self.assertEqual([r.result().status for r in (first, slow, urgent)], [200] * 3)
        self.assertEqual(self.gate.backend.targets(), ["/first", "/urgent", "/slow"])

    def test_the_whole_request_has_a_deadline(self):
        lbd = self.lbd(http_config([self.gate.backend], timeouts={"request": "300ms"}))
        begin = time.monotonic()
        self.assertEqual(self.get(lbd).status, 504)
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual(lbd.cluster()["outcomes"]["timeout"], 1)

    def test_stopping_does_not_wait_for_the_queue(self):
        lbd = self.lbd({**http_config([self.gate.backend], workers=1,
                                      limits={"max_in_flight": 1, "queue": 10,
                                              "queue_timeout": "300ms"}),
                        "shutdown_timeout": "5s"})
        first = Background(self.get, lbd)
        self.until(lambda: self.gate.waiting == 1)
        second = Background(self.get, lbd)
        self.until(lambda: lbd.cluster()["queue_length"] == 1)
        lbd.terminate()
        self.assertEqual(second.result().status, 503)
        self.gate.open.set()
        self.assertEqual(first.result().status, 200)
        self.assertEqual(lbd.wait_end(), 0)


class Sessions(EndToEnd):
    AFFINITY = {"cookie": {"name": "sid", "ttl": "1h", "secret": "0123456789abcdef"}}

    def setUp(self):
        self.one = self.enterContext(Backend(name="one"))
        self.two = self.enterContext(Backend(name="two"))

    def start(self, affinity=None, **cluster):
        return self.lbd(http_config([self.one, self.two], strategy="round_robin",
                                    affinity=affinity or self.AFFINITY, **cluster))

    def cookie_of(self, response):
        return response["Set-Cookie"].split(";")[0]

    def test_a_client_stays_and_gets_its_cookie_once(self):
        client = self.client(self.start().address())
        first = client.get()
        self.assertRegex(first["Set-Cookie"],
                         "^sid=[0-9a-f]{32}; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600$")
        cookie = self.cookie_of(first)
        for _ in range(6):
            again = client.get("/", f"Cookie: theme=dark; {cookie}")
            self.assertEqual((again.body, again["Set-Cookie"]), (first.body, None))
        self.assertNotEqual(client.get().body, client.get().body)  # Without it: by turns.

    def test_the_cookie_tells_nothing_and_cannot_be_made_up(self):
        client = self.client(self.start().address())
        cookies = {self.cookie_of(client.get()) for _ in range(4)}
        self.assertEqual(len(cookies), 2)
        for name in ("one", "two", "b1", "b2", "127.0.0.1"):
            self.assertNotIn(name, "".join(cookies))
        for value in ("b1", "0" * 32, "", "'", "x" * 5000):
            self.assertIsNotNone(client.get("/", f"Cookie: sid={value}")["Set-Cookie"], value)

    def test_the_same_secret_makes_the_same_cookie(self):
        first = self.client(self.start().address()).get()
        other = self.client(self.start().address())
        again = other.get("/", "Cookie: " + self.cookie_of(first))
        self.assertEqual((again.body, again["Set-Cookie"]), (first.body, None))

    def test_without_a_secret_one_is_made_up_and_survives_a_reload(self):
        lbd = self.start(affinity={"cookie": {"name": "sid"}})
        client = self.client(lbd.address())
        first = client.get()
        self.assertNotIn("Max-Age", first["Set-Cookie"])
        lbd.reload(http_config([self.one, self.two], strategy="round_robin",
                               affinity={"cookie": {"name": "sid"}}))
        again = client.get("/", "Cookie: " + self.cookie_of(first))
        self.assertEqual((again.body, again["Set-Cookie"]), (first.body, None))

    def test_draining_keeps_sessions_and_takes_no_others(self):
        lbd = self.start()
        client = self.client(lbd.address())
        first = client.get()
        drained = "b1" if first.body == b"one" else "b2"
        config = http_config([self.one, self.two], strategy="round_robin", affinity=self.AFFINITY)
        for backend in config["clusters"][0]["backends"]:
            backend["state"] = "draining" if backend["id"] == drained else "enabled"
        lbd.reload(config)
        cookie = "Cookie: " + self.cookie_of(first)
        self.assertEqual(client.get("/", cookie).body, first.body)
        self.assertEqual({client.get().body for _ in range(4)}, {b"one", b"two"} - {first.body})
        self.assertEqual(lbd.backends()[drained]["reason"], "draining")

    def test_a_session_whose_backend_is_gone_moves_once(self):
        lbd = self.start()
        client = self.client(lbd.address())
        first = client.get()
        number, left = (2, self.two) if first.body == b"one" else (1, self.one)
        lbd.reload(http_config([{"id": f"b{number}", "address": left.address}],
                               affinity=self.AFFINITY))
        moved = client.get("/", "Cookie: " + self.cookie_of(first))
        self.assertEqual(moved.body, left.name.encode())
        again = client.get("/", "Cookie: " + self.cookie_of(moved))
        self.assertEqual((again.body, again["Set-Cookie"]), (moved.body, None))

    def test_the_secret_is_not_shown_and_survives_being_put_back(self):
        lbd = self.start()
        client = self.client(lbd.address())
        first = client.get()
        status, config = lbd.admin("GET", "/config")
        self.assertEqual((status, "0123456789abcdef" in str(config)), (200, False))
        self.assertEqual(lbd.admin("PUT", "/config", config)[0], 200)
        again = client.get("/", "Cookie: " + self.cookie_of(first))
        self.assertEqual((again.body, again["Set-Cookie"]), (first.body, None))


class Keys(EndToEnd):
    def setUp(self):
        self.backends = [self.enterContext(Backend(name=f"n{i}")) for i in range(4)]

    def test_a_key_finds_its_backend_again(self):
        for name in ("ring_hash", "maglev", "rendezvous"):
            lbd = self.lbd(http_config(self.backends,
                                       strategy={"name": name, "key": {"header": "x-user"}}))
            places = {}
            for _ in range(2):
                client = self.client(lbd.address())  # Another port: the address is not the key.
                for user in range(40):
                    body = client.get("/", f"X-User: u{user}").body
                    self.assertEqual(places.setdefault(user, body), body, name)
            self.assertEqual(len(set(places.values())), 4, name)

    def test_cookies_paths_and_parameters_can_be_keys(self):
        for key, request in (({"cookie": "u"}, lambda u: ("/", f"Cookie: a=1; u={u}")),
                             ("path", lambda u: (f"/{u}?x={u}",)),
                             ({"query": "u"}, lambda u: (f"/{u}?x=1&u={u % 7}",))):
            lbd = self.lbd(http_config(self.backends, strategy={"name": "maglev", "key": key}))
            client = self.client(lbd.address())
            places = {u: client.get(*request(u)).body for u in range(30)}
            self.assertEqual(places, {u: client.get(*request(u)).body for u in range(30)}, key)
            self.assertGreater(len(set(places.values())), 1, key)


class Breakers(EndToEnd):
    def test_one_opens_tries_and_closes(self):
        status = ["500 Internal Server Error"]
        sick = self.enterContext(Backend(lambda _: answer("sick", status=status[0])))
        well = self.enterContext(Backend(name="well"))
        lbd = self.lbd(http_config([sick, well], strategy="round_robin",
                                   workers=1,
                                   circuit_breaker={"consecutive_failures": 3,
                                                    "open_time": "500ms", "successes": 1}))
        client = self.client(lbd.address())
        self.until(lambda: client.get() and lbd.cluster()["breakers_opened"] == 1)
        self.assertEqual(lbd.backends()["b1"]["reason"], "breaker_open")
        before = len(sick.requests)
        self.assertEqual({client.get().body for _ in range(20)}, {b"well"})
        self.assertEqual(len(sick.requests), before)
        status[0] = "200 OK"
        self.until(lambda: client.get().body == b"sick")
        self.until(lambda: lbd.backends()["b1"]["open_breakers"] == 0)


class Backups(EndToEnd):
    def test_a_backup_serves_when_the_others_cannot(self):
        main = Backend(name="main")
        main.__enter__()
        spare = self.enterContext(Backend(name="spare"))
        lbd = self.lbd(http_config(
            [main, {"id": "spare", "address": spare.address, "priority": 1}],
            health_check={"type": "tcp", "interval": "100ms", "unhealthy_threshold": 1,
                          "healthy_threshold": 1}))
        client = self.client(lbd.address())
        self.assertEqual({client.get().body for _ in range(10)}, {b"main"})
        self.assertEqual(lbd.backends()["spare"]["reason"], "lower_priority")
        main.__exit__()
        self.until(lambda: lbd.backends()["spare"]["eligible"])
        self.assertEqual({client.get().body for _ in range(10)}, {b"spare"})


class Connections(EndToEnd):
    def test_warm_up_opens_them_before_anyone_asks(self):
        backend = self.enterContext(Backend(name="warm"))
        lbd = self.lbd(http_config([backend], connection_pool={"warm_up": 3}))
        self.until(lambda: len(backend.connections) == 3 * WORKERS)
        self.until(lambda: lbd.backends()["b1"]["idle_connections"] == 3 * WORKERS)
        client = self.client(lbd.address())
        self.assertEqual([client.get().body for _ in range(5)], [b"warm"] * 5)
        self.assertEqual(len(backend.connections), 3 * WORKERS)
        self.assertEqual(lbd.cluster()["connections_opened"], 0)

    def test_a_backend_that_refuses_them_is_no_harm(self):
        with dead_address() as address:
            lbd = self.lbd(http_config([address], connection_pool={"warm_up": 3}))
            self.assertEqual(self.client(lbd.address()).get().status, 503)

    def test_one_serves_as_many_requests_as_it_may(self):
        backend = self.enterContext(Backend(name="b"))
        lbd = self.lbd(http_config([backend], connection_pool={"max_requests": 2}))
        client = self.client(lbd.address())
        for _ in range(6):
            client.get()
        self.assertEqual([request.connection for request in backend.requests],
                         [1, 1, 2, 2, 3, 3])

    def test_one_is_closed_at_its_age(self):
        backend = self.enterContext(Backend(name="b"))
        lbd = self.lbd(http_config([backend], connection_pool={"max_age": "300ms"}))
        self.client(lbd.address()).get()
        self.until(lambda: lbd.backends()["b1"]["idle_connections"] == 0)


class Explanations(EndToEnd):
    def test_candidates_scores_and_reasons(self):
        backends = [self.enterContext(Backend(name=f"n{i}")) for i in range(3)]
        config = http_config(backends, strategy="least_request", workers=1)
        config["clusters"][0]["backends"][2]["state"] = "draining"
        lbd = self.lbd(config)
        status, why = lbd.admin("GET", "/explain?cluster=web&key=10.0.0.1")
        self.assertEqual(status, 200)
        self.assertEqual((why["answer"], why["strategy"]), ("assigned", "least_request"))
        self.assertIn(why["backend"], ("b1", "b2"))
        self.assertEqual(why["reason"], "least_loaded")
        self.assertTrue(why["draws"])
        self.assertEqual([c["excluded_by"] for c in why["candidates"]],
                         ["none", "none", "draining"])
        # Asking leaves no trace: the next request goes where the explanation said.
        again = lbd.admin("GET", "/explain?cluster=web&key=10.0.0.1")[1]
        self.assertEqual(again, why)
        body = self.client(lbd.address()).get().body
        self.assertEqual(body, {"b1": b"n0", "b2": b"n1"}[why["backend"]])

    def test_an_unknown_cluster_is_said_so(self):
        lbd = self.lbd(http_config([self.enterContext(Backend())]))
        for path in ("/explain", "/explain?cluster=wbe"):
            status, error = lbd.admin("GET", path)
            self.assertEqual(status, 404)
            self.assertIn("there is no cluster", error["error"])


if __name__ == "__main__":
    unittest.main()
