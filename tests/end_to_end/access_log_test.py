"""The access log: one line of JSON for each request, whatever a client sends."""

import os
import unittest

from testbed import EndToEnd, dead_address, http_config
from wire import Backend, Client, answer

TIMES = ["request_ms", "queue_ms", "connect_ms", "response_ms", "total_ms"]


class AccessLog(EndToEnd):
    def setUp(self):
        self.backend = self.enterContext(Backend(lambda r: answer("12345")))
        self.daemon = self.lbd(http_config([self.backend], strategy="round_robin"))
        self.peer = self.client(self.daemon.address())

    def test_a_line_has_who_what_where_why_and_the_five_times(self):
        self.peer.get("/path", method="POST", body=b"123")
        line = self.daemon.access(1)[0]
        times = [line.pop(name) for name in TIMES]
        self.assertRegex(line.pop("time"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(line, {
            "listener": "web", "client": "127.0.0.1", "method": "POST", "path": "/path",
            "host": "test", "status": 200, "outcome": "success", "cluster": "web",
            "backend": "b1", "attempts": 1, "reason": "only_one", "eligible": 1, "reused": False,
            "bytes_in": 3, "bytes_out": 5})
        self.assertTrue(all(0 <= time < 60_000 for time in times), times)
        self.assertGreaterEqual(times[4], max(times[:4]))
        self.peer.get("/again")
        again = self.daemon.access(2)[1]
        self.assertEqual((again["reused"], again["connect_ms"]), (True, 0))

    def test_a_retry_shows_in_attempts_and_in_the_backend_that_answered(self):
        dead = self.enterContext(dead_address())
        lbd = self.lbd(http_config([dead, self.backend], strategy="round_robin"))
        client = self.client(lbd.address())
        for _ in range(2):
            client.get()
        line = next(line for line in lbd.access(2) if line["attempts"] == 2)
        self.assertEqual((line["status"], line["backend"]), (200, "b2"))

    def test_what_lbd_answers_itself_is_logged_with_its_outcome(self):
        lbd = self.lbd(http_config([]))
        self.client(lbd.address()).get("/nobody")
        line = lbd.access(1)[0]
        self.assertEqual((line["status"], line["outcome"], line["attempts"], line["backend"],
                          line["path"]), (503, "no_backend", 0, "", "/nobody"))

    def test_the_query_is_not_logged(self):
        self.peer.get("/login?password=secret")
        self.assertEqual(self.daemon.access(1)[0]["path"], "/login")
        self.assertNotIn("secret", self.daemon.access_lines[0])

    def test_nothing_a_client_sends_breaks_a_line_or_forges_a_field(self):
        targets = ['/"', '/\\', '/\\"', '/","status":999,"x":"', "/{}[]", "/'`$(x)", "/%0a%0d%00",
                   "/" + "a" * 5000]
        hosts = ["a'b", "a~b", "[::1]:1", "x" * 3000]
        for target in targets:
            self.assertEqual(self.peer.get(target).status, 200)
        for host in hosts:
            self.peer.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")
            self.assertEqual(self.peer.read_response().status, 200)
        self.peer.send("A'B`~ / HTTP/1.1\r\nHost: a\r\n\r\n".replace("'B`~", "x" * 400))
        self.assertEqual(self.peer.read_response().status, 200)
        lines = self.daemon.access(len(targets) + len(hosts) + 1)
        self.assertEqual([line["path"] for line in lines[:len(targets)]],
                         [target[:2048] for target in targets])
        self.assertEqual([line["host"] for line in lines[len(targets):-1]],
                         [host[:128] for host in hosts])
        self.assertEqual({line["status"] for line in lines}, {200})
        self.assertEqual(lines[-1]["method"], ("A" + "x" * 400)[:32])

    def test_what_was_refused_is_one_line_too(self):
        rows = [b"GET /\xff\n HTTP/1.1\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n",
                b'"}\r\n{"status": 200}\r\n\r\n', b"GET /\xe2\x80\xa8 HTTP/1.1\r\nHost: a\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: \x1b[31m\r\n\r\n"]
        for data in rows:
            client = self.client(self.daemon.address())
            client.send(data)
            self.assertEqual(client.read_response().status, 400)
        for line in self.daemon.access(len(rows)):
            self.assertEqual((line["status"], line["outcome"], line["backend"]),
                             (400, "rejected", ""))
        for line in self.daemon.access_lines:
            self.assertTrue(line.isascii() and line.isprintable(), line)

    def test_it_can_go_to_a_file_and_is_complete_when_lbd_has_ended(self):
        path = os.path.join(self.temporary_directory(), "access.log")
        config = {**http_config([self.backend]), "log": {"access": path}}
        lbd = self.lbd(config)
        with Client(lbd.address()) as client:
            for _ in range(500):
                client.get()
        lbd.terminate()
        self.assertEqual(lbd.wait_end(), 0)
        with open(path) as file:
            self.assertEqual(len(file.readlines()), 500)
        self.assertEqual(lbd.access_lines, [])


if __name__ == "__main__":
    unittest.main()
