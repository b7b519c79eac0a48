"""How many may connect: in all, from one address, and with the descriptors there are; ten thousand
that say nothing; and how evenly workers share them."""

import http.client
import json
import os
import resource
import socket
import time
import unittest

from testbed import PATIENCE, Background, EndToEnd, http_config, raise_limit_of_descriptors
from wire import Backend, Client


class LimitsCase(EndToEnd):
    def config(self, limits=None, **options):
        backend = self.enterContext(Backend())
        config = http_config([backend], **options)
        return {**config, "limits": limits} if limits else config

    def listener(self, lbd):
        return lbd.metrics()["listeners"][0]

    def served(self, lbd, count):
        """So many clients, each of which was answered and keeps its connection."""
        clients = [self.client(lbd.address()) for _ in range(count)]
        for client in clients:
            self.assertEqual(client.get().status, 200)
        return clients


class InAll(LimitsCase):
    def waits(self, lbd, client):
        """It is connected, as far as it knows, and nobody reads what it sends."""
        client.request("/")
        self.until(lambda: self.listener(lbd)["accept_pauses"]["max_connections"] > 0)
        client.socket.settimeout(0.2)
        with self.assertRaises(TimeoutError):
            client.socket.recv(1)
        client.socket.settimeout(30)

    def test_who_comes_beyond_the_limit_waits_until_somebody_leaves(self):
        for workers in (1, 3):
            with self.subTest(workers=workers):
                lbd = self.lbd({**self.config({"max_connections": 3}), "workers": workers})
                clients = self.served(lbd, 3)
                waiting = self.client(lbd.address())
                self.waits(lbd, waiting)
                self.assertEqual(self.listener(lbd)["connections_active"], 3)
                self.assertEqual(clients[1].get().status, 200, "those who are in are served")
                clients[0].close()
                self.assertEqual(waiting.read_response().status, 200)
                self.assertEqual(self.listener(lbd)["connections_active"], 3)

    def test_a_thousand_come_through_a_limit_of_four(self):
        lbd = self.lbd({**self.config({"max_connections": 4}), "workers": 2})

        def gets():
            for _ in range(50):
                with Client(lbd.address()) as client:
                    assert client.get("/", "Connection: close").status == 200
        for each in [Background(gets) for _ in range(20)]:
            each.result(60)
        self.assertEqual(self.listener(lbd)["answers_2xx"], 1000)

    def test_a_reload_lets_more_in(self):
        config = self.config({"max_connections": 1})
        lbd = self.lbd(config)
        self.served(lbd, 1)
        waiting = self.client(lbd.address())
        self.waits(lbd, waiting)
        lbd.reload({**config, "limits": {"max_connections": 2}})
        self.assertEqual(waiting.read_response().status, 200)
        self.assertEqual(lbd.metrics()["max_connections"], 2)

    def test_listeners_share_the_limit_and_unix_sockets_keep_it(self):
        config = self.config({"max_connections": 2}, protocol="http")
        path = os.path.join(self.temporary_directory(), "web.sock")
        config["listeners"].append({"name": "unix", "bind": "unix:" + path, "cluster": "web"})
        lbd = self.lbd({**config, "workers": 2})
        clients = self.served(lbd, 2)
        waiting = self.client(path)
        waiting.request("/")
        self.until(lambda: any(each["accept_pauses"]["max_connections"]
                               for each in lbd.metrics()["listeners"] if each["name"] == "unix"))
        clients[0].close()
        self.assertEqual(waiting.read_response().status, 200)

    def test_a_stop_does_not_wait_for_those_who_wait(self):
        lbd = self.lbd(self.config({"max_connections": 1}))
        self.served(lbd, 1)
        self.waits(lbd, self.client(lbd.address()))
        lbd.terminate()
        self.assertEqual(lbd.wait_end(), 0)


