"""Fault runs: load with account of every request, while one of two backends fails in every way.

The bars, for every run: no idempotent request is lost while one backend is well, no POST is
delivered twice, nobody gets another's answer, errors of any kind stop within a second of the fault
(three for a process that stands still), and a backend that is well again serves within 1.5 s.
An answer that breaks off behind its head cannot be had again: its client sees that it is broken.
"""

import functools
import time
import unittest

from fault_load import FaultRun, FaultyServer
from testbed import MAY_GROW, EndToEnd, deaf_address, http_config
from wire import Backend, Client, Cut

MIB = 1 << 20

# Of an operator who wants the bars above: probes, ejection by live traffic, short timeouts, and
# another try for what was not answered in time.
CAREFUL = {
    "health_check": {"path": "/health", "interval": "200ms", "timeout": "400ms"},
    "outlier_ejection": {"consecutive_failures": 3, "base_ejection_time": "1500ms",
                         "max_ejection_time": "1500ms"},
    "retries": {"on": ["connect_failure", "reset", "timeout"]},
    "timeouts": {"connect": "300ms", "response": "700ms", "idle": "700ms"},
}
IDEMPOTENT = ("GET", "PUT")

# Instead of an answer the connection ends, sooner or later.
BREAKS = ("reset", "close", "close_at_once", "half_line_close", "half_line_reset",
          "continue_reset")


class FaultsCase(EndToEnd):
    def start(self, workers=2, servers=2, **cluster):
        self.servers = [self.enterContext(FaultyServer(f"s{n}")) for n in range(1, servers + 1)]
        self.first = self.servers[0]
        config = http_config(self.servers, strategy="round_robin", **cluster)
        self.daemon = self.lbd({**config, "workers": workers})

    def play(self, fault, recover="well", during=1.3, **load):
        """A run with the bars that hold always. `fault` and `recover` are what the first server is
        ordered to do, or functions."""
        actions = [order if callable(order) else functools.partial(self.first.order, order)
                   for order in (fault, recover)]
        options = {"methods": ("GET", "PUT", "GET", "POST"), **load}
        run = FaultRun(self.daemon, self.servers, **options).run(*actions, during)
        self.assertEqual(run.of("wrong"), [])
        self.assertEqual(run.delivered_twice(), [])
        self.assertLess(run.back_after(self.first), 1.5)
        self.assertEqual(self.daemon.cluster()["in_progress"], 0)
        return run

    def lose_nothing(self, run):
        self.assertEqual(run.failed(methods=IDEMPOTENT), [])


class WithDefaults(FaultsCase):
    """Nobody probes and nobody ejects: each request finds out for itself."""

    def test_a_killed_process_costs_only_posts_it_had_and_serves_again(self):
        self.start()
        run = self.play(self.first.kill, self.first.start)
        self.lose_nothing(run)
        self.assertLess(run.trouble_lasted(), 1)

    def test_a_closed_port_and_a_reset_of_all_connections_cost_only_posts_under_way(self):
        self.start()
        run = self.play("refuse")
        self.lose_nothing(run)
        self.assertLess(run.trouble_lasted(), 1)

    def test_a_backend_that_breaks_every_connection_costs_no_get(self):
        self.start()
        for fault in BREAKS:
            with self.subTest(fault):
                run = self.play(fault, during=0.8)
                self.lose_nothing(run)
                # A POST that may have been taken is given up, and said so.
                self.assertEqual({r.status for r in run.failed()}, {502})

    def test_a_crash_with_hundreds_in_flight_costs_no_get(self):
        def crash():  # Beyond any retry budget.
            self.until(lambda: self.daemon.cluster()["attempts"] > 2000)
            self.until(lambda: self.daemon.backends()["b1"]["in_flight"] > 140 * workers)
            self.first.kill()
        for workers, kept in ((1, 0), (2, 0), (1, 1000), (2, 1000)):  # All of them new, or hardly any.
            with self.subTest(workers=workers, kept=kept):
                self.start(workers=workers, connection_pool={"max_idle_per_backend": kept})
                for server in self.servers:
                    server.order("slow")
                run = self.play(crash, self.first.start, loops=400 * workers, methods=("GET",))
                self.lose_nothing(run)

    def test_a_backend_that_comes_and_goes_costs_no_get(self):
        self.start()

        def flap():
            for _ in range(4):
                self.first.kill()
                time.sleep(0.3)
                self.first.start()
                time.sleep(0.3)
        run = self.play(flap, lambda: None)
        self.lose_nothing(run)

    def test_a_reset_right_behind_an_early_answer_loses_neither(self):
        self.start()
        run = self.play("early_reset", during=0.8)
        self.lose_nothing(run)


