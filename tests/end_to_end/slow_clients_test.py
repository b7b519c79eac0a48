"""Clients that take their time: each kind has a deadline, and none holds a connection for ever."""

import threading
import time
import unittest

from testbed import Background, EndToEnd, http_config
from wire import Backend, Client, Cut, answer


class SlowClients(EndToEnd):
    def setUp(self):
        self.backend = self.enterContext(Backend())

    def start(self, **timeouts):
        return self.lbd(http_config([self.backend], listener={"timeouts": timeouts}))

    def drip(self, client, data, stop, gap=0.05):
        for byte in data:
            if stop.is_set():
                return
            try:
                client.send(bytes([byte]))
            except OSError:
                return
            time.sleep(gap)

    def test_a_head_that_drips_is_408_at_its_deadline_however_steadily_it_comes(self):
        lbd = self.start(head="500ms", idle="60s")
        client = self.client(lbd.address())
        stop = threading.Event()
        dripping = Background(self.drip, client, b"GET / HTTP/1.1\r\nHost: test\r\nX: "
                              + b"x" * 2000, stop)
        began = time.monotonic()
        response = client.read_response()
        self.assertEqual((response.status, response["Connection"]), (408, "close"))
        self.assertGreater(time.monotonic() - began, 0.4)
        self.assertLess(time.monotonic() - began, 20)  # All of it would take 100 s.
        self.assertTrue(client.is_closed())
        stop.set()
        dripping.result()
        self.assertEqual(self.backend.heads, [])

    def test_an_unfinished_head_is_408(self):
        client = self.client(self.start(head="200ms").address())
        client.send("GET / HTTP/1.1\r\nHost: te")
        self.assertEqual(client.read_response().status, 408)
        self.assertTrue(client.is_closed())

    def test_a_body_that_drips_ends_however_steadily_it_comes(self):
        lbd = self.lbd(http_config([self.backend],
                                   listener={"timeouts": {"body": "300ms"}, "min_rate": "1KB"}))
        client = self.client(lbd.address())
        client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 4000\r\n\r\n")
        stop = threading.Event()
        dripping = Background(self.drip, client, b"x" * 4000, stop)  # 20 bytes a second.
        began = time.monotonic()
        record = lbd.access(1)[0]
        self.assertEqual((record["status"], record["outcome"]), (0, "client_gone"))
        self.assertLess(time.monotonic() - began, 20)  # All of it would take 200 s.
        stop.set()
        dripping.result()

    def test_a_body_at_the_least_rate_may_take_its_time(self):
        lbd = self.lbd(http_config([self.backend],
                                   listener={"timeouts": {"body": "200ms"}, "min_rate": "1KB"}))
        client = self.client(lbd.address())
        client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2000\r\n\r\n")
        for _ in range(20):  # 2 KB a second, for longer than the timeout.
            client.send(b"x" * 100)
            time.sleep(0.05)
        self.assertEqual(client.read_response().status, 200)

    def test_an_answer_that_is_drunk_in_sips_ends(self):
        backend = self.enterContext(Backend(lambda r: answer(b"x" * 20_000_000)))
        lbd = self.lbd(http_config([backend],
                                   listener={"timeouts": {"body": "500ms"}, "min_rate": "100MB"}))
        client = self.enterContext(Client(lbd.address(), receive_buffer=4096))
        client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        sipping = Background(self.sip, client)
        record = lbd.access(1)[0]
        self.assertEqual(record["outcome"], "client_gone")
        sipping.result()

    @staticmethod
    def sip(client):
        try:
            while client.read_bytes(4000):
                time.sleep(0.02)
        except (Cut, OSError):
            pass

    def test_the_408_is_not_lost_to_bytes_that_still_come(self):
        client = self.client(self.start(head="100ms").address())
        client.send("GET")
        self.assertEqual(client.read_head().status, 408)
        for _ in range(5):  # A reset would make the second of these fail.
            client.send("x")
            time.sleep(0.02)
        self.assertEqual(client.read_bytes(20), b"408 Request Timeout\n")

    def test_a_connection_on_which_nothing_comes_is_closed_without_a_word(self):
        client = self.client(self.start(idle="200ms").address())
        self.assertTrue(client.is_closed())

    def test_an_idle_kept_alive_connection_is_closed_without_a_word(self):
        client = self.client(self.start(idle="200ms").address())
        self.assertEqual(client.get().status, 200)
        self.assertTrue(client.is_closed())

    def test_a_request_longer_than_the_idle_timeout_is_served(self):
        release = threading.Event()
        slow = self.enterContext(Backend(lambda r: release.wait(30) and answer("slow")))
        lbd = self.lbd(http_config([slow], listener={
            "timeouts": {"idle": "100ms", "head": "100ms", "body": "100ms"}}))
        client = self.client(lbd.address())
        client.request()
        self.until(lambda: slow.targets())
        time.sleep(0.4)  # Past every deadline that must not count now.
        release.set()
        self.assertEqual(client.read_response().body, b"slow")

    def test_a_body_that_stalls_is_cut_and_never_delivered_as_a_whole(self):
        lbd = self.start(body="200ms")
        client = self.client(lbd.address())
        client.request("/stalled", "Content-Length: 100", method="POST")
        client.send("hello")
        try:
            self.assertIn(client.read_response().status, (408, 400))
        except Cut:
            pass
        self.until(lambda: lbd.cluster()["outcomes"]["client_gone"] == 1)
        self.assertEqual(self.client(lbd.address()).get("/next").status, 200)
        self.assertEqual(self.backend.targets(), ["/next"])

    def test_a_client_that_stops_reading_is_cut(self):
        big = self.enterContext(Backend(lambda r: answer(b"x" * 64_000_000)))
        lbd = self.lbd(http_config([big], listener={"timeouts": {"body": "300ms"}}))
        client = self.client(lbd.address())
        client.request()
        self.until(lambda: lbd.cluster()["outcomes"]["client_gone"] == 1)
        with self.assertRaises(Cut):
            client.read_response()
        self.assertEqual(lbd.backends()["b1"]["in_flight"], 0)

    def test_many_idle_connections_do_not_keep_others_from_being_served(self):
        lbd = self.start(idle="60s")
        idle = [self.client(lbd.address()) for _ in range(200)]
        self.until(lambda: lbd.metrics()["listeners"][0]["connections_active"] == 200)
        self.assertEqual(self.client(lbd.address()).get().status, 200)
        self.assertEqual(idle[100].get().status, 200)


if __name__ == "__main__":
    unittest.main()
