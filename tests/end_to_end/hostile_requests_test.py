"""Requests that two parsers could read differently, or that no parser should read at all.

Each is refused with its status and the end of the connection, and no backend sees a byte of it.
Rows say what is wrong with them; everything else about them is right.
"""

import unittest

from testbed import EndToEnd, Lbd, http_config
from wire import Backend

GOOD = b"GET /good HTTP/1.1\r\nHost: test\r\n\r\n"


def get(*fields, target=b"/", version=b"HTTP/1.1", host=b"Host: test", method=b"GET"):
    lines = [b" ".join([method, target, version]), *([host] if host is not None else []), *fields]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def post(*fields, body=b"hello", version=b"HTTP/1.1"):
    return get(*fields, method=b"POST", version=version) + body


def with_chunks(body):
    return post(b"Transfer-Encoding: chunked", body=body)


CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"

LENGTHS = [
    ("a length and chunks", 400,
     post(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=CHUNKS)),
    ("chunks and a length", 400,
     post(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=CHUNKS)),
    ("a length and an unknown coding", 400, post(b"Content-Length: 5", b"Transfer-Encoding: x")),
    ("two lengths that agree", 400, post(b"Content-Length: 5", b"Content-Length: 5")),
    ("two lengths that differ", 400, post(b"Content-Length: 5", b"Content-Length: 6")),
    ("an empty length, then a good one", 400, post(b"Content-Length:", b"Content-Length: 5")),
    ("a list of lengths", 400, post(b"Content-Length: 5, 5")),
    ("a length with a plus", 400, post(b"Content-Length: +5")),
    ("a length with a minus", 400, post(b"Content-Length: -5")),
    ("a length with a space inside", 400, post(b"Content-Length: 5 0")),
    ("a hexadecimal length", 400, post(b"Content-Length: 0x5")),
    ("a length with a point", 400, post(b"Content-Length: 5.0")),
    ("a length with an exponent", 400, post(b"Content-Length: 5e0")),
    ("a quoted length", 400, post(b'Content-Length: "5"')),
    ("an empty length", 400, post(b"Content-Length:")),
    ("a length of 2^64", 400, post(b"Content-Length: 18446744073709551616")),
    ("a length of 2^64 + 5", 400, post(b"Content-Length: 18446744073709551621")),
    ("a length with a NUL", 400, post(b"Content-Length: 5\0")),
    ("a length with a vertical tab", 400, post(b"Content-Length: \x0b5")),
]

CODINGS = [
    ("xchunked", 501, post(b"Transfer-Encoding: xchunked", body=CHUNKS)),
    ("chunked twice in a list", 501, post(b"Transfer-Encoding: chunked, chunked", body=CHUNKS)),
    ("chunked twice in two fields", 400,
     post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=CHUNKS)),
    ("chunked, then identity", 501, post(b"Transfer-Encoding: chunked, identity", body=CHUNKS)),
    ("identity, then chunked", 501, post(b"Transfer-Encoding: identity, chunked", body=CHUNKS)),
    ("identity", 501, post(b"Transfer-Encoding: identity")),
    ("gzip, chunked", 501, post(b"Transfer-Encoding: gzip, chunked", body=CHUNKS)),
    ("an empty coding", 501, post(b"Transfer-Encoding:", body=CHUNKS)),
    ("chunked with a comma", 501, post(b"Transfer-Encoding: chunked,", body=CHUNKS)),
    ("chunked with a parameter", 501, post(b"Transfer-Encoding: chunked;q=1", body=CHUNKS)),
    ("quoted chunked", 501, post(b'Transfer-Encoding: "chunked"', body=CHUNKS)),
    ("a vertical tab before chunked", 400, post(b"Transfer-Encoding: \x0bchunked", body=CHUNKS)),
    ("a vertical tab behind chunked", 400, post(b"Transfer-Encoding: chunked\x0b", body=CHUNKS)),
    ("a form feed before chunked", 400, post(b"Transfer-Encoding: \x0cchunked", body=CHUNKS)),
    ("a NUL behind chunked", 400, post(b"Transfer-Encoding: chunked\0", body=CHUNKS)),
    ("chunked with a Kelvin sign", 501,
     post(b"Transfer-Encoding: chun\xe2\x84\xaaed", body=CHUNKS)),
    ("chunks in HTTP/1.0", 400,
     post(b"Transfer-Encoding: chunked", body=CHUNKS, version=b"HTTP/1.0")),
    ("a space before the colon of the coding", 400,
     post(b"Transfer-Encoding : chunked", body=CHUNKS)),
    ("a folded coding", 400, post(b"Transfer-Encoding:\r\n chunked", body=CHUNKS)),
]

