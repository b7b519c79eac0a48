"""HUP: a new configuration while traffic flows. Nothing that stays is disturbed, nothing that goes
is cut off, and an invalid file changes nothing at all."""

import copy
import signal
import subprocess
import threading
import unittest

from testbed import (WORKERS, EndToEnd, end, http_config, quick_server,
                     reserved_port, start, tool)
from wire import Backend, Client, answer


class Slow:
    """A backend whose answers wait for release()."""

    def __init__(self, name):
        self._released = threading.Event()
        self.backend = Backend(self._answer, name=name)

    def _answer(self, request):
        if request.target == "/slow":
            self._released.wait(60)
        return answer(self.backend.name)

    def release(self):
        self._released.set()

    def __enter__(self):
        self.backend.__enter__()
        return self

    def __exit__(self, *arguments):
        self.release()
        self.backend.__exit__(*arguments)


class UnderLoad(EndToEnd):
    def test_ten_reloads_under_load_cost_no_request(self):
        servers = [self.enterContext(quick_server(f"s{n}")) for n in (1, 2, 3)]
        check = {"type": "http", "path": "/", "interval": "100ms", "timeout": "10s"}
        two = http_config([{"id": "b1", "address": servers[0].address, "weight": 3},
                           {"id": "b2", "address": servers[1].address}],
                          strategy="round_robin", health_check=check)
        other_two = http_config([{"id": "b1", "address": servers[0].address},
                                 {"id": "b3", "address": servers[2].address, "weight": 2}],
                                strategy="weighted_round_robin", health_check=check)
        lbd = self.lbd(two)
        wrk = start([tool("wrk"), "-t1", "-c20", "-d6s", "--timeout", "20s", lbd.url()],
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        attempts = [0]
        try:
            for number in range(10):
                before = lbd.cluster()["requests"]
                self.until(lambda: lbd.cluster()["requests"] > before + 50, "wrk is running")
                lbd.reload(other_two if number % 2 == 0 else two)
                attempts.append(lbd.backends()["b1"]["attempts"])
            self.assertIsNone(wrk.poll(), "wrk ended before the last reload")
            report = wrk.communicate(timeout=60)[0]
        finally:
            end(wrk)
        self.assertIn("requests in", report)
        self.assertNotIn("Socket errors", report)
        self.assertNotIn("Non-2xx", report)
        self.assertEqual(attempts, sorted(attempts))  # b1 stayed: its counts never went back.
        self.assertGreater(attempts[1], 0)
        self.assertEqual(lbd.metrics()["reloads"], {"success": 10, "failure": 0})
        self.assertEqual(len(lbd.events("backend_down")), 0)


class Staying(EndToEnd):
    def test_what_stays_keeps_its_counts_its_health_and_its_connections(self):
        backends = [self.enterContext(Backend(name=f"b{n}")) for n in (1, 2)]
        check = {"type": "http", "interval": "60s"}
        config = http_config(backends[:1], health_check=check)
        lbd = self.lbd(config)
        client = self.client(lbd.address())
        for _ in range(5):
            client.get()
        before = lbd.backends()["b1"]
        self.assertEqual(before["idle_connections"], 1)
        lbd.reload(http_config(backends, health_check=check, strategy="random"))
        after = lbd.backends()["b1"]
        self.assertEqual(after, before)
        # Over the client connection that was open, and the backend connection that was idle.
        lbd.reload(config)
        self.assertEqual(client.get().body, b"b1")
        self.assertEqual(lbd.backends()["b1"]["attempts"], 6)
        served_on = {r.connection for r in backends[0].requests if not r["User-Agent"]}
        self.assertEqual(len(served_on), 1)

    def test_an_id_with_a_new_address_is_a_new_backend(self):
        backends = [self.enterContext(Backend(name=f"s{n}")) for n in (1, 2)]
        lbd = self.lbd(http_config(backends[:1]))
        client = self.client(lbd.address())
        self.assertEqual(client.get().body, b"s1")
        lbd.reload(http_config(backends[1:]))
        self.assertEqual(client.get().body, b"s2")
        self.assertEqual(lbd.backends()["b1"]["attempts"], 1)

    def test_a_draining_backend_finishes_and_takes_nothing_new(self):
        slow = self.enterContext(Slow("slow"))
        other = self.enterContext(Backend(name="other"))
        lbd = self.lbd(http_config([slow.backend]))
        client = self.client(lbd.address())
        client.request("/slow")
        self.until(lambda: slow.backend.targets())
        lbd.reload(http_config([
            {"id": "b1", "address": slow.backend.address, "state": "draining"}, other]))
        self.assertEqual([self.client(lbd.address()).get().body for _ in range(4)],
                         [b"other"] * 4)
        slow.release()
        self.assertEqual(client.read_response().body, b"slow")


class Leaving(EndToEnd):
    def setUp(self):
        self.slow = self.enterContext(Slow("slow"))
        self.other = self.enterContext(Backend(name="other"))

    def start(self, **cluster):
        """lbd with one slow request in flight, whose backend then leaves."""
        daemon = self.lbd(http_config([self.slow.backend], **cluster))
        client = self.client(daemon.address())
        client.request("/slow")
        self.until(lambda: self.slow.backend.targets())
        moved = http_config([{"id": "o", "address": self.other.address}], **cluster)
        daemon.reload(moved)
        return daemon, client

    def test_a_removed_backend_finishes_what_is_in_flight_and_gets_nothing_new(self):
        lbd, client = self.start()
        self.assertEqual([self.client(lbd.address()).get().body for _ in range(5)],
                         [b"other"] * 5)
        statuses = {b["id"]: b for b in lbd.cluster()["backends"]}
        self.assertEqual((statuses["b1"]["removed"], statuses["b1"]["in_flight"]), (True, 1))
        self.slow.release()
        response = client.read_response()
        self.assertEqual((response.status, response.body), (200, b"slow"))
        self.assertEqual(client.get().body, b"other")
        self.until(lambda: [b["id"] for b in lbd.cluster()["backends"]] == ["o"])
        # Its connection was not kept.
        self.until(lambda: self.slow.backend.connections[0].socket.fileno() < 0)

    def test_a_removed_backend_has_until_the_drain_timeout(self):
        lbd, client = self.start(timeouts={"drain": "200ms"})
        self.assertEqual(client.read_response().status, 504)
        self.until(lambda: [b["id"] for b in lbd.cluster()["backends"]] == ["o"])

    def test_a_removed_cluster_finishes_what_is_in_flight(self):
        lbd, client = self.start()
        config = http_config([self.other])
        config["clusters"][0]["name"] = config["listeners"][0]["cluster"] = "new"
        lbd.reload(config)
        self.assertEqual(self.client(lbd.address()).get().body, b"other")
        self.slow.release()
        self.assertEqual(client.read_response().body, b"slow")


class Listeners(EndToEnd):
    def setUp(self):
        self.backend = self.enterContext(Backend())
        self.ports = [self.enterContext(reserved_port()) for _ in range(3)]

    def config(self, **binds):
        config = http_config([self.backend])
        config["listeners"] = [{"name": name, "bind": f"127.0.0.1:{port}", "cluster": "web"}
                               for name, port in binds.items()]
        return config

    def status(self, port):
        with Client(("127.0.0.1", port)) as client:
            return client.get().status

    def refused(self, port):
        try:
            self.status(port)
            return False
        except OSError:
            return True

    def test_listeners_come_go_and_move(self):
        one, two, three = self.ports
        lbd = self.lbd(self.config(a=one))
        self.assertEqual(self.status(one), 200)
        kept = self.client(("127.0.0.1", one))
        self.assertEqual(kept.get().status, 200)
        lbd.reload(self.config(a=one, b=two))
        self.assertEqual((self.status(one), self.status(two)), (200, 200))
        lbd.reload(self.config(b=three))
        self.assertEqual(self.status(three), 200)
        self.until(lambda: self.refused(one) and self.refused(two))
        # What was accepted before goes on.
        self.assertEqual(kept.get().status, 200)

    def test_a_new_listener_on_port_0_says_where_it_is(self):
        lbd = self.lbd(self.config(a=self.ports[0]))
        lbd.reload(self.config(a=self.ports[0], b=0))
        with Client(lbd.address("b")) as client:
            self.assertEqual(client.get().status, 200)

    def test_a_listener_can_change_its_name_and_two_can_swap_addresses(self):
        one, two, _ = self.ports
        lbd = self.lbd(self.config(a=one, b=two))
        lbd.reload(self.config(renamed=one, b=two))
        self.assertEqual((self.status(one), self.status(two)), (200, 200))
        lbd.reload(self.config(renamed=two, b=one))
        self.assertEqual((self.status(one), self.status(two)), (200, 200))

    def test_new_limits_hold_for_new_connections(self):
        config = self.config(a=self.ports[0])
        lbd = self.lbd(config)
        config["listeners"][0]["max_body"] = 3
        lbd.reload(config)
        client = self.client(("127.0.0.1", self.ports[0]))
        self.assertEqual(client.get(method="POST", body=b"four").status, 413)

    def test_a_port_that_is_taken_changes_nothing(self):
        taken = int(self.backend.address.rsplit(":", 1)[1])
        lbd = self.lbd(self.config(a=self.ports[0]))
        event = lbd.reload(self.config(a=self.ports[0], b=self.ports[1], c=taken),
                           answer="config_rejected")
        self.assertIn(f"listener c: cannot listen on 127.0.0.1:{taken}", event["error"])
        self.assertEqual(self.status(self.ports[0]), 200)
        self.assertTrue(self.refused(self.ports[1]))


class Refused(EndToEnd):
    def setUp(self):
        self.backend = self.enterContext(Backend())
        self.config = http_config([self.backend], health_check={"type": "tcp"})
        self.daemon = self.lbd(self.config)
        self.peer = self.client(self.daemon.address())
        self.peer.get()

    def assert_refused(self, config, *words):
        before = self.daemon.backends()
        config_before = self.daemon.admin("GET", "/config")
        hash_before = self.daemon.metrics()["config_hash"]
        failures = self.daemon.metrics()["reloads"]["failure"]
        event = self.daemon.reload(config, answer="config_rejected")
        for word in words:
            self.assertIn(word, event["error"])
        self.assertEqual(event["cause"], "HUP")
        self.assertEqual(self.daemon.backends(), before)
        self.assertEqual(self.daemon.admin("GET", "/config"), config_before)
        self.assertEqual(self.daemon.metrics()["config_hash"], hash_before)
        self.assertEqual(self.daemon.metrics()["reloads"]["failure"], failures + 1)
        text = self.daemon.admin("GET", "/metrics")[1]
        self.assertIn('lbd_config_reloads_total{result="failure"} %d\n' % (failures + 1), text)
        self.assertEqual(self.peer.get().status, 200)  # Same connection, same backend.
        self.assertEqual(self.daemon.cluster()["connections_opened"], 1)

    def test_a_file_with_errors_changes_nothing_and_all_of_them_are_told(self):
        broken = copy.deepcopy(self.config)
        broken["listeners"][0]["protcol"] = "http"
        broken["clusters"][0]["strategy"] = "fastest"
        self.assert_refused(broken, "protcol", "protocol", "fastest")

    def test_a_file_that_is_no_json_changes_nothing(self):
        self.assert_refused("{", "lbd.json:1")

    def test_another_number_of_workers_is_refused_with_the_reason(self):
        self.assert_refused({**self.config, "workers": WORKERS + 1},
                            "workers cannot change while lbd runs; restart it")

    def test_a_backend_nobody_can_look_up_changes_nothing(self):
        broken = copy.deepcopy(self.config)
        broken["clusters"][0]["backends"].append({"id": "x", "address": "no.such.host.invalid:1"})
        self.assert_refused(broken, "backend x: cannot look up no.such.host.invalid:1")

    def test_a_good_file_after_a_bad_one_is_taken(self):
        self.assert_refused("nonsense")
        self.daemon.reload(self.config)
        self.assertEqual(self.daemon.metrics()["reloads"], {"success": 1, "failure": 1})

    def test_hup_without_a_file_is_ignored_and_said_so(self):
        lbd = self.lbd(arguments=["--listen", "127.0.0.1:0", "--backend", self.backend.address])
        lbd.process.send_signal(signal.SIGHUP)
        lbd.wait_for("reload_ignored")
        self.assertEqual(self.client(lbd.address("default")).get().status, 200)


if __name__ == "__main__":
    unittest.main()
