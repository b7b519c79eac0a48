"""PROXY headers: whom lbd takes them from, what they change, and what it tells backends by them."""

import contextlib
import hashlib
import os
import random
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

from proxy_protocol import (CLIENT, SERVER, ProxiedClient, ProxyBackend, addresses, client_from, v1,
                            v2, v2_block)
from testbed import (EndToEnd, dead_address, end, http_config, raise_limit_of_descriptors,
                     reserved_port, run, start, tool, until)
from tls import Authority, client_context
from wire import Backend, Client, Cut, answer

TRUSTED = ["127.0.0.1", "unix"]


def listener_of(lbd):
    return lbd.metrics()["listeners"][0]


class HaProxy:
    """A haproxy with one frontend and one backend, given as lines of its configuration."""

    def __init__(self, directory, frontend, backend):
        with reserved_port() as self.port:
            pass  # haproxy cannot share it: a moment between two binds, as with redis.
        self._path = os.path.join(directory, "haproxy.cfg")
        bind, *frontend = frontend
        lines = ["global", "defaults", "mode http", "timeout connect 5s", "timeout client 30s",
                 "timeout server 30s", "frontend in", f"bind 127.0.0.1:{self.port} {bind}",
                 *frontend, *backend]
        with open(self._path, "w") as file:
            file.write("\n".join(lines) + "\n")
        self.address = f"127.0.0.1:{self.port}"

    def __enter__(self):
        self.process = start([tool("haproxy"), "-db", "-f", self._path],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def listens():
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return True
        try:
            until(listens, "haproxy")
        except BaseException:
            end(self.process)
            raise
        return self

    def __exit__(self, *_):
        end(self.process)


class IncomingCase(EndToEnd):
    def lbd_behind_proxies(self, backend=None, takes="any", trusted=TRUSTED, limits=None,
                           listener=None, **cluster):
        self.backend = backend or self.enterContext(Backend())
        listener = {"proxy_protocol": takes, "trusted_proxies": trusted, **(listener or {})}
        config = http_config([self.backend], listener=listener, **cluster)
        return self.lbd({**config, **(limits or {})})

    def proxied(self, lbd, header=None):
        return self.enterContext(ProxiedClient(lbd.address(), header))

    def who(self, client):
        """The client as the backend is told."""
        self.assertEqual(client.get().status, 200)
        return self.backend.requests[-1]["X-Forwarded-For"]

    def refusals(self, lbd):
        return listener_of(lbd)["refused_proxy_headers"]


class Incoming(IncomingCase):
    def test_curl_is_served(self):
        lbd = self.lbd_behind_proxies(takes="v1")
        result = run([tool("curl"), "-sS", "--haproxy-protocol", lbd.url(), lbd.url()])
        self.assertEqual((result.stdout, result.stderr), ("bb", ""))
        self.assertEqual(self.backend.requests[0]["X-Forwarded-For"], "127.0.0.1")

    def test_the_client_is_whoever_the_header_names(self):
        lbd = self.lbd_behind_proxies()
        for number, (header, who) in enumerate((
                (v1(), CLIENT), (v2(), CLIENT),
                (v1("2001:db8::7", "2001:db8::1"), "2001:db8::7"),
                (v2("2001:db8::7", "2001:db8::1"), "2001:db8::7"),
                (v2("::ffff:203.0.113.9", "2001:db8::1"), "203.0.113.9"),
                (v2(more=b"\xea\x00\x03abc" + b"\x04\x00\x00"), CLIENT))):
            with self.subTest(header=header):
                client = self.proxied(lbd, header)
                self.assertEqual(self.who(client), who)
                self.assertEqual(self.who(client), who, "on the same connection")
                self.assertEqual(lbd.access(2 * number + 2)[-1]["client"], who)

    def test_whoever_speaks_for_itself_is_the_client(self):
        lbd = self.lbd_behind_proxies()
        for header in (v2_block(0x20, 0x00), v2_block(0x20, 0x11, b"rubbish"),
                       v2_block(0x21, 0x00), v2_block(0x21, 0x31, b"/" * 216),
                       v2_block(0x21, 0x12, v2()[16:]), b"PROXY UNKNOWN\r\n",
                       b"PROXY UNKNOWN 203.0.113.7 and so on\r\n"):
            with self.subTest(header=header):
                self.assertEqual(self.who(self.proxied(lbd, header)), "127.0.0.1")

    def test_what_a_proxy_further_away_says_counts_when_the_source_is_trusted_too(self):
        lbd = self.lbd_behind_proxies(trusted=["127.0.0.1", "10.0.0.0/8"])
        for number, (source, client) in enumerate((("10.0.0.1", "192.0.2.9"), (CLIENT, CLIENT)), 1):
            request = self.proxied(lbd, v2(source)).get("/", "X-Forwarded-For: 192.0.2.9")
            self.assertEqual(request.status, 200)
            self.assertEqual(lbd.access(number)[-1]["client"], client)

    def test_refused_ones_leave_their_places(self):
        lbd = self.lbd_behind_proxies(limits={"limits": {"max_connections": 4}})
        for n in range(12):
            with contextlib.suppress(ConnectionError):
                if n % 2 == 0:
                    self.assertTrue(self.proxied(lbd, b"GET /").is_closed())
                else:
                    host = client_from("127.0.0.2", lbd.address())
                    self.assertTrue(self.enterContext(host).is_closed())
        half = [self.proxied(lbd, v1()[:9]) for _ in range(2)]
        self.assertEqual([self.who(self.proxied(lbd)) for _ in range(2)], [CLIENT] * 2)
        self.assertEqual(listener_of(lbd)["connections_active"], 2)
        for client in half:
            client.close()
        self.until(lambda: sum(each["sessions"] for each in lbd.metrics()["workers"]) == 2)
        self.assertEqual(self.who(self.proxied(lbd)), CLIENT)

    def test_header_and_requests_in_one_segment(self):
        lbd = self.lbd_behind_proxies()
        request = b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
        for header in (v1(), v2()):
            client = self.proxied(lbd, header + request % 1 + request % 2)
            self.assertEqual([client.read_response().status for _ in range(2)], [200, 200])
        self.assertEqual(self.backend.targets(), ["/1", "/2"] * 2)
        self.assertEqual({request.body for request in self.backend.requests}, {b"body"})

    def test_a_header_that_comes_byte_by_byte(self):
        lbd = self.lbd_behind_proxies()
        for header in (v1(), v2(more=b"\x04\x00\x10" + b"x" * 16)):
            client = self.proxied(lbd, b"")
            for at in range(len(header)):
                client.send(header[at:at + 1])
                time.sleep(0.001)  # Mostly, each is read by itself.
            self.assertEqual(self.who(client), CLIENT)

    def test_a_header_of_another_kind_or_none_is_the_end(self):
        request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        lbd = self.lbd_behind_proxies()
        bad = [b"", b"\r\n", b"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
               b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", b"PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
               b"PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n", b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\0\r\n",
               b"PROXY UNKNOWN" + b" " * 100 + b"\r\n", b"\x16\x03\x01\x02\x00",
               v2_block(0x21, 0x11, b"short"), v2_block(0x31, 0x11, v2()[16:]),
               v2_block(0x21, 0x11, v2()[16:], length=0xffff), v2(more=b"\x04\x00\x02x"),
               v2(more=b"\x03\x00\x04\x00\x00\x00\x00")]
        for number, header in enumerate(bad, 1):
            with self.subTest(header=header):
                client = self.proxied(lbd, header + request)
                self.assertTrue(client.is_closed())
                self.assertEqual(self.refusals(lbd)["malformed"], number)
        self.assertEqual(self.backend.heads, [])

    def test_two_headers_are_one_too_many(self):
        lbd = self.lbd_behind_proxies()
        client = self.proxied(lbd, v1() + v1("10.9.9.9"))
        client.request()
        self.assertEqual(client.read_response().status, 400)
        self.assertEqual(self.backend.heads, [])

    def test_the_other_version_is_not_taken(self):
        for takes, good, bad in (("v1", v1(), v2()), ("v2", v2(), v1())):
            lbd = self.lbd_behind_proxies(takes=takes)
            self.assertEqual(self.who(self.proxied(lbd, good)), CLIENT)
            self.assertTrue(self.proxied(lbd, bad).is_closed())

    def test_one_that_ends_before_its_header_is_refused(self):
        lbd = self.lbd_behind_proxies()
        for sent in (b"", v2()[:20]):
            client = self.proxied(lbd, sent)
            client.end_sending()
            self.assertTrue(client.is_closed())
        self.assertEqual(self.refusals(lbd), {"untrusted": 0, "malformed": 2, "timeout": 0})

    def test_who_is_not_trusted_is_not_heard(self):
        lbd = self.lbd_behind_proxies(trusted=["127.0.0.1", "10.0.0.0/8"])
        for count, header in enumerate((b"", v1("127.0.0.1")), 1):
            with contextlib.suppress(ConnectionError):  # So soon may it be over.
                stranger = self.enterContext(client_from("127.0.0.2", lbd.address()))
                stranger.send(header)
                self.assertTrue(stranger.is_closed())
            self.until(lambda: self.refusals(lbd)["untrusted"] == count)
        self.assertEqual(self.refusals(lbd), {"untrusted": 2, "malformed": 0, "timeout": 0})
        self.assertEqual(self.backend.heads, [])
        self.assertEqual(self.who(self.proxied(lbd)), CLIENT)

    def test_clients_of_a_unix_socket_are_trusted_where_it_says_so(self):
        path = os.path.join(self.temporary_directory(), "web.sock")
        for trusted, served in ((["unix"], True), (["127.0.0.1"], False)):
            lbd = self.lbd_behind_proxies(trusted=trusted, listener={"bind": f"unix:{path}"})
            if served:
                self.assertEqual(self.who(self.proxied(lbd)), CLIENT)
            else:
                self.assertTrue(self.client(lbd.address()).is_closed())
            lbd.terminate()
            lbd.wait_end()

    def test_a_slow_header_is_not_waited_for(self):
        lbd = self.lbd_behind_proxies(listener={"timeouts": {"head": "300ms"}})
        began = time.monotonic()
        silent = self.proxied(lbd, b"")
        dripping = self.proxied(lbd, b"")
        with contextlib.suppress(OSError):
            for byte in v1("203.0.113.100"):
                dripping.send(bytes([byte]))
                time.sleep(0.02)
        self.assertTrue(dripping.is_closed())
        self.assertTrue(silent.is_closed())
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual(self.refusals(lbd), {"untrusted": 0, "malformed": 0, "timeout": 2})

    def test_a_thousand_half_headers_cost_nothing_while_they_wait(self):
        raise_limit_of_descriptors()
        lbd = self.lbd_behind_proxies(listener={"timeouts": {"head": "2m"}})
        half = [self.proxied(lbd, header[:20]) for header in (v1(), v2()) * 500]
        self.until(lambda: len(lbd.descriptors()) > 1000)
        self.assertEqual(self.who(self.proxied(lbd)), CLIENT)
        before = lbd.cpu_seconds()
        time.sleep(1)
        self.assertLess(lbd.cpu_seconds() - before, 0.2)
        for client, header in zip(half[::99], (v1(), v2()) * 6):
            client.send(header[20:])
            self.assertEqual(self.who(client), CLIENT)

    def test_a_stop_does_not_wait_for_half_headers(self):
        lbd = self.lbd_behind_proxies(listener={"timeouts": {"head": "60s"}})
        waiting = [self.proxied(lbd, v1()[:20]), self.proxied(lbd, b"")]
        self.until(lambda: sum(w["sessions"] for w in lbd.metrics()["workers"]) == 2)
        began = time.monotonic()
        lbd.terminate()
        self.assertEqual(lbd.wait_end(), 0)
        self.assertLess(time.monotonic() - began, 10)
        for client in waiting:
            self.assertTrue(client.is_closed())

    def test_the_limit_per_client_counts_the_headers_client(self):
        lbd = self.lbd_behind_proxies(limits={"limits": {"max_connections_per_client": 2}})
        first, second = self.proxied(lbd), self.proxied(lbd, v2())
        self.assertEqual((self.who(first), self.who(second)), (CLIENT, CLIENT))
        self.assertEqual(self.proxied(lbd).get().status, 429)
        self.assertEqual(self.who(self.proxied(lbd, v1("203.0.113.8"))), "203.0.113.8")
        first.close()
        self.until(lambda: listener_of(lbd)["connections_active"] == 2)
        self.assertEqual(self.who(self.proxied(lbd)), CLIENT)

    def test_the_rate_limit_counts_the_headers_client(self):
        limit = {"key": "client_ip", "rate": 0.01, "burst": 1}
        lbd = self.lbd_behind_proxies(limits={"rate_limit": limit})
        self.assertEqual(self.proxied(lbd).get().status, 200)
        self.assertEqual(self.proxied(lbd).get().status, 429)
        self.assertEqual(self.proxied(lbd, v1("203.0.113.8")).get().status, 200)

    def test_hashing_goes_by_the_headers_client(self):
        names = [self.enterContext(Backend(name=f"b{n}")) for n in range(4)]
        listener = {"proxy_protocol": "any", "trusted_proxies": TRUSTED}
        lbd = self.lbd(http_config(names, listener=listener, strategy="ip_hash"))
        served = {}
        for n in range(40):
            who = f"203.0.113.{n % 20}"
            served.setdefault(who, set()).add(self.proxied(lbd, v1(who)).get().body)
        self.assertEqual({len(found) for found in served.values()}, {1})
        self.assertGreater(len(set().union(*served.values())), 1)

    def test_a_reload_switches_it_on_for_what_comes_then(self):
        lbd = self.lbd_behind_proxies(takes="none")
        plain = self.client(lbd.address())
        self.assertEqual(self.who(plain), "127.0.0.1")
        lbd.config["listeners"][0]["proxy_protocol"] = "any"
        lbd.reload(lbd.config)
        self.assertEqual(self.who(plain), "127.0.0.1", "it is served as it was")
        self.assertEqual(self.who(self.proxied(lbd)), CLIENT)
        self.assertTrue(self.no_header(lbd).is_closed())

    def no_header(self, lbd):
        client = self.client(lbd.address())
        client.request()
        return client

    def test_haproxy_in_front(self):
        lbd = self.lbd_behind_proxies()
        for how in ("send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c"):
            haproxy = self.enterContext(HaProxy(
                self.temporary_directory(), ["", "default_backend out"],
                ["backend out", "http-reuse never", f"server lbd 127.0.0.1:{lbd.address()[1]} {how}"
                 " check"]))
            with self.subTest(how=how):
                client = self.enterContext(client_from("127.0.0.5", ("127.0.0.1", haproxy.port)))
                self.assertEqual(self.who(client), "127.0.0.5")
                self.assertEqual(client.get("/", method="POST", body=b"x" * 100000).status, 200)
                self.assertEqual(len(self.backend.requests[-1].body), 100000)
        self.assertEqual(self.refusals(lbd)["untrusted"], 0)


class IncomingTls(IncomingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        directory = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="lbd-test-"))
        cls.authority = Authority(directory)
        cls.identity = cls.authority.issue("a", "a.example")

    def handshake(self, client):
        context = client_context(self.authority)
        client.socket = context.wrap_socket(client.socket, server_hostname="a.example")
        return client

    def test_the_header_comes_before_the_handshake(self):
        lbd = self.lbd_behind_proxies(listener={"tls": {"certificates": [self.identity]}})
        for header in (v1(), v2()):
            client = self.handshake(self.proxied(lbd, header))
            self.assertEqual(self.who(client), CLIENT)
        line = lbd.access(2)[-1]
        self.assertEqual((line["client"], line["tls_version"]), (CLIENT, "TLSv1.3"))

    def test_in_one_segment_too(self):
        lbd = self.lbd_behind_proxies(listener={"tls": {"certificates": [self.identity]}})
        plain = self.proxied(lbd, b"")
        said, heard = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = client_context(self.authority).wrap_bio(heard, said, server_hostname="a.example")
        with self.assertRaises(ssl.SSLWantReadError):
            tls.do_handshake()
        plain.send(v2() + said.read())
        while True:
            with contextlib.suppress(ssl.SSLWantReadError):
                tls.do_handshake()
                break
            heard.write(plain.socket.recv(65536))
        tls.write(b"GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
        plain.send(said.read())
        self.until(lambda: self.backend.requests)
        self.assertEqual(self.backend.requests[0]["X-Forwarded-For"], CLIENT)

    def test_a_header_inside_of_tls_is_none(self):
        lbd = self.lbd_behind_proxies(listener={"tls": {"certificates": [self.identity]}})
        with self.assertRaises(OSError):
            self.handshake(self.client(lbd.address()))
        self.assertEqual(self.refusals(lbd)["malformed"], 1)


class IncomingTcp(IncomingCase):
    def test_what_follows_is_passed_on_to_the_last_byte(self):
        data = random.Random(5).randbytes(8 << 20)

        def digest(connection):
            connection.send(hashlib.sha256(connection.read_bytes(len(data))).hexdigest())
        backend = self.enterContext(Backend(serve=digest))
        lbd = self.lbd_behind_proxies(backend, listener={"protocol": "tcp"})
        wanted = hashlib.sha256(data).hexdigest().encode()
        for header in (v1(), v2()):
            client = self.proxied(lbd, header + data)
            self.assertEqual(client.read_to_end(), wanted)
            client.close()
        self.assertEqual({line["client"] for line in lbd.access(2)}, {CLIENT})
        self.assertEqual(lbd.access(2)[0]["bytes_in"], len(data))

    def test_without_a_header_nobody_is_connected_to(self):
        lbd = self.lbd_behind_proxies(listener={"protocol": "tcp"})
        client = self.client(lbd.address())
        client.send("PING\r\n")
        self.assertTrue(client.is_closed())
        self.assertEqual(self.backend.connections, [])


class OutgoingCase(EndToEnd):
    def proxy_backend(self, *arguments, **options):
        return self.enterContext(ProxyBackend(*arguments, **options))

    def lbd_before(self, backends, sends="v2", listener=None, **cluster):
        return self.lbd(http_config(backends, listener=listener, proxy_protocol=sends, **cluster))

    def told(self, header):
        """(source, port), (destination, port) of either version."""
        if header[0] == "PROXY":
            _, _, source, destination, source_port, destination_port = header
            return (source, int(source_port)), (destination, int(destination_port))
        self.assertEqual(header[0], 0x21)
        return addresses(*header[1:])


class Outgoing(OutgoingCase):
    def test_backends_are_told_both_ends_of_the_clients_connection(self):
        for sends in ("v1", "v2"):
            backend = self.proxy_backend()
            lbd = self.lbd_before([backend], sends)
            client = self.client(lbd.address())
            self.assertEqual(client.get().status, 200)
            self.assertEqual(self.told(backend.headers[0]),
                             (client.socket.getsockname(), lbd.address()))

    def test_of_ipv6_too(self):
        for sends in ("v1", "v2"):
            backend = self.proxy_backend()
            lbd = self.lbd_before([backend], sends, listener={"bind": "[::1]:0"})
            client = self.client(lbd.address())
            self.assertEqual(client.get().status, 200)
            self.assertEqual(self.told(backend.headers[0]),
                             (client.socket.getsockname()[:2], lbd.address()))

    def test_each_request_has_a_connection_with_a_header_of_its_own(self):
        backend = self.proxy_backend()
        lbd = self.lbd_before([backend])
        clients = [self.client(lbd.address()) for _ in range(2)]
        for _ in range(3):
            for client in clients:
                self.assertEqual(client.get().status, 200)
        sources = [self.told(header)[0] for header in backend.headers]
        self.assertEqual(sources, [client.socket.getsockname() for client in clients] * 3)
        self.assertEqual([request.connection for request in backend.requests], [1, 2, 3, 4, 5, 6])
        self.assertFalse(any(line["reused"] for line in lbd.access(6)))

    def test_a_header_is_passed_on(self):
        listener = {"proxy_protocol": "any", "trusted_proxies": TRUSTED}
        for sends in ("v1", "v2"):
            backend = self.proxy_backend()
            lbd = self.lbd_before([backend], sends, listener)
            for header, way in ((v1(), ((CLIENT, 4711), (SERVER, 443))),
                                (v2("2001:db8::7", "2001:db8::1"),
                                 (("2001:db8::7", 4711), ("2001:db8::1", 443)))):
                client = self.enterContext(ProxiedClient(lbd.address(), header))
                self.assertEqual(client.get().status, 200)
                self.assertEqual(self.told(backend.headers[-1]), way)
            client = self.enterContext(ProxiedClient(lbd.address(), v2_block(0x20, 0)))
            self.assertEqual(client.get().status, 200)
            self.assertEqual(self.told(backend.headers[-1])[0], client.socket.getsockname())

    def test_a_client_of_a_unix_socket_has_no_address(self):
        path = os.path.join(self.temporary_directory(), "web.sock")
        for sends, header in (("v1", ("PROXY", "UNKNOWN")), ("v2", (0x20, 0, b""))):
            backend = self.proxy_backend()
            lbd = self.lbd_before([backend], sends, {"bind": f"unix:{path}"})
            self.assertEqual(self.client(lbd.address()).get().status, 200)
            self.assertEqual(backend.headers, [header])
            lbd.terminate()
            lbd.wait_end()

    def test_bodies_follow_it(self):
        backend = self.proxy_backend()
        lbd = self.lbd_before([backend])
        body = random.Random(3).randbytes(300_000)
        self.assertEqual(self.client(lbd.address()).get(method="POST", body=body).status, 200)
        self.assertEqual(backend.requests[0].body, body)
        self.assertEqual(len(backend.headers), 1)

    def test_another_attempt_sends_it_again(self):
        broken = self.proxy_backend(serve=lambda connection: connection.reset())
        good = self.proxy_backend()
        with dead_address() as dead:
            lbd = self.lbd_before([dead, broken, good], strategy="round_robin",
                                  retries={"attempts": 3, "backoff": {"base": "1ms"},
                                           "budget_percent": 100})
            client = self.client(lbd.address())
            for _ in range(6):
                self.assertEqual(client.get().status, 200)
        self.assertTrue(broken.headers)
        self.assertEqual({self.told(header)[0] for header in broken.headers + good.headers},
                         {client.socket.getsockname()})

    def test_over_tcp_before_anybody_says_anything(self):
        def greet(connection):
            connection.send("hello\n")
            connection.send(connection.read_to_end())
        for sends in ("v1", "v2"):
            backend = self.proxy_backend(serve=greet)
            lbd = self.lbd_before([backend], sends, {"protocol": "tcp"})
            client = self.client(lbd.address())
            self.assertEqual(client.read_until(b"\n"), b"hello")
            self.assertEqual(self.told(backend.headers[0])[0], client.socket.getsockname())
            data = random.Random(7).randbytes(1 << 20)
            client.send(data[:1000])
            client.send(data[1000:])
            client.end_sending()
            self.assertEqual(client.read_to_end(), data)

    def test_probes_say_that_they_are_our_own(self):
        for sends, header in (("v1", ("PROXY", "UNKNOWN")), ("v2", (0x20, 0, b""))):
            for check in ({"type": "http", "path": "/health"}, {"type": "tcp"}):
                with self.subTest(sends=sends, check=check):
                    backend = self.proxy_backend()
                    lbd = self.lbd_before([backend], sends,
                                          health_check={**check, "interval": "50ms"})
                    self.until(lambda: len(backend.headers) >= 2)
                    self.until(lambda: lbd.backends()["b1"]["health"] == "healthy")
                    self.assertEqual(set(backend.headers), {header})
                    self.assertEqual(self.client(lbd.address()).get().status, 200)

    def test_so_do_questions_for_load(self):
        def answer_to(request):
            load = "Backend-Load: in-flight=1, latency=1000"
            return answer("", load) if request.target == "/load" else answer("b")
        backends = [self.proxy_backend(answer_to) for _ in range(2)]
        lbd = self.lbd_before(backends, strategy="prequal")
        client = self.client(lbd.address())

        def told():
            self.assertEqual(client.get().status, 200)
            return lbd.cluster()["load_probes"]["told"] >= 3
        self.until(told)
        for backend in backends:
            asked = {request.connection for request in backend.requests
                     if request.target == "/load"}
            self.assertEqual(len(asked), 1, "it is ours, and is kept")
            for connection in backend.connections:
                ours = connection.number in asked
                self.assertEqual(connection.header[0], 0x20 if ours else 0x21)

    def test_no_connection_outlives_the_change(self):
        plain = self.enterContext(Backend())
        lbd = self.lbd(http_config([plain]))
        client = self.client(lbd.address())
        self.assertEqual(client.get().status, 200)
        self.assertEqual(lbd.backends()["b1"]["idle_connections"], 1)
        lbd.config["clusters"][0]["proxy_protocol"] = "v1"
        lbd.reload(lbd.config)
        self.until(lambda: lbd.backends()["b1"]["idle_connections"] == 0)
        self.until(lambda: plain.connections[0].socket.fileno() < 0, "closed by lbd, so here")

    def test_one_in_use_is_not_kept_by_a_reload(self):
        for before, after in (("none", "v2"), ("v2", "none"), ("v2", "v1")):
            with self.subTest(before=before, after=after):
                go = []

                def answer_to(request):
                    until(lambda: request.target != "/wait" or go)
                    return answer("b")
                kind = Backend if before == "none" else ProxyBackend
                backend = self.enterContext(kind(answer_to))
                lbd = self.lbd_before([backend], before)
                client = self.client(lbd.address())
                client.request("/wait")
                self.until(lambda: backend.heads)
                lbd.config["clusters"][0]["proxy_protocol"] = after
                lbd.reload(lbd.config)
                go.append(True)
                self.assertEqual(client.read_response().status, 200)
                self.assertEqual(lbd.backends()["b1"]["idle_connections"], 0)

    def test_haproxy_behind(self):
        haproxy = self.enterContext(HaProxy(
            self.temporary_directory(),
            ["accept-proxy", "http-request return status 200 content-type text/plain "
             'lf-string "%ci %cp %fi %fp"'], []))
        for sends in ("v1", "v2"):
            lbd = self.lbd_before([haproxy], sends,
                                  health_check={"type": "http", "path": "/", "interval": "50ms"})
            self.until(lambda: lbd.backends()["b1"]["health"] == "healthy")
            client = self.enterContext(client_from("127.0.0.5", lbd.address()))
            for _ in range(3):
                said = client.get().body.decode().split()
                ends = (*client.socket.getsockname(), *lbd.address())
                self.assertEqual(said, [str(part) for part in ends])

    def test_haproxy_behind_takes_what_is_said_of_clients_without_an_address(self):
        haproxy = self.enterContext(HaProxy(
            self.temporary_directory(), ["accept-proxy", "http-request return status 200"], []))
        path = os.path.join(self.temporary_directory(), "web.sock")
        for sends in ("v1", "v2"):
            lbd = self.lbd_before([haproxy], sends, {"bind": f"unix:{path}"})
            self.assertEqual(self.client(lbd.address()).get().status, 200)
            lbd.terminate()
            lbd.wait_end()


class OutgoingTls(OutgoingCase):
    def test_the_header_comes_before_the_handshake(self):
        authority = Authority(self.temporary_directory())
        identity = authority.issue("b", "b.example", "IP:127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(identity["certificate"], identity["key"])
        for sends, own in (("v1", ("PROXY", "UNKNOWN")), ("v2", (0x20, 0, b""))):
            backend = self.proxy_backend()
            backend.context = context
            lbd = self.lbd_before([backend], sends, tls={"ca": authority.ca},
                                  health_check={"type": "http", "path": "/", "interval": "50ms"})
            self.until(lambda: lbd.backends()["b1"]["health"] == "healthy")
            client = self.client(lbd.address())
            for _ in range(2):
                self.assertEqual(client.get().status, 200)
            ways = [header for header in backend.headers if header != own]
            self.assertEqual([self.told(header)[0] for header in ways],
                             [client.socket.getsockname()] * 2)


if __name__ == "__main__":
    unittest.main()
