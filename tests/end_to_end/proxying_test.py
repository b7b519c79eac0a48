"""Messages through lbd: whole, unchanged where they may not change, and changed where they must."""

import hashlib
import os
import select
import socket
import threading
import time
import unittest

from testbed import (PATIENCE, Background, EndToEnd, http_config, python_server, run, start, tool)
from wire import Backend, Client, Cut, answer, chunked

MIB = 1 << 20
TCP_CLOSE_WAIT = 8  # <netinet/tcp.h>: the peer has ended, we have not.


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Downloads(EndToEnd):
    def test_50_mb_from_two_python_servers_arrive_byte_exact(self):
        directory = self.temporary_directory()
        content = os.urandom(50_000_000)
        with open(os.path.join(directory, "big"), "wb") as file:
            file.write(content)
        # One of each kind: HTTP/1.0, which closes, and HTTP/1.1.
        servers = [self.enterContext(python_server(directory)),
                   self.enterContext(python_server(directory, "--protocol", "HTTP/1.1"))]
        lbd = self.lbd(http_config(servers, strategy="round_robin", workers=1))
        for _ in range(2):
            copy = os.path.join(directory, "copy")
            curl = run([tool("curl"), "-sS", "-o", copy, "-w", "%{http_code}", lbd.url() + "/big"])
            self.assertEqual((curl.stdout, curl.stderr), ("200", ""))
            with open(copy, "rb") as file:
                self.assertEqual(sha256(file.read()), sha256(content))
        self.assertEqual([b["attempts"] for b in lbd.backends().values()], [1, 1])

    def test_a_chunked_answer_arrives_with_its_body_and_without_its_extensions(self):
        body = b"5;name=value\r\nhello\r\n6\r\n world\r\n0\r\nTrailer-Field: dropped\r\n\r\n"
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        backend = self.enterContext(Backend(lambda request: head + body))
        client = self.client(self.lbd(http_config([backend])).address())
        for _ in range(2):
            response = client.get()
            self.assertEqual(response["Transfer-Encoding"], "chunked")
            self.assertEqual(response.body, b"hello world")
        self.assertEqual(len(backend.connections), 1)

    def test_an_answer_that_ends_with_its_connection_arrives_as_a_complete_message(self):
        def script(connection):
            connection.read_request()
            connection.send("HTTP/1.1 200 OK\r\n\r\nall of it")
        backend = self.enterContext(Backend(serve=script))
        client = self.client(self.lbd(http_config([backend])).address())
        for _ in range(2):
            self.assertEqual(client.get().body, b"all of it")

    def test_a_head_answer_keeps_its_length_and_has_no_body(self):
        def answer_to(request):
            whole = answer("x" * 1234)
            return whole[:whole.index(b"\r\n\r\n") + 4] if request.method == "HEAD" else whole
        backend = self.enterContext(Backend(answer_to))
        client = self.client(self.lbd(http_config([backend])).address())
        head = client.get(method="HEAD")
        self.assertEqual((head.status, head["Content-Length"]), (200, "1234"))
        self.assertEqual(client.get().body, b"x" * 1234)

    def test_204_and_304_have_no_body_and_the_next_answer_is_its_own(self):
        answers = {"/204": b"HTTP/1.1 204 No Content\r\nA: b\r\n\r\n",
                   "/304": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: x\r\n\r\n"}
        backend = self.enterContext(Backend(lambda r: answers.get(r.target) or answer("next")))
        client = self.client(self.lbd(http_config([backend])).address())
        for target, fields in (("/204", [("A", "b")]),
                               ("/304", [("Content-Length", "99"), ("ETag", "x")])):
            response = client.get(target)
            self.assertEqual((response.status, response.fields), (int(target[1:]), fields))
            self.assertEqual(client.get().body, b"next")


class Uploads(EndToEnd):
    def setUp(self):
        self.backend = self.enterContext(Backend(lambda r: answer(sha256(r.body))))
        self.upstream = self.lbd(http_config([self.backend]))

    def upload_with_curl(self, size, *options):
        directory = self.temporary_directory()
        content = os.urandom(size)
        path = os.path.join(directory, "body")
        with open(path, "wb") as file:
            file.write(content)
        curl = run([tool("curl"), "-sS", "-T", path, *options, self.upstream.url() + "/up"])
        self.assertEqual((curl.stdout, curl.stderr), (sha256(content), ""))
        request = self.backend.requests[-1]
        self.assertEqual(sha256(request.body), sha256(content))
        return request

    def test_20_mb_in_chunks_arrive_byte_exact(self):
        request = self.upload_with_curl(20_000_000, "-H", "Transfer-Encoding: chunked")
        self.assertEqual(request["Transfer-Encoding"], "chunked")
        self.assertIsNone(request["Content-Length"])

    def test_20_mb_with_a_length_arrive_byte_exact(self):
        request = self.upload_with_curl(20_000_000)
        self.assertEqual(request["Content-Length"], "20000000")

    def test_curl_with_expect_100_continue_gets_its_100_from_us(self):
        request = self.upload_with_curl(3_000_000, "-H", "Expect: 100-continue",
                                        "--expect100-timeout", "30")
        self.assertIsNone(request["Expect"])

    def test_100_continue_comes_before_any_of_the_body_was_sent(self):
        client = self.client(self.upstream.address())
        client.request("/up", "Expect: 100-continue", "Content-Length: 5", method="PUT")
        self.assertEqual(client.read_response().status, 100)
        client.send("hello")
        self.assertEqual(client.read_response().body, sha256(b"hello").encode())
        self.assertEqual(client.get("/up", method="PUT", body=b"again").status, 200)
        self.assertEqual(len(self.backend.connections), 1)

    def test_no_100_comes_when_the_body_did_not_wait_for_it(self):
        client = self.client(self.upstream.address())
        response = client.get("/up", "Expect: 100-continue", method="PUT", body=b"hello")
        self.assertEqual((response.status, response.body), (200, sha256(b"hello").encode()))

    def test_a_chunked_upload_split_at_every_byte_arrives_byte_exact(self):
        client = self.client(self.upstream.address())
        client.request("/up", "Transfer-Encoding: chunked", method="POST")
        for byte in chunked(b"a", b"bc", b"0\r\n\r\n", b"x" * 40):
            client.send(bytes([byte]))
        expected = b"abc0\r\n\r\n" + b"x" * 40
        self.assertEqual(client.read_response().body, sha256(expected).encode())

    def test_a_body_cut_by_the_client_never_reaches_the_backend_as_a_whole_one(self):
        for field in ("Transfer-Encoding: chunked", "Content-Length: 100"):
            client = self.client(self.upstream.address())
            client.request("/cut", field, method="POST")
            client.send("5\r\nhello\r\n")
            self.until(lambda: "/cut" in [r.target for r in self.backend.heads])
            client.close()
        self.until(lambda: self.upstream.cluster()["outcomes"]["client_gone"] == 2)
        self.assertEqual(self.backend.targets(), [])


class Connections(EndToEnd):
    def test_one_client_connection_serves_many_requests_over_one_backend_connection(self):
        backend = self.enterContext(Backend())
        lbd = self.lbd(http_config([backend]))
        client = self.client(lbd.address())
        for _ in range(20):
            self.assertEqual(client.get().status, 200)
        self.assertEqual([r.connection for r in backend.requests], [1] * 20)
        cluster = lbd.cluster()
        self.assertEqual((cluster["connections_opened"], cluster["connections_reused"]), (1, 19))

    def test_client_connections_that_follow_each_other_share_a_backend_connection(self):
        backend = self.enterContext(Backend())
        address = self.lbd(http_config([backend], workers=1)).address()
        for _ in range(5):
            with Client(address) as client:
                self.assertEqual(client.get().status, 200)
        self.assertEqual(len(backend.connections), 1)

    def test_a_backend_that_says_close_gets_a_new_connection_for_each_request(self):
        backend = self.enterContext(Backend(lambda r: answer("x", "Connection: close")))
        client = self.client(self.lbd(http_config([backend])).address())
        for _ in range(3):
            self.assertEqual(client.get()["Connection"], None)
        self.assertEqual([r.connection for r in backend.requests], [1, 2, 3])

    def test_a_client_that_says_close_is_answered_and_closed(self):
        backend = self.enterContext(Backend())
        client = self.client(self.lbd(http_config([backend])).address())
        response = client.get("/", "Connection: close")
        self.assertEqual((response.status, response["Connection"]), (200, "close"))
        self.assertTrue(client.is_closed())

    def test_the_last_bytes_and_the_end_of_a_connection_come_in_one_packet(self):
        backend = self.enterContext(Backend())
        lbd = self.lbd(http_config([backend]))
        passed_on = b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
        refused = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"
        for request, status in ((passed_on, 200), (refused, 400)) * 20:
            client = self.client(lbd.address())
            client.send(request)
            # Nothing is read until something has come, and then the end has as well.
            self.assertTrue(select.select([client.socket], [], [], PATIENCE)[0])
            state = client.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
            self.assertEqual(state, TCP_CLOSE_WAIT)
            self.assertEqual(client.read_response().status, status)

    def test_pipelined_requests_are_answered_in_order(self):
        backends = [self.enterContext(Backend(lambda r: answer(r.target))) for _ in range(2)]
        address = self.lbd(http_config(backends, strategy="round_robin")).address()
        client = self.client(address)
        bodies = [b"/%d" % n for n in range(50)]
        client.send(b"".join(b"GET %s HTTP/1.1\r\nHost: test\r\n\r\n" % b for b in bodies))
        self.assertEqual([client.read_response().body for _ in bodies], bodies)

    def test_a_request_right_behind_a_body_is_the_next_request(self):
        backend = self.enterContext(Backend(lambda r: answer(r.target.encode() + b" " + r.body)))
        client = self.client(self.lbd(http_config([backend])).address())
        client.send(b"POST /1 HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc"
                    b"POST /2 HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + chunked(b"de", b"f") + b"GET /3 HTTP/1.1\r\nHost: test\r\n\r\n")
        bodies = [client.read_response().body for _ in range(3)]
        self.assertEqual(bodies, [b"/1 abc", b"/2 def", b"/3 "])

    def test_a_large_body_with_a_request_behind_it_is_followed_by_that_request(self):
        backend = self.enterContext(Backend(lambda r: answer(f"{r.target} {len(r.body)}")))
        client = self.client(self.lbd(http_config([backend])).address())
        sending = Background(client.send,
                             b"POST /1 HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\n"
                             + b"x" * 1_000_000 + b"GET /2 HTTP/1.1\r\nHost: t\r\n\r\n")
        bodies = [client.read_response().body for _ in range(2)]
        sending.result()
        self.assertEqual(bodies, [b"/1 1000000", b"/2 0"])

    def test_an_http_1_0_client_gets_a_plain_body_and_the_end(self):
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        backend = self.enterContext(Backend(lambda r: head + chunked(b"hello ", b"world")))
        client = self.client(self.lbd(http_config([backend])).address())
        client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        response = client.read_response()
        self.assertEqual((response.status, response["Transfer-Encoding"]), (200, None))
        self.assertEqual(response["Connection"], "close")
        self.assertEqual(response.body, b"hello world")
        self.assertEqual(backend.requests[0].first_line, "GET / HTTP/1.1")

    def test_an_http_1_0_client_is_closed_unless_it_asked_to_stay(self):
        backend = self.enterContext(Backend())
        address = self.lbd(http_config([backend])).address()
        client = self.client(address)
        for _ in range(2):
            client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            self.assertEqual(client.read_response()["Connection"], "keep-alive")
        client.send("GET / HTTP/1.0\r\n\r\n")
        self.assertEqual(client.read_response()["Connection"], "close")
        self.assertTrue(client.is_closed())

    def test_an_idle_backend_connection_that_was_closed_is_not_used_again(self):
        def script(connection):
            connection.read_request()
            connection.send(answer("only one"))
        backend = self.enterContext(Backend(serve=script))
        lbd = self.lbd(http_config([backend], retries={"attempts": 1}))
        client = self.client(lbd.address())
        for _ in range(3):
            self.assertEqual(client.get(method="POST", body=b"x").status, 200)
            self.until(lambda: lbd.backends()["b1"]["idle_connections"] == 0)


class Fields(EndToEnd):
    def exchange(self, *fields, answer_fields=(), target="/"):
        backend = self.enterContext(Backend(lambda r: answer("x", *answer_fields)))
        client = self.client(self.lbd(http_config([backend])).address())
        response = client.get(target, *fields)
        return backend.requests[0], response

    def test_x_forwarded_fields_are_ours_whatever_the_client_sent(self):
        request, _ = self.exchange("X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: https",
                                   "x-forwarded-host: evil", "X-FORWARDED-FOR: 5.6.7.8")
        self.assertEqual(request["X-Forwarded-For"], "127.0.0.1")
        self.assertEqual(request["X-Forwarded-Proto"], "http")
        self.assertEqual(request["X-Forwarded-Host"], "test")
        self.assertEqual(request["Host"], "test")

    def test_hop_by_hop_fields_of_a_request_stay_here(self):
        request, _ = self.exchange(
            "Connection: keep-alive, X-Private , upgrade", "Connection: x-second",
            "Keep-Alive: timeout=5", "Proxy-Connection: keep-alive", "TE: trailers",
            "Trailer: Expires", "Upgrade: h2c", "X-Private: 1", "X-Second: 2",
            "X-Kept: 3", "Accept: */*")
        names = [name for name, _ in request.fields]
        self.assertEqual(names, ["Host", "X-Kept", "Accept", "X-Forwarded-For",
                                 "X-Forwarded-Proto", "X-Forwarded-Host"])

    def test_max_forwards_counts_hops_of_options_and_trace_only(self):
        backend = self.enterContext(Backend())
        client = self.client(self.lbd(http_config([backend])).address())
        for method in ("OPTIONS", "TRACE"):
            self.assertEqual(client.get("/", "Max-Forwards: 3", method=method).status, 200)
            self.assertEqual(backend.requests[-1].all("Max-Forwards"), ["2"])
        client.get("/", "Max-Forwards: 0")
        self.assertEqual(backend.requests[-1].all("Max-Forwards"), ["0"])
        reached = len(backend.requests)
        self.assertEqual(client.get("/", "Max-Forwards: 0", method="OPTIONS").status, 200)
        self.assertEqual(client.get("/", "Max-Forwards: 0", method="TRACE").status, 405)
        self.assertEqual(len(backend.requests), reached)
        for bad in ("-1", "1 2", "4294967296", "", "x"):
            other = self.client(client.socket.getpeername())
            self.assertEqual(other.get("/", f"Max-Forwards: {bad}", method="TRACE").status, 400)

    def test_via_has_our_name_when_it_was_given_one(self):
        backend = self.enterContext(Backend(lambda r: answer("x", "Via: 1.1 inner")))
        config = http_config([backend], listener={"via": "edge"})
        client = self.client(self.lbd(config).address())
        response = client.get("/", "Via: 1.0 outer")
        self.assertEqual(backend.requests[0].all("Via"), ["1.0 outer", "1.1 edge"])
        self.assertEqual(response.all("Via"), ["1.1 inner", "1.1 edge"])

    def test_hop_by_hop_fields_of_an_answer_stay_here(self):
        _, response = self.exchange(answer_fields=(
            "Connection: X-Private", "Keep-Alive: timeout=5", "Proxy-Connection: x",
            "Trailer: Expires", "Upgrade: h2c", "X-Private: 1", "X-Kept: 2"))
        names = [name for name, _ in response.fields]
        self.assertEqual(names, ["Content-Length", "X-Kept"])

    def test_connection_cannot_take_away_what_the_message_stands_on(self):
        request, response = self.exchange(
            "Connection: Host, Content-Length, X-Forwarded-For, Transfer-Encoding",
            answer_fields=("Connection: Content-Length",))
        self.assertEqual(request["Host"], "test")
        self.assertEqual(request["X-Forwarded-For"], "127.0.0.1")
        self.assertEqual(response["Content-Length"], "1")

    def test_end_to_end_fields_keep_their_order_case_and_bytes(self):
        fields = ["Cookie: a=b; c=d", "X-MiXeD: \xe4\xff \"q\"", "Set-Thing: 1", "Set-Thing: 2"]
        request, response = self.exchange(*fields, answer_fields=("Set-Cookie: a", "Set-Cookie: b",
                                                                  "X-\u007e: \xfe"))
        self.assertEqual([f"{n}: {v}" for n, v in request.fields][1:5], fields)
        self.assertEqual(response.fields[1:], [("Set-Cookie", "a"), ("Set-Cookie", "b"),
                                               ("X-~", "\xfe")])

    def test_targets_pass_unchanged(self):
        for target in ("/a//b/../c?x=1&y=%00%zz", "/?", "/%7Euser;p=1", "/\"<>\\^`{|}"):
            with self.subTest(target):
                request, _ = self.exchange(target=target)
                self.assertEqual(request.target, target)

    def test_an_absolute_target_that_agrees_with_host_becomes_a_path(self):
        request, _ = self.exchange(target="http://TEST/path?q")
        self.assertEqual(request.target, "/path?q")

    def test_a_method_is_case_sensitive_and_unknown_ones_pass(self):
        backend = self.enterContext(Backend())
        client = self.client(self.lbd(http_config([backend])).address())
        for method in ("get", "PROPFIND", "M-SEARCH"):
            client.get(method=method)
        client.get("*", method="OPTIONS")
        self.assertEqual([r.first_line.split(" HTTP")[0] for r in backend.requests],
                         ["get /", "PROPFIND /", "M-SEARCH /", "OPTIONS *"])


class Streaming(EndToEnd):
    def test_the_first_bytes_of_an_answer_arrive_while_the_rest_is_held_back(self):
        for framing in ("Transfer-Encoding: chunked", "Content-Length: 10"):
            with self.subTest(framing):
                seen = threading.Event()

                def script(connection, is_chunked="chunked" in framing, framing=framing,
                           seen=seen):
                    connection.read_request()
                    parts = (b"5\r\nfirst\r\n", b"5\r\n last\r\n0\r\n\r\n") if is_chunked else (
                        b"first", b" last")
                    connection.send(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n".encode() + parts[0])
                    assert seen.wait(30)
                    connection.send(parts[1])
                backend = self.enterContext(Backend(serve=script))
                client = self.client(self.lbd(http_config([backend])).address())
                client.request()
                head = client.read_head()
                is_chunked = head["Transfer-Encoding"] == "chunked"
                first = client.read_chunk() if is_chunked else client.read_bytes(5)
                self.assertEqual(first, b"first")
                seen.set()
                rest = client.read_chunked() if is_chunked else client.read_bytes(5)
                self.assertEqual(rest, b" last")

    def test_both_sides_can_talk_before_either_has_finished(self):
        def script(connection):
            connection.read_head()
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while data := connection.read_chunk():
                connection.send(b"%x\r\n%s\r\n" % (len(data), data))
            connection.read_until(b"\r\n")
            connection.send("0\r\n\r\n")
        backend = self.enterContext(Backend(serve=script))
        lbd = self.lbd(http_config([backend]))
        client = self.client(lbd.address())
        client.request("/", "Transfer-Encoding: chunked", method="POST")
        self.assertEqual(client.read_head().status, 200)
        for word in (b"one", b"two", b"three"):
            client.send(b"%x\r\n%s\r\n" % (len(word), word))
            self.assertEqual(client.read_chunk(), word)
        client.send("0\r\n\r\n")
        self.assertEqual(client.read_chunked(), b"")
        line = lbd.access(1)[0]
        self.assertEqual((line["outcome"], line["bytes_in"], line["bytes_out"]),
                         ("success", 11, 11))
        self.assertLess(line["response_ms"], 60_000)

    def test_a_slow_reader_of_64_mib_does_not_make_lbd_grow(self):
        size = 64 * MIB
        sent = [0]

        def script(connection):
            connection.read_request()
            connection.send(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n")
            piece = bytes(256 * 1024)
            while sent[0] < size:
                connection.send(piece)
                sent[0] += len(piece)
        backend = self.enterContext(Backend(serve=script))
        lbd = self.lbd(http_config([backend]))
        with Client(lbd.address()) as client:  # Warms up what is there for good.
            self.assertEqual(len(client.get().body), size)
        sent[0] = 0
        before = lbd.resident_bytes()
        client = self.enterContext(Client(lbd.address(), receive_buffer=64 * 1024))
        client.request()
        client.read_head()
        self.until_unchanged(lambda: sent[0])
        self.assertLess(sent[0], size / 2)  # It was held back: otherwise this test shows nothing.
        self.assertLess(lbd.resident_bytes() - before, 16 * MIB)
        self.assertEqual(len(client.read_bytes(size)), size)
        self.assertLess(lbd.resident_bytes() - before, 16 * MIB)

    def test_a_backend_that_reads_slowly_does_not_make_lbd_grow(self):
        size = 64 * MIB
        go_on = threading.Event()

        def script(connection):
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
            request = connection.read_head()
            assert go_on.wait(60)
            connection.read_body(request)
            connection.send(answer(str(len(request.body))))
        backend = self.enterContext(Backend(serve=script))
        lbd = self.lbd(http_config([backend]))
        before = lbd.resident_bytes()
        client = self.client(lbd.address())
        client.request("/", f"Content-Length: {size}", method="POST")
        sent = [0]

        def send():
            while sent[0] < size:
                client.send(bytes(256 * 1024))
                sent[0] += 256 * 1024
        sending = Background(send)
        self.until_unchanged(lambda: sent[0])
        self.assertLess(sent[0], size / 2)
        self.assertLess(lbd.resident_bytes() - before, 16 * MIB)
        go_on.set()
        self.assertEqual(client.read_response().body, str(size).encode())
        sending.result()

    def until_unchanged(self, value, still=0.5):
        """Waits until a number that grows has stopped for a while."""
        last, since = value(), time.monotonic()

        def stopped():
            nonlocal last, since
            if value() != last or last == 0:
                last, since = value(), time.monotonic()
            return time.monotonic() - since > still
        self.until(stopped, "back-pressure")


if __name__ == "__main__":
    unittest.main()
