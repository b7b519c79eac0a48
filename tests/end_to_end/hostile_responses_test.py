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
    ("another protocol, which waits for us", b"SSH-2.0-OpenSSH_9.2\r\n"),
    ("something that has no lines", b"\x15\x03\x03\x00\x02\x02\x28"),
    ("an empty line, and no more", b"\r\n"),
    ("an unknown version, and no more", b"HTTP/2.0 200 OK\r\n"),
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
    ("HTTP/1.10", b"HTTP/1.10 200 OK\r\n" + EMPTY),
    ("HTTP/0.9", b"HTTP/0.9 200 OK\r\n" + EMPTY),
    ("HTTP/1", b"HTTP/1 200 OK\r\n" + EMPTY),
    ("HTTP without a version", b"HTTP 200 OK\r\n" + EMPTY),
    ("another protocol", b"RTSP/1.0 200 OK\r\n" + EMPTY),
    ("a NUL in the version", b"HTTP/1.1\0 200 OK\r\n" + EMPTY),
    ("a space before it", b" HTTP/1.1 200 OK\r\n" + EMPTY),
    ("a NUL before it", b"\0" + OK + EMPTY),
    ("a byte order mark before it", b"\xef\xbb\xbf" + OK + EMPTY),
    ("a line of something before it", b"warning: x\r\n" + OK + EMPTY),
    ("a request", b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"),
    ("no status", b"HTTP/1.1 OK\r\n" + EMPTY),
    ("a version and nothing else", b"HTTP/1.1\r\n" + EMPTY),
    ("a version and a space", b"HTTP/1.1 \r\n" + EMPTY),
    ("a status of one digit", b"HTTP/1.1 2 OK\r\n" + EMPTY),
    ("a status with a plus", b"HTTP/1.1 +20 OK\r\n" + EMPTY),
    ("a hexadecimal status", b"HTTP/1.1 0xc8 OK\r\n" + EMPTY),
    ("a status with a point", b"HTTP/1.1 200.1 OK\r\n" + EMPTY),
    ("a status and its reason without a space", b"HTTP/1.1 200OK\r\n" + EMPTY),
    ("a tab behind the status", b"HTTP/1.1 200\tOK\r\n" + EMPTY),
    ("status 000", b"HTTP/1.1 000 OK\r\n" + EMPTY),
    ("CR in the reason", b"HTTP/1.1 200 O\rK\r\n" + EMPTY),
    ("NUL in the reason", b"HTTP/1.1 200 O\0K\r\n" + EMPTY),
    ("DEL in the reason", b"HTTP/1.1 200 O\x7fK\r\n" + EMPTY),
    ("a status line ended by CR CR LF", b"HTTP/1.1 200 OK\r\r\n" + EMPTY),
    ("a head ended by LF", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\n"),
    ("all lines ended by LF", b"HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
    ("a field folded with a tab", OK + b"A: b\r\n\tc\r\n" + EMPTY),
    ("a folded length", OK + b"Content-Length:\r\n 0\r\n\r\n"),
    ("a space before the first field", b"HTTP/1.1 200 OK\r\n A: b\r\n" + EMPTY),
    ("a tab before a colon", OK + b"A\t: b\r\n" + EMPTY),
    ("a vertical tab in a value", OK + b"A: \x0bb\r\n" + EMPTY),
    ("an escape in a value", OK + b"A: \x1b[2J\r\n" + EMPTY),
    ("NUL in a name", OK + b"A\0: b\r\n" + EMPTY),
    ("a name above 127", OK + b"\xe4: b\r\n" + EMPTY),
    ("CR LF in a cookie", OK + b"Set-Cookie: a=b\r\nwords\r\n" + EMPTY),
    ("an empty length", OK + b"Content-Length:\r\n\r\n"),
    ("a length with a minus", OK + b"Content-Length: -5\r\n\r\nhello"),
    ("a hexadecimal length", OK + b"Content-Length: 0x5\r\n\r\nhello"),
    ("a length with a space inside", OK + b"Content-Length: 0 5\r\n\r\nhello"),
    ("a length with a point", OK + b"Content-Length: 5.0\r\n\r\nhello"),
    ("a length and its unit", OK + b"Content-Length: 5 bytes\r\n\r\nhello"),
    ("a length with NEL", OK + b"Content-Length: 5\x85\r\n\r\nhello"),
    ("an empty length, then a good one",
     OK + b"Content-Length:\r\nContent-Length: 5\r\n\r\nhello"),
    ("a length with an underscore in its name", OK + b"Content_Length: 0\r\n" + EMPTY),
    ("a length with a space before its colon", OK + b"Content-Length : 0\r\n\r\n"),
    ("chunks and a length",
     OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + chunked(b"hello")),
    ("chunks and a length of zero",
     OK + b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n" + chunked(b"hello")),
    ("identity", OK + b"Transfer-Encoding: identity\r\n\r\nhello"),
    ("identity and a length", OK + b"Transfer-Encoding: identity\r\n" + EMPTY),
    ("gzip, chunked", OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + chunked(b"hello")),
    ("gzip, then chunked, in two fields",
     OK + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"hello")),
    ("chunked in two fields",
     OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
     + chunked(b"hello")),
    ("an empty coding", OK + b"Transfer-Encoding:\r\n\r\n" + chunked(b"hello")),
    ("xchunked", OK + b"Transfer-Encoding: xchunked\r\n\r\n" + chunked(b"hello")),
    ("chunked with a parameter", OK + b"Transfer-Encoding: chunked;q=1\r\n\r\n"
     + chunked(b"hello")),
    ("a vertical tab before chunked", OK + b"Transfer-Encoding: \x0bchunked\r\n\r\n"
     + chunked(b"hello")),
    ("a coding with a space before its colon", OK + b"Transfer-Encoding : chunked\r\n\r\n"
     + chunked(b"hello")),
    ("a Connection option that is no token", OK + b"Connection: close x\r\n" + EMPTY),
    ("1000 Connection options", OK + b"Connection: " + b"x," * 1000 + b"x\r\n" + EMPTY),
    ("1000 fields of nothing", OK + b"A:\r\n" * 1000 + EMPTY),
    ("a reason of 40 KiB", b"HTTP/1.1 200 " + b"x" * 40960 + b"\r\n" + EMPTY),
    ("a head without an end", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 10000),
    ("204 with a length", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"),
    ("204 with chunks",
     b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"hello")),
    ("an interim answer with a length",
     b"HTTP/1.1 103 Early\r\nContent-Length: 5\r\n\r\nhello" + OK + EMPTY),
    ("100 with chunks", b"HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n"
     + chunked(b"hello") + OK + EMPTY),
    ("bytes behind an interim answer", b"HTTP/1.1 100 Continue\r\n\r\nhello" + OK + EMPTY),
    ("an empty line behind an interim answer", b"HTTP/1.1 100 Continue\r\n\r\n\r\n" + OK + EMPTY),
    ("a bad interim answer", b"HTTP/1.1 100 Continue\nA: b\r\n\r\n" + OK + EMPTY),
    ("101 without a word of what to", b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + OK + EMPTY),
    ("a flood of 100", b"HTTP/1.1 100 Continue\r\n\r\n" * 5000),
]

# Likewise, and then the end of the stream.
ENDED_HEADS = [
    ("a head cut short", b"HTTP/1.1 200 OK\r\nContent-Le"),
    ("a head cut before its empty line", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"),
    ("a head cut in its empty line", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r"),
    ("a status line cut short", b"HTTP/1.1 20"),
    ("an interim answer and no other", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ("HTTP/0.9: a body without an end", b"<html></html>"),
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
    ("a last chunk without its empty line",
     OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"),
    ("a last chunk cut in its empty line",
     OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r"),
    ("no chunk", OK + b"Transfer-Encoding: chunked\r\n\r\n"),
    *((name, OK + b"Transfer-Encoding: chunked\r\n\r\n" + body) for name, body in [
        ("a chunk size with a plus", b"+5\r\nhello\r\n0\r\n\r\n"),
        ("a chunk size with a minus", b"-5\r\nhello\r\n0\r\n\r\n"),
        ("a space before a chunk size", b" 5\r\nhello\r\n0\r\n\r\n"),
        ("a space behind a chunk size", b"5 \r\nhello\r\n0\r\n\r\n"),
        ("an underscore in a chunk size", b"0_5\r\nhello\r\n0\r\n\r\n"),
        ("an empty chunk size", b"\r\nhello\r\n0\r\n\r\n"),
        ("a chunk size of 2^64 + 5", b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
        ("a chunk size ended by LF", b"5\nhello\r\n0\r\n\r\n"),
        ("a chunk ended by LF", b"5\r\nhello\n0\r\n\r\n"),
        ("a chunk longer than its size", b"4\r\nhello\r\n0\r\n\r\n"),
        ("an empty line between chunks", b"5\r\nhello\r\n\r\n0\r\n\r\n"),
        ("LF in a chunk extension", b"5;a\nb\r\nhello\r\n0\r\n\r\n"),
        ("a quote that is not closed", b'5;a="b\r\nhello\r\n0\r\n\r\n'),
        ("20 KiB of chunk extension", b"5;" + b"x" * 20480 + b"\r\nhello\r\n0\r\n\r\n"),
        ("a last chunk ended by LF", b"5\r\nhello\r\n0\r\n\n"),
        ("an answer for a trailer", b"0\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ("a folded trailer", b"0\r\nA: b\r\n c\r\n\r\n"),
        ("a trailer with CR", b"0\r\nA: b\rc\r\n\r\n"),
        ("20 KiB of trailers", b"0\r\nA: " + b"b" * 20480 + b"\r\n\r\n"),
        ("a body that is not in chunks", b"hello"),
    ]),
]

BAIT = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned"


# Answers that are good, with something behind them: the method, the status, the body the client
# gets, and all that is sent.
SURPLUS = [
    ("another answer", "GET", 200, b"hello", answer("hello") + BAIT),
    ("another answer behind chunks", "GET", 200, b"hello",
     OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(b"hello") + BAIT),
    ("another answer behind trailers", "GET", 200, b"",
     OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n" + BAIT),
    ("another answer behind an empty one", "GET", 200, b"", answer() + BAIT),
    ("half of another answer", "GET", 200, b"hello", answer("hello") + BAIT[:20]),
    ("an empty line", "GET", 200, b"hello", answer("hello") + b"\r\n"),
    ("one byte", "GET", 200, b"hello", answer("hello") + b"!"),
    ("a NUL", "GET", 200, b"hello", answer("hello") + b"\0"),
    ("a body longer than its length", "GET", 200, b"hel",
     OK + b"Content-Length: 3\r\n\r\nhello"),
    ("a body behind a length of zero", "GET", 200, b"", OK + EMPTY + b"hello"),
    ("a second last chunk", "GET", 200, b"hello",
     OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(b"hello") + b"0\r\n\r\n"),
    ("an interim answer", "GET", 200, b"hello",
     answer("hello") + b"HTTP/1.1 100 Continue\r\n\r\n"),
    ("the body of a HEAD", "HEAD", 200, b"", answer("hello")),
    ("the body of a HEAD, an answer", "HEAD", 200, b"",
     OK + b"Content-Length: %d\r\n\r\n" % len(BAIT) + BAIT),
    ("the chunks of a HEAD", "HEAD", 200, b"",
     OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(BAIT)),
    ("the last chunk of a HEAD", "HEAD", 200, b"",
     OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("the body of 204", "GET", 204, b"", b"HTTP/1.1 204 No Content\r\n\r\n" + BAIT),
    ("the body of 204 with a length of zero", "GET", 204, b"",
     b"HTTP/1.1 204 No Content\r\n" + EMPTY + BAIT),
    ("the body of 304", "GET", 304, b"",
     b"HTTP/1.1 304 Not Modified\r\nContent-Length: %d\r\n\r\n" % len(BAIT) + BAIT),
    ("the chunks of 304", "GET", 304, b"",
     b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(BAIT)),
]


class HostileAnswers(EndToEnd):
    """Tables, played by one backend: for /N it sends the Nth row, and for all else "good". A
    connection that it said something wrong on stays open, to see whether it is used again."""

    def play(self, rows, then_end=False):
        def script(connection):
            while request := connection.read_request():
                if request.target == "/good":
                    connection.send(answer("good"))
                    continue
                connection.send(rows[int(request.target[1:])])
                if then_end:
                    return
        self.backend = self.enterContext(Backend(serve=script))
        self.daemon = self.lbd(http_config([self.backend], retries={"attempts": 1}))

    def goes_on_elsewhere(self, client):
        """The next request gets its own answer, and not on the connection of the last one."""
        last = self.backend.requests[-1].connection
        self.assertEqual(client.get("/good").body, b"good")
        self.assertNotEqual(self.backend.requests[-1].connection, last, "it was used again")

    def outcomes(self, *names):
        return sum(self.daemon.cluster()["outcomes"][name] for name in names)

    def refuse_heads(self, rows, then_end):
        self.play([data for _, data in rows], then_end)
        for number, (name, _) in enumerate(rows):
            with self.subTest(name):
                client = self.client(self.daemon.address())
                response = client.get(f"/{number}")
                while response.status == 103:
                    response = client.read_response()
                self.assertEqual(response.status, 502)
                self.assertNotIn(b"200", response.body)
                self.goes_on_elsewhere(client)
                self.assertEqual(self.outcomes("invalid_answer", "reset"), number + 1)

    def test_a_bad_head_is_502_and_the_client_may_go_on(self):
        self.refuse_heads(BAD_HEADS, then_end=False)

    def test_a_head_cut_short_is_502_and_the_client_may_go_on(self):
        self.refuse_heads(ENDED_HEADS, then_end=True)

    def test_a_body_cut_short_is_seen_to_be_cut(self):
        self.play([data for _, data in CUT_BODIES], then_end=True)
        for number, (name, _) in enumerate(CUT_BODIES):
            with self.subTest(name):
                client = self.client(self.daemon.address())
                with self.assertRaises(Cut):
                    client.get(f"/{number}")
                self.goes_on_elsewhere(self.client(self.daemon.address()))
                self.assertEqual(self.outcomes("cut"), number + 1)

    def test_a_body_cut_short_is_seen_by_a_client_of_http_1_0(self):
        self.play([data for _, data in CUT_BODIES], then_end=True)
        for number, (name, _) in enumerate(CUT_BODIES):
            with self.subTest(name):
                client = self.client(self.daemon.address())
                client.send(f"GET /{number} HTTP/1.0\r\n\r\n")
                with self.assertRaises(Cut):
                    client.read_head()
                    client.read_to_end()

    def test_what_is_behind_an_answer_goes_to_nobody(self):
        self.play([data for _, _, _, _, data in SURPLUS])
        for number, (name, method, status, body, _) in enumerate(SURPLUS):
            with self.subTest(name):
                client = self.client(self.daemon.address())
                response = client.get(f"/{number}", method=method)
                self.assertEqual((response.status, response.body), (status, body))
                self.goes_on_elsewhere(client)
                self.assertEqual(self.client(self.daemon.address()).get("/good").body, b"good")

    def test_there_are_enough_of_them(self):
        names = [row[0] for row in BAD_HEADS + ENDED_HEADS + CUT_BODIES + SURPLUS]
        self.assertGreaterEqual(len(names), 80)


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

    def test_unasked_bytes_on_an_idle_connection_end_it(self):
        self.leak_nothing(answer("hello"), later=BAIT)

    def test_a_late_body_of_a_head_answer_does_not_leak(self):
        self.leak_nothing(OK + b"Content-Length: %d\r\n\r\n" % len(BAIT), to="HEAD", later=BAIT)

    def test_a_body_that_a_head_told_of_is_not_waited_for(self):
        def script(connection):
            request = connection.read_request()
            connection.send(OK + b"Content-Length: %d\r\n\r\n" % len(BAIT))
            if request.method != "HEAD":
                connection.send(BAIT)
            # To whoever comes next on this connection.
            elif connection.read_head():
                connection.send(BAIT)
        backend = self.enterContext(Backend(serve=script))
        client = self.client(self.lbd(http_config([backend])).address())
        self.assertEqual(client.get("/", method="HEAD").status, 200)
        self.assertEqual(client.get("/").body, BAIT)
        self.assertEqual([request.connection for request in backend.requests], [1, 2])

    def test_a_head_without_a_body_to_tell_of_keeps_its_connection(self):
        backend = self.enterContext(Backend(lambda request: answer()))
        client = self.client(self.lbd(http_config([backend])).address())
        for method in ("HEAD", "GET", "HEAD"):
            self.assertEqual(client.get("/", method=method).status, 200)
        self.assertEqual(len(backend.connections), 1)

    def test_an_answer_to_half_a_request_leaves_no_connection_for_the_next(self):
        def script(connection):
            while request := connection.read_head():
                if request.method == "GET":
                    connection.send(answer("good"))
                    continue
                connection.send(answer("early"))
                sent.wait(30)
        sent = threading.Event()
        backend = self.enterContext(Backend(serve=script))
        lbd = self.lbd(http_config([backend]))
        client = self.client(lbd.address())
        client.request("/", "Content-Length: 1000", method="POST")
        self.assertEqual(client.read_response().body, b"early")
        self.assertTrue(client.is_closed())
        sent.set()
        self.assertEqual(self.client(lbd.address()).get("/").body, b"good")
        self.assertEqual(backend.heads[-1].connection, 2)

    def test_a_client_that_leaves_takes_its_answer_with_it(self):
        def script(connection):
            while request := connection.read_request():
                if request.target == "/good":
                    connection.send(answer("good"))
                    continue
                connection.send(OK + b"Content-Length: 1000000\r\n\r\n" + b"x" * 1000)
                gone.wait(30)
                connection.send(b"x" * 999000 + BAIT)
        gone = threading.Event()
        backend = self.enterContext(Backend(serve=script))
        lbd = self.lbd(http_config([backend]))
        client = self.client(lbd.address())
        client.request("/")
        client.read_head()
        client.reset()
        gone.set()
        for _ in range(3):
            self.assertEqual(self.client(lbd.address()).get("/good").body, b"good")
        self.assertTrue(all(request.connection > 1 for request in backend.requests[1:]))

    def test_a_client_of_http_1_0_gets_no_chunks(self):
        data = OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(b"hello", b" world")
        client = self.client(self.lbd(http_config([self.backend(data)])).address())
        client.send("GET /bad HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        response = client.read_head()
        self.assertIsNone(response["Transfer-Encoding"])
        self.assertEqual(response["Connection"], "close")
        self.assertEqual(client.read_to_end(), b"hello world")

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