CHUNK_SIZES = [
    ("a chunk size with 0x", 400, with_chunks(b"0x5\r\nhello\r\n0\r\n\r\n")),
    ("a chunk size with a plus", 400, with_chunks(b"+5\r\nhello\r\n0\r\n\r\n")),
    ("a chunk size with a minus", 400, with_chunks(b"-5\r\nhello\r\n0\r\n\r\n")),
    ("a space before a chunk size", 400, with_chunks(b" 5\r\nhello\r\n0\r\n\r\n")),
    ("a space behind a chunk size", 400, with_chunks(b"5 \r\nhello\r\n0\r\n\r\n")),
    ("an underscore in a chunk size", 400, with_chunks(b"0_5\r\nhello\r\n0\r\n\r\n")),
    ("an empty chunk size", 400, with_chunks(b"\r\nhello\r\n0\r\n\r\n")),
    ("a chunk size of 2^64", 400, with_chunks(b"10000000000000000\r\nhello")),
    ("a chunk size of 2^64 + 5", 400, with_chunks(b"10000000000000005\r\nhello\r\n0\r\n\r\n")),
    ("a chunk size ended by LF", 400, with_chunks(b"5\nhello\r\n0\r\n\r\n")),
    ("a chunk size ended by CR", 400, with_chunks(b"5\rhello\r\n0\r\n\r\n")),
    ("a chunk without its CRLF", 400, with_chunks(b"5\r\nhello0\r\n\r\n")),
    ("a chunk ended by LF", 400, with_chunks(b"5\r\nhello\n0\r\n\r\n")),
    ("a chunk longer than its size", 400, with_chunks(b"4\r\nhello\r\n0\r\n\r\n")),
    ("LF in a chunk extension", 400, with_chunks(b"5;a\nb\r\nhello\r\n0\r\n\r\n")),
    ("a NUL in a chunk extension", 400, with_chunks(b"5;\0\r\nhello\r\n0\r\n\r\n")),
    ("20 KiB of chunk extension", 400,
     with_chunks(b"5;" + b"x" * 20480 + b"\r\nhello\r\n0\r\n\r\n")),
    ("a folded trailer", 400, with_chunks(b"0\r\nA: b\r\n c\r\n\r\n")),
    ("a trailer with a NUL", 400, with_chunks(b"0\r\nA: \0\r\n\r\n")),
    ("a trailer that is a request", 400, with_chunks(b"0\r\nGET / HTTP/1.1\r\n\r\n")),
    ("trailers ended by LF", 400, with_chunks(b"0\r\nA: b\n\r\n")),
    ("a last chunk ended by CR and something", 400, with_chunks(b"0\r\n\rX")),
]

FIELD_LINES = [
    ("a space before a colon", 400, get(b"X : y")),
    ("a tab before a colon", 400, get(b"X\t: y")),
    ("a folded field", 400, get(b"X: a\r\n b")),
    ("a field folded with a tab", 400, get(b"X: a\r\n\tb")),
    ("a space before the first field", 400, b"GET / HTTP/1.1\r\n Host: test\r\n\r\n"),
    ("a field ended by LF", 400, get(b"X: a\nY: b")),
    ("a request line ended by LF", 400, b"GET / HTTP/1.1\nHost: test\r\n\r\n"),
    ("a head ended by LF", 400, b"GET / HTTP/1.1\r\nHost: test\r\n\n"),
    ("CR in a value", 400, get(b"X: a\rb")),
    ("CR CR LF", 400, get(b"X: a\r")),
    ("NUL in a value", 400, get(b"X: a\0b")),
    ("a control byte in a value", 400, get(b"X: a\x01b")),
    ("DEL in a value", 400, get(b"X: a\x7fb")),
    ("NUL in a name", 400, get(b"X\0Y: a")),
    ("a control byte in a name", 400, get(b"X\x1fY: a")),
    ("a byte above 127 in a name", 400, get(b"X\xe4: a")),
    ("a space in a name", 400, get(b"X Y: a")),
    ("a bracket in a name", 400, get(b"X(: a")),
    ("an empty name", 400, get(b": a")),
    ("a line without a colon", 400, get(b"just words")),
    ("a Connection option that is no token", 400, get(b"Connection: close, a b")),
    ("101 fields", 431, get(*[b"X: y"] * 100)),
    ("a head of 33 KiB", 431, get(*[b"X: " + b"y" * 4000] * 8, b"Y: " + b"y" * 1100)),
    ("one field of 40 KiB", 431, get(b"X: " + b"y" * 40960)),
]