class WithCare(FaultsCase):
    """Probes, ejection and short timeouts: see CAREFUL."""

    def test_errors_stop_within_a_second_when_connections_break(self):
        self.start(**CAREFUL)
        for fault in BREAKS:
            with self.subTest(fault):
                run = self.play(fault)
                self.lose_nothing(run)
                self.assertLess(run.trouble_lasted(), 1)

    def test_a_killed_process_is_probed_out_and_back(self):
        self.start(workers=1, **CAREFUL)
        run = self.play(self.first.kill, self.first.start)
        self.lose_nothing(run)
        self.assertLess(run.trouble_lasted(), 1)

    def test_a_backend_that_stands_still_costs_no_get_and_its_errors_stop(self):
        self.start(**CAREFUL)
        for name, fault, recover in (("SIGSTOP", self.first.stop, self.first.go_on),
                                     ("no answers", "silent", "well"),
                                     ("half a line", "half_line", "well")):
            with self.subTest(name):
                run = self.play(fault, recover, during=3.3)
                self.lose_nothing(run)
                self.assertLess(run.trouble_lasted(), 3)

    def test_what_waits_for_a_backend_that_stands_still_goes_elsewhere(self):
        # No timeout strikes within the minute: only probes tell.
        self.start(health_check={"path": "/health", "interval": "200ms", "timeout": "400ms"})
        for name, fault, recover in (("SIGSTOP", self.first.stop, self.first.go_on),
                                     ("no answers", "silent", "well")):
            with self.subTest(name):
                run = self.play(fault, recover, during=3.3, methods=IDEMPOTENT)
                self.assertEqual(run.failed(), [])
                self.assertLess(max(r.ended - r.began for r in run.of("ok")), 3)

    def test_an_answer_that_drips_arrives_whole(self):
        self.start(**CAREFUL)
        run = self.play("drip")
        self.assertEqual(run.failed(), [])

    def test_answers_that_break_off_are_seen_to_and_the_backend_is_ejected(self):
        for workers, fault in ((1, "truncate"), (2, "truncate_chunks"), (2, "cut")):
            with self.subTest(fault):
                self.start(workers=workers, **CAREFUL)
                run = self.play(fault, size=20_000)
                self.assertGreater(len(run.of("cut")), 0)
                self.assertEqual(len(run.failed()), len(run.of("cut")))
                self.assertLess(run.trouble_lasted(), 1)
                self.assertGreater(len(self.daemon.events("backend_ejected")), 0)


    def test_a_backend_that_finishes_no_answer_is_ejected_after_three_of_them(self):
        self.start(workers=1, **CAREFUL)
        self.first.order("truncate")
        outcomes = []
        for _ in range(20):  # One after the other: no two answers are under way together.
            with Client(self.daemon.address()) as client:
                try:
                    outcomes.append(client.get("/x?size=200").status)
                except Cut:
                    outcomes.append("cut")
                    time.sleep(0.01)  # For the word of it to go round.
        self.assertEqual(outcomes.count("cut"), 3)
        self.assertEqual(outcomes.count(200), 17)


class KeptConnections(FaultsCase):
    """Backends may close them at any time, also just when a request goes out on one."""

    def clients_in_flight_together(self, count):
        """Clients that have had an answer, over as many connections to backends."""
        clients = [self.client(self.daemon.address()) for _ in range(count)]
        for number, client in enumerate(clients):
            client.request(f"/{number}")
        for client in clients:
            self.assertEqual(client.read_response().status, 200)
        return clients

    def test_however_many_are_dead_a_get_meets_one(self):
        self.start(workers=1, servers=1)
        self.first.order("slow")  # So that all of them are in flight at the same time.
        clients = self.clients_in_flight_together(20)
        self.assertEqual(self.daemon.backends()["b1"]["idle_connections"], 20)
        self.first.order("stale")
        self.assertEqual([client.get("/again").status for client in clients], [200] * 20)

    def test_a_post_on_a_dead_one_is_not_repeated(self):
        self.start(workers=1, servers=1)
        client = self.client(self.daemon.address())
        self.assertEqual(client.get("/first").status, 200)
        self.first.order("stale")
        self.assertEqual(client.get("/p", method="POST", body=b"x").status, 502)
        self.first.order("well")  # What it got before, it has said then.
        self.assertEqual(self.first.posts, ["p"])

    def test_a_restart_of_the_only_backend_costs_no_get_after_it(self):
        self.start(workers=2, servers=1)
        self.first.order("slow")
        clients = self.clients_in_flight_together(40)
        self.first.kill()
        self.first.start()
        self.assertEqual([client.get("/after").status for client in clients], [200] * 40)

    def test_pipelined_requests_get_their_own_answers_in_order_through_a_crash(self):
        self.start()
        for server in self.servers:
            server.order("slow")
        clients = [self.client(self.daemon.address()) for _ in range(20)]
        for number, client in enumerate(clients):
            client.send("".join(f"GET /{number}-{n} HTTP/1.1\r\nHost: test\r\n\r\n"
                                for n in range(5)))
        self.until(lambda: self.daemon.cluster()["requests"] > 25)
        self.first.kill()
        for number, client in enumerate(clients):
            names = [client.read_response().body.split()[1].decode() for _ in range(5)]
            self.assertEqual(names, [f"{number}-{n}" for n in range(5)])


