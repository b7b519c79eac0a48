"""Backends that do not speak HTTP as they should: what they get wrong never becomes a client's
problem. A bad head is 502, a body cut short is seen to be cut, and nothing a backend says too much
is taken for the next answer."""

import threading
import unittest

from testbed import EndToEnd, http_config
from wire import Backend, Cut, answer, chunked

OK = b"HTTP/1.1 200 OK\r\n"
EMPTY = b"Content-Length: 0\r\n\r\n"

BAD_HEADS = [
    ("HTTP/2.0", b"HTTP/2.0 200 OK\r\n" + EMPTY),
    ("HTTP/1.2", b"HTTP/1.2 200 OK\r\n" + EMPTY),
    ("http/1.1", b"http/1.1 200 OK\r\n" + EMPTY),
    ("ICY", b"ICY 200 OK\r\n" + EMPTY),
    ("no HTTP at all", b"hello, world\r\n\r\n"),
    ("HTTP/0.9: a body alone", b"<html>\r\n\r\n</html>"),
    ("two spaces before the status", b"HTTP/1.1  200 OK\r\n" + EMPTY),
    ("a tab before the status", b"HTTP/1.1\t200 OK\r\n" + EMPTY),
    ("a status of two digits", b"HTTP/1.1 20 OK\r\n" + EMPTY),
    ("a status of four digits", b"HTTP/1.1 2000 OK\r\n" + EMPTY),
    ("a status with a sign", b"HTTP/1.1 -20 OK\r\n" + EMPTY),
    ("a status of letters", b"HTTP/1.1 abc OK\r\n" + EMPTY),
    ("status 099", b"HTTP/1.1 099 OK\r\n" + EMPTY),
    ("a control byte in the reason", b"HTTP/1.1 200 O\x01K\r\n" + EMPTY),
    ("an empty line before it", b"\r\n" + OK + EMPTY),
    ("a status line ended by LF", b"HTTP/1.1 200 OK\n" + EMPTY),
    ("a field ended by LF", OK + b"A: b\n" + EMPTY),
    ("CR in a value", OK + b"A: b\rc\r\n" + EMPTY),
    ("NUL in a value", OK + b"A: \0\r\n" + EMPTY),
    ("a folded field", OK + b"A: b\r\n c\r\n" + EMPTY),
    ("a space before a colon", OK + b"A : b\r\n" + EMPTY),
    ("an empty name", OK + b": b\r\n" + EMPTY),
    ("a line without a colon", OK + b"words\r\n" + EMPTY),
    ("two lengths that differ", OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
    ("two lengths that agree", OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    ("a list of lengths", OK + b"Content-Length: 5, 5\r\n\r\nhello"),
    ("a length with a plus", OK + b"Content-Length: +5\r\n\r\nhello"),
    ("a length of 2^64", OK + b"Content-Length: 18446744073709551616\r\n\r\n"),
    ("a length and chunks",
     OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"hello")),
    ("an unknown coding", OK + b"Transfer-Encoding: gzip\r\n\r\n"),
    ("chunked twice", OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + chunked(b"hello")),
    ("chunks in HTTP/1.0",
     b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"hello")),
    ("101 fields", OK + b"A: b\r\n" * 101 + EMPTY),
    ("a head of 40 KiB", OK + b"A: " + b"b" * 40960 + b"\r\n" + EMPTY),
    ("a switch of protocols that nobody asked for",
     b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    ("101 interim answers", b"HTTP/1.1 103 Early\r\n\r\n" * 101 + OK + EMPTY),
    ("a head cut short", b"HTTP/1.1 200 OK\r\nContent-Le"),
    ("an interim answer and no other", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ("an end without an answer", b""),
]

CUT_BODIES = [
    ("a length not reached", OK + b"Content-Length: 100\r\n\r\nhello"),
    ("no byte of the body", OK + b"Content-Length: 100\r\n\r\n"),
    ("chunks without their last", OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
    ("a chunk cut short", OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel"),
    ("a chunk size that is none", OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0x5\r\n"),
    ("a chunk without its CRLF", OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n"),
    ("a chunk size that overflows",
     OK + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello"),
    ("trailers cut short", OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b"),
]

BAIT = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned"


class HostileResponses(EndToEnd):
    def backend(self, data):
        """Sends `data` for the target /bad and closes; is good otherwise."""
        def script(connection):
            while request := connection.read_request():
                if request.target == "/bad":
                    connection.send(data)
                    return
                connection.send(answer("good"))
        return self.enterContext(Backend(serve=script))

    def test_a_bad_head_is_502_and_the_client_may_go_on(self):
        for name, data in BAD_HEADS:
            with self.subTest(name):
                backend = self.backend(data)
                lbd = self.lbd(http_config([backend], retries={"attempts": 1}))
                client = self.client(lbd.address())
                response = client.get("/bad")
                while response.status == 103:
                    response = client.read_response()
                self.assertEqual(response.status, 502)
                self.assertEqual(client.get("/good").body, b"good")
                self.assertEqual(len(backend.connections), 2)  # The bad one was not kept.
                outcomes = lbd.cluster()["outcomes"]
                self.assertEqual(outcomes["invalid_answer"] + outcomes["reset"], 1)

    def test_a_body_cut_short_is_seen_to_be_cut(self):
        for name, data in CUT_BODIES:
            with self.subTest(name):
                lbd = self.lbd(http_config([self.backend(data)]))
                client = self.client(lbd.address())
                with self.assertRaises(Cut):
                    client.get("/bad")
                self.assertEqual(self.client(lbd.address()).get("/good").body, b"good")
                self.assertEqual(lbd.cluster()["outcomes"]["cut"], 1)

    def test_a_reset_behind_a_body_without_a_length_is_seen_by_an_http_1_0_client(self):
        def script(connection):
            connection.read_request()
            connection.send(OK + b"\r\nsome of it")
            seen.wait(30)
            connection.reset()
        seen = threading.Event()
        backend = self.enterContext(Backend(serve=script))
        client = self.client(self.lbd(http_config([backend])).address())
        client.send("GET / HTTP/1.0\r\n\r\n")
        client.read_head()
        self.assertEqual(client.read_bytes(10), b"some of it")
        seen.set()
        with self.assertRaises(Cut):
            client.read_to_end()

    def leak_nothing(self, data, to="GET", status=200, later=b""):
        """A backend that says too much: together with its answer, or `later`, when the answer has
        arrived. No request after it may get any of that."""
        arrived = threading.Event()

        def script(connection):
            while request := connection.read_request():
                if request.target != "/bad":
                    connection.send(answer("good"))
                    continue
                connection.send(data)
                if later:
                    arrived.wait(30)
                    connection.send(later)
        backend = self.enterContext(Backend(serve=script))
        lbd = self.lbd(http_config([backend]))
        client = self.client(lbd.address())
        response = client.get("/bad", method=to)
        self.assertEqual(response.status, status)
        arrived.set()
        if later:
            self.until(lambda: lbd.backends()["b1"]["idle_connections"] == 0, "it was discarded")
        for _ in range(3):
            self.assertEqual(client.get("/good").body, b"good")
        self.assertEqual(len(backend.connections), 2)

    def test_bytes_behind_a_body_with_a_length_do_not_leak(self):
        self.leak_nothing(answer("hello") + BAIT)

    def test_bytes_behind_chunks_do_not_leak(self):
        self.leak_nothing(OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(b"hello") + BAIT)

    def test_a_body_of_a_head_answer_does_not_leak(self):
        self.leak_nothing(OK + b"Content-Length: %d\r\n\r\n" % len(BAIT) + BAIT, to="HEAD")

    def test_a_body_of_204_does_not_leak(self):
        self.leak_nothing(b"HTTP/1.1 204 No Content\r\n\r\n" + BAIT, status=204)

    def test_a_body_of_304_does_not_leak(self):
        self.leak_nothing(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 46\r\n\r\n" + BAIT,
                          status=304)

    def test_unasked_bytes_on_an_idle_connection_end_it(self):
        self.leak_nothing(answer("hello"), later=BAIT)

    def test_a_late_body_of_a_head_answer_does_not_leak(self):
        self.leak_nothing(OK + b"Content-Length: %d\r\n\r\n" % len(BAIT), to="HEAD", later=BAIT)

    def test_100_continue_is_not_passed_on(self):
        backend = self.backend(b"HTTP/1.1 100 Continue\r\n\r\n" + answer("x"))
        response = self.client(self.lbd(http_config([backend])).address()).get("/bad")
        self.assertEqual((response.status, response.body), (200, b"x"))

    def test_early_hints_are_passed_on_but_not_to_http_1_0(self):
        hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        lbd = self.lbd(http_config([self.backend(hints + answer("x"))]))
        client = self.client(lbd.address())
        response = client.get("/bad")
        self.assertEqual((response.status, response["Link"]), (103, "</a>"))
        self.assertEqual(client.read_response().body, b"x")
        old = self.client(lbd.address())
        old.send("GET /bad HTTP/1.0\r\n\r\n")
        self.assertEqual(old.read_response().status, 200)

    def test_statuses_and_reasons_pass_unchanged(self):
        for line in ("200 ", "200", "299 Fine \xe4", "418 I'm a teapot", "599 ?", "503 busy"):
            with self.subTest(line):
                backend = self.backend(answer("x", status=line))
                response = self.client(self.lbd(http_config([backend])).address()).get("/bad")
                self.assertEqual(response.first_line.rstrip(), f"HTTP/1.1 {line}".rstrip())
                self.assertEqual(response.body, b"x")

    def test_an_answer_before_the_request_was_heard_out_reaches_the_client(self):
        def script(connection):
            connection.read_head()
            connection.send(answer("enough", "Connection: close", status="413 Content Too Large"))
        backend = self.enterContext(Backend(serve=script))
        client = self.client(self.lbd(http_config([backend])).address())
        client.request("/", "Content-Length: 100000000", method="POST")
        response = client.read_response()
        self.assertEqual((response.status, response.body), (413, b"enough"))
        self.assertEqual(response["Connection"], "close")
        self.assertTrue(client.is_closed())


if __name__ == "__main__":
    unittest.main()
