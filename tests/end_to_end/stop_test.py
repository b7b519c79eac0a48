"""How lbd ends, and `lbd run` without a file."""

import http.client
import signal
import threading
import time
import unittest

from testbed import EndToEnd, PATIENCE, http_config
from wire import Backend, Client, Cut, answer


class Stopping(EndToEnd):
    def setUp(self):
        self.release = threading.Event()
        self.backend = self.enterContext(Backend(self.slow_or_not))
        self.addCleanup(self.release.set)

    def slow_or_not(self, request):
        if request.target == "/slow":
            self.release.wait(60)
        return answer("served")

    def start(self, **options):
        # Nothing here ends because time is up, unless a test wants that.
        return self.lbd({**http_config([self.backend]), "shutdown_timeout": "10m", **options})

    def in_flight(self, lbd):
        client = self.client(lbd.address())
        client.request("/slow")
        self.until(lambda: "/slow" in self.backend.targets())
        return client

    def stopping(self, lbd):
        lbd.terminate()
        lbd.wait_for("stopping")

    def test_what_is_in_flight_is_finished_and_new_connections_are_refused(self):
        lbd = self.start()
        client = self.in_flight(lbd)
        self.stopping(lbd)

        def refused():
            try:
                Client(lbd.address()).close()
                return False
            except OSError:
                return True
        self.until(refused)
        self.assertEqual(lbd.admin("GET", "/readyz")[0], 503)
        self.assertEqual(lbd.admin("GET", "/livez")[0], 200)
        self.assertIsNone(lbd.process.poll())
        self.release.set()
        response = client.read_response()
        self.assertEqual((response.status, response.body), (200, b"served"))
        self.assertEqual(response["Connection"], "close")
        self.assertTrue(client.is_closed())
        self.assertEqual(lbd.wait_end(), 0)
        self.assertTrue(lbd.events("stopped"))

    def test_idle_connections_are_closed_at_once(self):
        lbd = self.start()
        idle = self.client(lbd.address())
        self.assertEqual(idle.get().status, 200)
        untouched = self.client(lbd.address())
        self.until(lambda: lbd.metrics()["listeners"][0]["connections_active"] == 2)
        self.stopping(lbd)
        self.assertTrue(idle.is_closed())
        self.assertTrue(untouched.is_closed())
        self.assertEqual(lbd.wait_end(), 0)

    def test_a_second_term_ends_at_once(self):
        lbd = self.start()
        client = self.in_flight(lbd)
        self.stopping(lbd)
        lbd.process.send_signal(signal.SIGTERM)
        self.assertEqual(lbd.wait_end(), 0)
        try:
            self.assertEqual(client.read_response().status, 504)
        except Cut:
            pass

    def test_the_shutdown_timeout_ends_what_would_not(self):
        lbd = self.start(shutdown_timeout="300ms")
        self.in_flight(lbd)
        self.stopping(lbd)
        self.assertEqual(lbd.wait_end(), 0)

    def test_int_stops_like_term(self):
        lbd = self.start()
        lbd.terminate = lambda: None
        lbd.process.send_signal(signal.SIGINT)
        lbd._ended_as_asked = True
        self.assertEqual(lbd.wait_end(), 0)

    def test_an_idle_admin_connection_does_not_hold_it_up(self):
        lbd = self.start()
        connection = http.client.HTTPConnection("127.0.0.1", lbd.admin_port, timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request("GET", "/livez")
        connection.getresponse().read()
        began = time.monotonic()
        self.stopping(lbd)
        self.assertEqual(lbd.wait_end(), 0)
        self.assertLess(time.monotonic() - began, 5)  # The admin server is patient for 10 s.

    def test_metrics_can_be_read_while_it_drains(self):
        lbd = self.start(workers=4)
        client = self.in_flight(lbd)
        self.stopping(lbd)
        for _ in range(3):
            self.assertEqual(lbd.cluster()["in_progress"], 1)
        self.release.set()
        self.assertEqual(client.read_response().status, 200)

    def test_a_reload_while_it_drains_is_refused(self):
        lbd = self.start()
        self.in_flight(lbd)
        self.stopping(lbd)
        event = lbd.reload(http_config([]), answer="config_rejected")
        self.assertIn("stopping", event["error"])

    def test_a_tcp_session_is_ended_by_the_shutdown_timeout(self):
        hold = self.enterContext(Backend(serve=lambda connection: connection.read_to_end()))
        lbd = self.lbd({**http_config([hold], protocol="tcp"), "shutdown_timeout": "300ms"})
        client = self.client(lbd.address())
        client.send("x")
        self.until(lambda: hold.connections)
        self.stopping(lbd)
        self.assertEqual(lbd.wait_end(), 0)
        with self.assertRaises(Cut):
            client.read_to_end()

    def test_a_term_before_the_first_probes_are_back_ends_it(self):
        hold = self.enterContext(Backend(serve=lambda connection: connection.read_to_end()))
        lbd = self.lbd(http_config([hold], health_check={"type": "http", "timeout": "60s"}),
                       wait_ready=False)
        self.until(lambda: hold.connections)
        lbd.terminate()
        self.assertEqual(lbd.wait_end(), 0)


class WithoutAFile(EndToEnd):
    def test_http_by_options_alone(self):
        servers = [self.enterContext(Backend(name=f"s{n}")) for n in (1, 2)]
        lbd = self.lbd(arguments=["--listen", "127.0.0.1:0", "--strategy", "round_robin",
                                  "--backend", servers[0].address,
                                  "--backend", servers[1].address])
        client = self.client(lbd.address("default"))
        self.assertEqual({client.get().body for _ in range(4)}, {b"s1", b"s2"})
        self.assertEqual(set(lbd.backends()), {"b1", "b2"})
        self.assertEqual(lbd.access(4)[0]["status"], 200)

    def test_tcp_by_options_alone(self):
        echo = self.enterContext(Backend(serve=lambda c: c.send(c.read_until(b"\n") + b"!")))
        lbd = self.lbd(arguments=["--tcp", "--listen", "127.0.0.1:0", "--backend", echo.address,
                                  "--access-log", "off"])
        client = self.client(lbd.address("default"))
        client.send("no http\n")
        self.assertEqual(client.read_to_end(), b"no http!")
        self.assertEqual(lbd.access_lines, [])


if __name__ == "__main__":
    unittest.main()