class Uploads(FaultsCase):
    """A backend fails before it has heard a request out."""

    def upload(self, method="PUT", size=20 * MIB):
        """Begins one; returns the client and the server that gets it."""
        client = self.client(self.daemon.address())
        client.request("/upload", f"Content-Length: {size}", method=method)
        client.send(b"x" * MIB)
        busy = self.until(lambda: [name for name, backend in self.daemon.backends().items()
                                   if backend["in_flight"]])
        return client, self.servers[int(busy[0][1:]) - 1]

    def finish(self, client, count=19):
        """Sends the rest, as far as it is taken: the status, and after how many seconds."""
        began = time.monotonic()
        try:
            for _ in range(count):
                client.send(b"x" * MIB)
        except OSError:
            pass
        return client.read_response().status, time.monotonic() - began

    def test_a_process_that_is_stopped_during_an_upload_is_given_up(self):
        self.start(**CAREFUL)
        for method in ("PUT", "POST"):
            client, server = self.upload(method)
            server.stop()
            status, seconds = self.finish(client)
            server.go_on()
            self.assertEqual(status, 504)
            self.assertLess(seconds, 3)
            self.until(lambda: all(b["eligible"] for b in self.daemon.backends().values()))

    def test_a_process_that_is_killed_during_an_upload_is_told_at_once(self):
        self.start(workers=1)
        client, server = self.upload("POST")
        server.kill()
        status, seconds = self.finish(client)
        self.assertEqual(status, 502)
        self.assertLess(seconds, 1)

    def test_an_answer_before_the_body_and_then_a_reset_arrives(self):
        self.start(servers=1)
        self.first.order("early_reset")
        for number in range(10):
            client = self.client(self.daemon.address())
            client.request(f"/{number}", f"Content-Length: {5 * MIB}", method="POST")
            status, _ = self.finish(client, count=5)
            self.assertEqual(status, 200)


class NobodyLeft(FaultsCase):
    def statuses(self, count=20):
        """Of GETs on new connections; each has to be answered within a second."""
        found = set()
        for _ in range(count):
            with Client(self.daemon.address()) as client:
                began = time.monotonic()
                found.add(client.get("/x").status)
                self.assertLess(time.monotonic() - began, 1)
        return found

    def back_within(self, seconds, server):
        began = time.monotonic()
        server.start()
        self.until(lambda: self.statuses(1) == {200})
        self.assertLess(time.monotonic() - began, seconds)

    def all_down_then_one_up(self, **cluster):
        self.start(**cluster)
        self.assertEqual(self.statuses(), {200})
        for server in self.servers:
            server.kill()
        self.assertEqual(self.statuses(), {503})
        self.back_within(1.5, self.servers[1])
        self.assertEqual(self.statuses(), {200})

    def test_with_defaults_503_comes_within_a_second_and_service_is_back(self):
        self.all_down_then_one_up()

    def test_with_probes_503_comes_within_a_second_and_service_is_back(self):
        self.all_down_then_one_up(**CAREFUL)

    def test_where_none_ever_accepts_503_comes_within_a_second(self):
        deaf = [self.enterContext(deaf_address()) for _ in range(2)]
        self.daemon = self.lbd({**http_config(deaf, **CAREFUL), "workers": 2})
        self.assertEqual(self.statuses(), {503})

    def test_where_all_stand_still_503_comes_within_a_second_once_probes_say_so(self):
        self.start(**CAREFUL)
        for server in self.servers:
            server.stop()
        self.daemon.wait_for("backend_down", 2)
        self.until(lambda: not any(b["eligible"] for b in self.daemon.backends().values()))
        self.assertEqual(self.statuses(), {503})
        for server in self.servers:
            server.go_on()


class StoppedReaders(EndToEnd):
    def test_a_dozen_answers_of_64_mib_to_clients_that_stopped_reading_cost_little(self):
        size = 64 * MIB
        piece = bytes(MIB)

        def script(connection):
            while connection.read_request():
                connection.send(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n")
                for _ in range(size // MIB):
                    connection.send(piece)
        backends = [self.enterContext(Backend(serve=script)) for _ in range(2)]
        lbd = self.lbd({**http_config(backends, listener={"timeouts": {"body": "60s"}}),
                        "workers": 2})
        self.assertEqual(len(self.client(lbd.address()).get().body), size)  # Warms up.
        before = lbd.resident_bytes()
        clients = [self.enterContext(Client(lbd.address(), receive_buffer=8192))
                   for _ in range(12)]
        for client in clients:
            client.request()
        most = 0
        for _ in range(10):
            time.sleep(0.1)
            most = max(most, lbd.resident_bytes())
        self.assertEqual(lbd.cluster()["in_progress"], 12)
        self.assertLess(most - before, MAY_GROW)


if __name__ == "__main__":
    unittest.main()