class PerClient(LimitsCase):
    def from_address(self, lbd, host):
        client = Client.__new__(Client)
        sock = socket.create_connection(lbd.address(), timeout=30, source_address=(host, 0))
        super(Client, client).__init__(sock)
        return self.enterContext(client)

    def test_one_more_is_answered_429_and_counted(self):
        lbd = self.lbd({**self.config({"max_connections_per_client": 2}), "workers": 2})
        clients = self.served(lbd, 2)
        third = self.client(lbd.address())
        answer = third.get()
        self.assertEqual(answer.status, 429)
        self.assertEqual(answer["Connection"], "close")
        self.assertTrue(third.is_closed())
        self.assertEqual(self.listener(lbd)["refused_per_client"], 1)
        self.assertEqual(self.listener(lbd)["connections"], 2)
        self.assertEqual(self.from_address(lbd, "127.0.0.2").get().status, 200)
        clients[0].close()

        def another():
            with Client(lbd.address()) as client:
                return client.get().status == 200
        self.until(another, "a place for another")
        text = lbd.admin("GET", "/metrics")[1]
        self.assertRegex(text, r'lbd_refused_connections_total\{listener="web"\} \d')

    def test_one_more_by_tcp_is_reset(self):
        backend = self.enterContext(Backend(serve=lambda c: c.send(c.read_until(b"\n"))))
        lbd = self.lbd({**http_config([backend], protocol="tcp"),
                        "limits": {"max_connections_per_client": 1}})
        first = self.client(lbd.address())
        self.until(lambda: backend.connections)
        with self.assertRaises(ConnectionResetError), Client(lbd.address()) as client:
            client.socket.recv(1)
        first.send("on\n")
        self.assertEqual(first.read_to_end(), b"on")
        self.assertEqual(self.listener(lbd)["refused_per_client"], 1)

    def test_a_flood_from_one_address_leaves_places_for_others(self):
        lbd = self.lbd(self.config({"max_connections": 200, "max_connections_per_client": 5}))
        self.served(lbd, 5)
        crowd = []
        self.addCleanup(lambda: [each.close() for each in crowd])
        for _ in range(500):  # None of them sends, reads or closes.
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(lbd.address())
            crowd.append(sock)
        self.assertEqual(self.from_address(lbd, "127.0.0.3").get().status, 200)
        self.until(lambda: self.listener(lbd)["refused_per_client"] >= 400)

    def test_clients_of_a_unix_socket_are_not_one(self):
        config = self.config({"max_connections_per_client": 1})
        path = os.path.join(self.temporary_directory(), "web.sock")
        config["listeners"][0]["bind"] = "unix:" + path
        self.served(self.lbd(config), 5)


class Descriptors(LimitsCase):
    def set_limit(self, lbd, count):
        resource.prlimit(lbd.pid, resource.RLIMIT_NOFILE, (count, 4096))

    def test_the_limit_of_the_process_is_raised_and_a_configuration_beyond_it_is_told(self):
        lbd = self.lbd(self.config({"max_connections": 10_000}),
                       under=["prlimit", "--nofile=64:300"])
        event = lbd.wait_for("max_connections_lowered")
        self.assertEqual(event["from"], 10_000)
        self.assertEqual(resource.prlimit(lbd.pid, resource.RLIMIT_NOFILE), (300, 300))
        self.assertEqual(event["to"], lbd.metrics()["max_connections"])
        self.assertTrue(100 <= event["to"] <= 134, event)
        self.served(lbd, event["to"])
        self.assertEqual(lbd.admin("GET", "/livez")[0], 200)

    def test_a_configuration_within_it_is_taken_as_it_is(self):
        lbd = self.lbd(self.config({"max_connections": 100}), under=["prlimit", "--nofile=64:300"])
        self.assertEqual(lbd.metrics()["max_connections"], 100)
        self.assertEqual(lbd.events("max_connections_lowered"), [])

    def test_with_none_left_connections_wait_and_everything_else_goes_on(self):
        probes = []
        backend = self.enterContext(
            Backend(lambda request: probes.append(request.target) or b"HTTP/1.1 200 OK\r\n"
                    b"Content-Length: 2\r\n\r\nok"))
        lbd = self.lbd(http_config([backend], health_check={
            "type": "http", "path": "/health", "interval": "50ms"}),
            under=["prlimit", "--nofile=4096:4096"])
        clients = self.served(lbd, 60)
        # The admin address needs a descriptor, too: this one has it in time.
        admin = http.client.HTTPConnection("127.0.0.1", lbd.admin_port, timeout=PATIENCE)
        self.addCleanup(admin.close)
        self.pauses(admin)
        self.set_limit(lbd, len(self.until(lambda: self.without_gaps(lbd, clients))))
        waiting = self.client(lbd.address())
        waiting.request("/waits")
        self.until(lambda: self.pauses(admin) > 0)
        admin.close()
        # The reserve comes from those who leave: nobody is let in before it is there again.
        self.assertTrue(all(c.get().status == 200 for c in clients), "those who are in are served")
        # One of them has the descriptor of that one; the other is not accepted.
        knocking = [self.enterContext(socket.create_connection(("127.0.0.1", lbd.admin_port)))
                    for _ in range(2)]
        before, begun = lbd.cpu_seconds(), time.monotonic()
        while time.monotonic() < begun + 0.5:
            self.assertEqual(clients[0].get().status, 200)
            time.sleep(0.05)
        self.assertLess(lbd.cpu_seconds() - before, 0.25, "it does not spin")
        for each in [*knocking, *clients[:20]]:
            each.close()
        self.until(lambda: len(lbd.descriptors()) < 80)
        self.assertEqual(lbd.admin("GET", "/livez")[0], 200)
        seen = len([target for target in probes if target == "/health"])
        self.until(lambda: len([t for t in probes if t == "/health"]) > seen + 3)
        self.assertNotIn("/waits", probes, "the reserve is not for clients")
        for client in clients[20:50]:
            client.close()
        self.assertEqual(waiting.read_response().status, 200)
        self.served(lbd, 5)
        self.assertEqual(lbd.events("backend_down"), [])

    def test_a_backend_is_not_blamed_when_there_is_none_to_connect_with(self):
        backend = self.enterContext(Backend())
        lbd = self.lbd(http_config([backend], workers=1,
                                   connection_pool={"max_idle_per_backend": 0},
                                   outlier_ejection={"consecutive_failures": 1},
                                   circuit_breaker={"consecutive_failures": 1}),
                       under=["prlimit", "--nofile=4096:4096"])
        client = self.served(lbd, 1)[0]
        self.set_limit(lbd, len(self.until(lambda: self.without_gaps(lbd, [client]))))
        self.assertEqual(client.get().status, 503)
        self.set_limit(lbd, 4096)
        self.assertEqual(client.get().status, 200)
        self.assertEqual(lbd.backends()["b1"]["failures"], 0)

    def without_gaps(self, lbd, clients):
        """All its descriptors when none is of a probe, which would leave it to somebody else."""
        seen = []
        for _ in range(8):  # Longer than a probe takes, however busy the machine is.
            seen.append(lbd.descriptors())
            time.sleep(0.02)
        now = min(seen, key=len)
        if len(now) <= max(now):
            clients += self.served(lbd, 1)
        return now if now == seen[-1] and len(now) == max(now) + 1 else None

    def pauses(self, admin):
        """For want of descriptors, by a connection to the admin address that stays."""
        admin.request("GET", "/metrics", headers={"Accept": "application/json"})
        return json.load(admin.getresponse())["listeners"][0]["accept_pauses"]["descriptors"]


