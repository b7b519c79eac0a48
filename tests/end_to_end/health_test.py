"""Active probes: who is taken out, who comes back, and what the log says about it."""

import threading
import unittest

from testbed import EndToEnd, dead_address, http_config, quick_server
from wire import Backend, answer

CHECK = {"type": "http", "path": "/health", "interval": "50ms", "timeout": "5s",
         "healthy_threshold": 3, "unhealthy_threshold": 2}


class Patient:
    """A backend whose /health answers what `health` says."""

    def __init__(self):
        self.health = "200 OK"
        self.probes = []
        self.backend = Backend(self._answer)

    def _answer(self, request):
        if request.target != "/health":
            return answer("served")
        self.probes.append(self.health)
        bodiless = request.method == "HEAD" or self.health.startswith("204")
        return answer("" if bodiless else "?", status=self.health)


class Probes(EndToEnd):
    def setUp(self):
        self.patient = Patient()
        self.enterContext(self.patient.backend)
        self.other = self.enterContext(Backend(name="other"))

    def served(self):
        """How often the patient served something other than probes."""
        return sum(target != "/health" for target in self.patient.backend.targets())

    def start(self, **check):
        return self.lbd(http_config([self.patient.backend, self.other], strategy="round_robin",
                                    health_check={**CHECK, **check}))

    def down_and_up(self, lbd):
        client = self.client(lbd.address())
        for _ in range(4):
            client.get()
        self.assertEqual(self.served(), 2)

        self.patient.health = "500 Broken"
        down = lbd.wait_for("backend_down", backend="b1")
        self.assertEqual((down["from"], down["to"], down["reason"]),
                         ("healthy", "unhealthy", "probe: 500"))
        self.until(lambda: not lbd.backends()["b1"]["eligible"])
        before = self.served()
        self.assertEqual([client.get().body for _ in range(10)], [b"other"] * 10)
        self.assertEqual(self.served(), before)

        self.patient.health = "204 Better"
        up = lbd.wait_for("backend_up", 3, to="healthy")  # Two came at the start.
        self.assertEqual((up["backend"], up["from"], up["reason"]),
                         ("b1", "unhealthy", "probe: 204"))
        self.until(lambda: lbd.backends()["b1"]["eligible"])
        for _ in range(4):
            client.get()
        self.assertEqual(self.served(), before + 2)
        # Thresholds: two failures took it out, three passes brought it back.
        self.assertGreaterEqual(self.patient.probes.count("500 Broken"), 2)
        self.assertGreaterEqual(self.patient.probes.count("204 Better"), 3)

    def test_a_backend_that_fails_its_probes_gets_nothing_until_it_passes_again(self):
        lbd = self.start()
        self.down_and_up(lbd)
        probe = next(r for r in self.patient.backend.requests if r.target == "/health")
        self.assertEqual(probe.first_line, "GET /health HTTP/1.1")
        self.assertEqual(probe["Host"], self.patient.backend.address)

    def test_head_probes_work_the_same(self):
        self.down_and_up(self.start(method="HEAD"))
        methods = {r.method for r in self.patient.backend.requests if r.target == "/health"}
        self.assertEqual(methods, {"HEAD"})

    def test_one_failure_below_the_threshold_changes_nothing(self):
        lbd = self.start(unhealthy_threshold=1000)
        self.patient.health = "500 Broken"
        self.until(lambda: self.patient.probes.count("500 Broken") >= 5)
        self.assertEqual(lbd.events("backend_down"), [])
        self.assertTrue(lbd.backends()["b1"]["eligible"])

    def test_a_redirect_passes_and_404_does_not(self):
        self.patient.health = "302 Found"
        lbd = self.start()
        self.assertEqual(lbd.backends()["b1"]["health"], "healthy")
        self.patient.health = "404 Not Found"
        self.assertEqual(lbd.wait_for("backend_down", backend="b1")["reason"], "probe: 404")

    def test_an_answer_that_is_not_http_fails_the_probe(self):
        bad = self.enterContext(Backend(lambda r: b"hello\r\n\r\n"))
        lbd = self.lbd(http_config([bad], health_check=CHECK))
        self.assertEqual(lbd.wait_for("backend_down")["reason"], "probe: not an HTTP answer")


class Connections(EndToEnd):
    def test_tcp_probes_ask_for_a_connection_and_no_more(self):
        server = self.enterContext(quick_server())
        lbd = self.lbd(http_config([server], health_check={**CHECK, "type": "tcp"}))
        self.assertEqual(self.client(lbd.address()).get().status, 200)
        server.kill()
        self.assertEqual(lbd.wait_for("backend_down")["reason"], "probe: Connection refused")
        self.assertEqual(self.client(lbd.address()).get().status, 503)

    def test_a_stopped_server_is_taken_out_by_probe_timeouts_and_comes_back(self):
        servers = [self.enterContext(quick_server(f"s{n}")) for n in (1, 2)]
        lbd = self.lbd(http_config(servers, strategy="round_robin",
                                   health_check={**CHECK, "timeout": "500ms"}))
        servers[0].stop()
        self.addCleanup(servers[0].go_on)
        down = lbd.wait_for("backend_down", backend="b1")
        self.assertEqual(down["reason"], "probe: no answer in time")
        self.until(lambda: not lbd.backends()["b1"]["eligible"])
        client = self.client(lbd.address())
        self.assertEqual([client.get().body for _ in range(6)], [b"s2"] * 6)
        servers[0].go_on()
        lbd.wait_for("backend_up", backend="b1", **{"from": "unhealthy"})
        self.until(lambda: lbd.backends()["b1"]["eligible"])
        self.assertEqual({client.get().body for _ in range(6)}, {b"s1", b"s2"})

    def test_a_backend_that_is_down_at_the_start_comes_in_when_it_is_up(self):
        patient = Patient()
        patient.health = "503 Starting"
        self.enterContext(patient.backend)
        lbd = self.lbd(http_config([patient.backend], health_check=CHECK))
        client = self.client(lbd.address())
        self.assertEqual(client.get().status, 503)
        patient.health = "200 OK"
        lbd.wait_for("backend_up")
        self.until(lambda: client.get().status == 200)

    def test_a_disabled_backend_is_not_probed_and_gets_nothing(self):
        patient = Patient()
        self.enterContext(patient.backend)
        other = self.enterContext(Backend(name="other"))
        lbd = self.lbd(http_config(
            [{"id": "off", "address": patient.backend.address, "state": "disabled"},
             {"id": "on", "address": other.address}], health_check=CHECK))
        client = self.client(lbd.address())
        self.until(lambda: other.targets().count("/health") >= 3)
        self.assertEqual([client.get().body for _ in range(4)], [b"other"] * 4)
        self.assertEqual(patient.backend.connections, [])


if __name__ == "__main__":
    unittest.main()
