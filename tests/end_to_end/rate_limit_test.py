"""Rate limits: how much passes, what the others are told, and one limit over all workers."""

import time
import unittest

from testbed import WORKERS, EndToEnd, http_config
from wire import Backend, Client, Cut

SLOW = {"rate": 0.001, "burst": 3}  # A token every 1000 s: none comes back while a test runs.


class RateLimit(EndToEnd):
    def setUp(self):
        self.backend = self.enterContext(Backend(name="served"))

    def start(self, limit, workers=WORKERS, **options):
        config = http_config([self.backend], **options)
        return self.lbd({**config, "rate_limit": limit, "workers": workers})

    def statuses(self, client, count, *fields):
        return [client.get("/", *fields).status for _ in range(count)]

    def test_a_burst_passes_and_then_429_says_when_to_come_back(self):
        lbd = self.start(SLOW)
        client = self.client(lbd.address())
        self.assertEqual(self.statuses(client, 3), [200] * 3)
        refused = client.get()
        self.assertEqual(refused.status, 429)
        self.assertIn(refused["Retry-After"], ("999", "1000"))
        self.assertEqual(refused.body, b"429 Too Many Requests\n")
        # The connection is as good as before: an impatient client need not open another.
        self.assertEqual(client.get().status, 429)
        self.assertEqual(len(self.backend.requests), 3)
        listener = lbd.metrics()["listeners"][0]
        self.assertEqual((listener["rate_limited"], listener["rejected"],
                          listener["connections"], listener["answers_4xx"]), (2, 0, 1, 2))
        self.assertIn('lbd_rate_limited_total{listener="web"} 2',
                      lbd.admin("GET", "/metrics")[1])

    def test_tokens_come_back(self):
        lbd = self.start({"rate": 20, "burst": 2})
        client = self.client(lbd.address())
        begin = time.monotonic()
        passed = 0
        while time.monotonic() - begin < 0.5:
            passed += client.get().status == 200
        elapsed = time.monotonic() - begin
        self.assertGreater(passed, 2)
        self.assertLessEqual(passed, 2 + 20 * elapsed)

    def test_a_body_that_is_still_to_come_ends_the_connection(self):
        lbd = self.start(SLOW)
        client = self.client(lbd.address())
        self.statuses(client, 3)
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nx")
        refused = client.read_response()
        self.assertEqual((refused.status, refused["Connection"]), (429, "close"))
        self.assertTrue(client.is_closed())

    def test_a_body_that_is_here_is_read_past(self):
        lbd = self.start(SLOW)
        client = self.client(lbd.address())
        self.statuses(client, 3)
        request = (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                   b"3\r\nabc\r\n0\r\n\r\n")
        client.send(request + request)
        for _ in range(2):
            refused = client.read_response()
            self.assertEqual((refused.status, refused["Connection"]), (429, None))

    def test_the_key_can_be_a_header(self):
        lbd = self.start({**SLOW, "key": {"header": "x-user"}})
        client = self.client(lbd.address())
        for user in ("ann", "bob"):
            self.assertEqual(self.statuses(client, 4, f"X-User: {user}"), [200] * 3 + [429])
        self.assertEqual(self.statuses(client, 4), [200] * 3 + [429])  # By address, then.

    def test_refused_requests_are_logged(self):
        lbd = self.start({"rate": 0.001, "burst": 1})
        self.statuses(self.client(lbd.address()), 2)
        passed, refused = lbd.access(2)
        self.assertEqual(passed["outcome"], "success")
        self.assertEqual((refused["outcome"], refused["status"], refused["method"]),
                         ("rate_limited", 429, "GET"))

    def test_workers_obey_one_limit_together(self):
        lbd = self.start({"rate": 0.001, "burst": 50}, workers=4)
        passed = 0
        for _ in range(150):
            with Client(lbd.address()) as client:
                passed += client.get().status == 200
            # Longer than a load exchange: what one worker let pass, the others know.
            time.sleep(0.005)
        self.assertGreaterEqual(passed, 50)
        self.assertLessEqual(passed, 60)

    def test_a_reload_keeps_what_was_spent_unless_the_limit_changes(self):
        lbd = self.start(SLOW)
        client = self.client(lbd.address())
        self.assertEqual(self.statuses(client, 4), [200] * 3 + [429])
        config = {key: value for key, value in lbd.config.items() if key != "admin"}
        config["clusters"][0]["retries"] = {"attempts": 2}
        lbd.reload(config)
        self.assertEqual(client.get().status, 429)
        lbd.reload({**config, "rate_limit": {**SLOW, "burst": 2}})
        self.assertEqual(self.statuses(client, 3), [200] * 2 + [429])
        del config["rate_limit"]
        lbd.reload(config)
        self.assertEqual(self.statuses(client, 5), [200] * 5)

    def test_a_refused_tcp_connection_is_reset(self):
        # Of another worker's connections a worker hears a millisecond later.
        lbd = self.start(SLOW, protocol="tcp", workers=1)
        for _ in range(3):
            self.assertEqual(self.client(lbd.address()).get().status, 200)
        with self.assertRaises((Cut, ConnectionError)):
            with Client(lbd.address()) as client:
                client.get()
        self.assertEqual(lbd.metrics()["listeners"][0]["rate_limited"], 1)


if __name__ == "__main__":
    unittest.main()