class Idle(LimitsCase):
    COUNT = 10_000
    MOST = 1331  # 1.3 KiB

    def test_ten_thousand_idle_connections_hold_and_cost_little(self):
        raise_limit_of_descriptors()
        lbd = self.lbd({**self.config(listener={"timeouts": {"idle": "10m"}}),
                        "log": {"access": "off"}})
        self.served(lbd, 50)  # What the first ones cost is not theirs.
        # Two descriptors are set aside for each, so that a machine may allow a few less.
        count = min(self.COUNT, lbd.metrics()["max_connections"] - 60)
        self.assertGreaterEqual(count, 1000, "raise the limit of descriptors (ulimit -n)")
        before = lbd.resident_bytes()
        sockets = []
        self.addCleanup(lambda: [each.close() for each in sockets])
        for _ in range(count):
            sockets.append(socket.create_connection(lbd.address(), timeout=30))
            sockets[-1].sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertTrue(sockets[-1].recv(4096).startswith(b"HTTP/1.1 200"))
        each = (lbd.resident_bytes() - before) / count
        print(f"\n{each:.0f} bytes in user space for each of {count} idle connections")
        self.assertEqual(self.listener(lbd)["connections_active"], count + 50)
        for some in sockets[::1000]:
            some.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertTrue(some.recv(4096).startswith(b"HTTP/1.1 200"))
        if not any(build in os.environ["LBD"] for build in ("asan", "tsan")):
            self.assertLess(each, self.MOST)


class Balance(LimitsCase):
    def test_workers_get_about_as_many_connections_as_each_other(self):
        for workers in (2, 4):
            with self.subTest(workers=workers):
                lbd = self.lbd({**self.config(), "workers": workers})
                for _ in range(1000):
                    with Client(lbd.address()) as client:
                        client.get()
                counts = [each["connections"] for each in lbd.metrics()["workers"]]
                print(f"\n{workers} workers: {counts}")
                self.assertEqual(sum(counts), 1000)
                self.assertLess(max(counts) / min(counts), 1.6, counts)


if __name__ == "__main__":
    unittest.main()