HOSTS = [
    ("no Host", 400, get(host=None)),
    ("two Hosts that agree", 400, get(b"Host: test")),
    ("two Hosts that differ", 400, get(b"Host: other")),
    ("an empty Host", 400, get(host=b"Host:")),
    ("a Host with a space", 400, get(host=b"Host: te st")),
    ("a Host with a path", 400, get(host=b"Host: test/path")),
    ("a Host with a user", 400, get(host=b"Host: user@test")),
    ("a list of Hosts", 400, get(host=b"Host: one, two")),
    ("a Host with letters for a port", 400, get(host=b"Host: test:abc")),
    ("a Host with two ports", 400, get(host=b"Host: test:80:81")),
    ("a Host with a quote", 400, get(host=b'Host: te"st')),
    ("a Host above 127", 400, get(host=b"Host: t\xe4st")),
    ("a Host that is an unfinished IPv6", 400, get(host=b"Host: [::1")),
    ("a Host that is IPv6 and more", 400, get(host=b"Host: [::1]x")),
    ("a bad Host in HTTP/1.0", 400, get(host=b"Host: a b", version=b"HTTP/1.0")),
]

REQUEST_LINES = [
    ("an absolute target that is not the Host", 400, get(target=b"http://other/")),
    ("an absolute target with a user", 400, get(target=b"http://user@test/")),
    ("an absolute target of another scheme", 400, get(target=b"ftp://test/")),
    ("CONNECT", 405, get(method=b"CONNECT", target=b"test:80", host=b"Host: test:80")),
    ("CONNECT with a path", 405, get(method=b"CONNECT")),
    ("* with GET", 400, get(target=b"*")),
    ("a relative target", 400, get(target=b"path")),
    ("a fragment", 400, get(target=b"/path#fragment")),
    ("a fragment in an absolute target", 400, get(target=b"http://test/#fragment")),
    ("NUL in a target", 400, get(target=b"/\0")),
    ("a control byte in a target", 400, get(target=b"/\x1f")),
    ("a tab in a target", 400, get(target=b"/a\tb")),
    ("a space in a target", 400, get(target=b"/a b")),
    ("a byte above 127 in a target", 400, get(target=b"/\xe4")),
    ("a target of 9 KiB", 414, get(target=b"/" + b"a" * 9216)),
    ("a target of 40 KiB", 414, get(target=b"/" + b"a" * 40960)),
    ("HTTP/2.0", 505, get(version=b"HTTP/2.0")),
    ("HTTP/0.9", 505, get(version=b"HTTP/0.9")),
    ("the preface of HTTP/2", 505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("HTTP/1.10", 400, get(version=b"HTTP/1.10")),
    ("HTTP/01.1", 400, get(version=b"HTTP/01.1")),
    ("http/1.1", 400, get(version=b"http/1.1")),
    ("HTTP/1,1", 400, get(version=b"HTTP/1,1")),
    ("HTTP 1.1", 400, get(version=b"HTTP 1.1")),
    ("no version", 400, b"GET /\r\nHost: test\r\n\r\n"),
    ("a version and a space", 400, get(version=b"HTTP/1.1 ")),
    ("two spaces before the target", 400, get(target=b" /")),
    ("two spaces behind the target", 400, get(target=b"/ ")),
    ("a tab for a space", 400, b"GET\t/ HTTP/1.1\r\nHost: test\r\n\r\n"),
    ("a space before the method", 400, get(method=b" GET")),
    ("a method that is no token", 400, get(method=b"GE(T")),
    ("an empty method", 400, get(method=b"")),
    ("five empty lines", 400, b"\r\n" * 5 + get()),
    ("LF before the request", 400, b"\n" + get()),
    ("the start of TLS", 400, b"\x16\x03\x01\x00\x05\x01\r\n\r\n"),
    ("Expect: something", 417, post(b"Expect: something", b"Content-Length: 5")),
    ("Expect: 100-continue and something", 417,
     post(b"Expect: 100-continue, something", b"Content-Length: 5")),
]

PASSED_ON = [
    ("four empty lines", b"\r\n" * 4 + get()),
    ("white space around chunked", post(b"Transfer-Encoding: \t chunked \t", body=CHUNKS)),
    ("chunked in capitals", post(b"TRANSFER-ENCODING: CHUNKED", body=CHUNKS)),
    ("leading zeros in a length", post(b"Content-Length: 0005")),
    ("100 fields", get(*[b"X: y"] * 99)),
    ("a target of 8000 bytes", get(target=b"/" + b"a" * 7999)),
    ("HTTP/1.0 without a Host", get(host=None, version=b"HTTP/1.0")),
    ("a Host with a port", get(host=b"Host: [::1]:8080")),
    ("an empty value", get(b"X:")),
]


class HostileRequests(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.backend = cls.enterClassContext(Backend())
        cls.daemon = cls.enterClassContext(Lbd(http_config([cls.backend])))

    def refuse(self, rows):
        for name, status, request in rows:
            with self.subTest(name):
                self.backend.heads.clear()
                client = self.client(self.daemon.address())
                client.send(request)
                response = client.read_response()
                self.assertEqual(response.status, status)
                self.assertEqual(response["Connection"], "close")
                # On the same connection nothing more is read, and on the next all is well.
                self.assertTrue(client.is_closed(), "the connection stayed open")
                self.assertEqual(self.client(self.daemon.address()).get("/good").status, 200)
                self.assertEqual([head.target for head in self.backend.heads], ["/good"])

    def test_ambiguous_lengths_are_refused(self):
        self.refuse(LENGTHS)

    def test_transfer_codings_other_than_chunked_are_refused(self):
        self.refuse(CODINGS)

    def test_bad_chunks_are_refused(self):
        self.refuse(CHUNK_SIZES)

    def test_bad_field_lines_are_refused(self):
        self.refuse(FIELD_LINES)

    def test_bad_hosts_are_refused(self):
        self.refuse(HOSTS)

    def test_bad_request_lines_are_refused(self):
        self.refuse(REQUEST_LINES)

    def test_what_is_refused_hides_nothing_behind_it(self):
        self.backend.heads.clear()
        client = self.client(self.daemon.address())
        client.send(get(b"Content-Length: 4", b"Content-Length: 5") + GOOD + GOOD)
        self.assertEqual(client.read_response().status, 400)
        self.assertTrue(client.is_closed())
        self.assertEqual(self.client(self.daemon.address()).get("/last").status, 200)
        self.assertEqual([head.target for head in self.backend.heads], ["/last"])

    def test_a_bad_request_behind_a_good_one_does_not_spoil_it(self):
        client = self.client(self.daemon.address())
        client.send(GOOD + get(b"X : y"))
        self.assertEqual([client.read_response().status for _ in range(2)], [200, 400])
        self.assertTrue(client.is_closed())

    def test_a_bad_chunk_that_comes_later_never_completes_the_request(self):
        done = len(self.backend.requests)
        client = self.client(self.daemon.address())
        client.send(get(b"Transfer-Encoding: chunked", target=b"/later", method=b"POST")
                    + b"5\r\nhello\r\n")
        self.until(lambda: self.backend.heads and self.backend.heads[-1].target == "/later")
        client.send("0x5\r\nhello\r\n0\r\n\r\n")
        self.assertEqual(client.read_response().status, 400)
        self.assertTrue(client.is_closed())
        self.assertEqual(len(self.backend.requests), done)

    def test_unusual_but_good_requests_are_passed_on(self):
        for name, request in PASSED_ON:
            with self.subTest(name):
                client = self.client(self.daemon.address())
                client.send(request)
                self.assertEqual(client.read_response().status, 200)

    def test_refusals_are_counted_and_logged_without_breaking_a_line(self):
        before = self.daemon.metrics()["listeners"][0]["rejected"]
        lines = len(self.daemon.access_lines)
        client = self.client(self.daemon.address())
        client.send(get(b'X : "}\r\n{"forged": 1}'))
        self.assertEqual(client.read_response().status, 400)
        self.assertEqual(self.daemon.metrics()["listeners"][0]["rejected"], before + 1)
        last = self.daemon.access(lines + 1)[-1]
        self.assertEqual((last["status"], last["outcome"]), (400, "rejected"))


class BodyLimits(EndToEnd):
    def setUp(self):
        self.backend = self.enterContext(Backend())
        daemon = self.lbd(http_config([self.backend], listener={"max_body": "1KiB"}))
        self.address = daemon.address()

    def test_a_length_above_the_limit_is_413_and_the_backend_sees_nothing(self):
        client = self.client(self.address)
        client.request("/", "Content-Length: 1025", method="POST")
        self.assertEqual(client.read_response().status, 413)
        self.assertTrue(client.is_closed())
        self.assertEqual(self.backend.heads, [])

    def test_chunks_above_the_limit_are_413_and_never_a_whole_request(self):
        client = self.client(self.address)
        client.request("/", "Transfer-Encoding: chunked", method="POST")
        for _ in range(3):
            client.send(b"200\r\n" + b"x" * 512 + b"\r\n")
        client.send("0\r\n\r\n")
        self.assertEqual(client.read_response().status, 413)
        self.assertTrue(client.is_closed())
        self.assertEqual(self.client(self.address).get("/good").status, 200)
        self.assertEqual(self.backend.targets(), ["/good"])

    def test_a_body_at_the_limit_passes(self):
        client = self.client(self.address)
        self.assertEqual(client.get(method="POST", body=b"x" * 1024).status, 200)


if __name__ == "__main__":
    unittest.main()
