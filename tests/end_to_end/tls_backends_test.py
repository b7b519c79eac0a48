"""TLS to backends: whom we trust with a request, who we say we are, and what a failure costs."""

import tempfile
import unittest

from testbed import EndToEnd, http_config
from tls import Authority, TlsBackend
from wire import Backend, Cut, answer


class TlsBackendsCase(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        directory = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="lbd-test-"))
        cls.authority = Authority(directory)
        cls.identity = cls.authority.issue("b", "b.example", "IP:127.0.0.1")
        cls.nobody = Authority(directory, "nobody")

    def backend(self, identity=None, *arguments, **options):
        return self.enterContext(TlsBackend(identity or self.identity, *arguments, **options))

    def lbd_with(self, backends, cluster=None, **tls):
        tls = {"ca": self.authority.ca, **tls}
        return self.lbd(http_config(backends, tls=tls, **(cluster or {})))

    def get(self, lbd, *arguments, **options):
        return self.client(lbd.address()).get(*arguments, **options)


class Trust(TlsBackendsCase):
    def test_a_backend_is_verified_by_the_host_in_its_address(self):
        backend = self.backend()
        lbd = self.lbd_with([backend])
        self.assertEqual(self.get(lbd).body, b"b")
        self.assertEqual(backend.names, [None])  # An address is no name to ask for.

    def test_or_by_the_name_that_is_configured_which_it_is_asked_for(self):
        backend = self.backend()
        lbd = self.lbd_with([backend], server_name="b.example")
        self.assertEqual(self.get(lbd).body, b"b")
        self.assertEqual(backend.names, ["b.example"])

    def refused(self, backend, why, **tls):
        lbd = self.lbd_with([backend], cluster={"retries": {"attempts": 2}}, **tls)
        for method, body in (("GET", None), ("POST", b"secret")):
            self.assertEqual(self.get(lbd, "/", method=method, body=body).status, 503)
        line = lbd.access(2)[0]
        self.assertIn(why, line["error"])
        self.assertEqual(line["outcome"], "connect_failure")
        self.assertEqual((backend.heads, line["attempts"]), ([], 2))
        self.until(lambda: len(backend.refusals) == 4)

    def test_who_has_another_name_gets_no_byte_of_a_request(self):
        self.refused(self.backend(), "hostname mismatch", server_name="other.example")

    def test_who_was_signed_by_somebody_else_gets_none_either(self):
        self.refused(self.backend(), "certificate", ca=self.nobody.ca)

    def test_nor_who_expired(self):
        expired = self.authority.issue("expired", "IP:127.0.0.1", end=-1)
        self.refused(self.backend(expired), "certificate has expired")

    def test_nor_whom_the_system_does_not_trust(self):
        backend = self.backend()
        lbd = self.lbd(http_config([backend], tls={}))
        self.assertEqual(self.get(lbd).status, 503)
        self.assertEqual(backend.heads, [])

    def test_unless_nobody_looks(self):
        lbd = self.lbd(http_config([self.backend()], tls={"verify": False}))
        self.assertEqual(self.get(lbd).status, 200)

    def test_a_backend_without_tls_fails_and_another_serves(self):
        plain = self.enterContext(Backend(serve=lambda connection: connection.send("220 hello\r\n")))
        lbd = self.lbd_with([plain, self.backend(name="good")], {"strategy": "round_robin"})
        client = self.client(lbd.address())
        for _ in range(4):
            self.assertEqual(client.get(method="POST", body=b"x").body, b"good")
        self.assertEqual(plain.heads, [])

    def test_a_backend_that_never_finishes_the_handshake_is_one_that_does_not_connect(self):
        silent = self.enterContext(Backend(serve=lambda connection: connection.socket.recv(1 << 16)
                                           and connection.socket.recv(1)))
        lbd = self.lbd_with([silent, self.backend(name="good")],
                            {"strategy": "round_robin", "timeouts": {"connect": "300ms"}})
        client = self.client(lbd.address())
        for _ in range(2):
            self.assertEqual(client.get().body, b"good")


class Identity(TlsBackendsCase):
    def test_we_show_our_certificate_to_those_who_ask(self):
        ours = self.nobody.issue("lbd")
        backend = self.backend(clients=self.nobody)
        lbd = self.lbd_with([backend], certificate=ours["certificate"], key=ours["key"])
        self.assertEqual(self.get(lbd).status, 200)
        self.assertEqual(backend.errors, [])

    def test_who_asks_and_is_shown_none_refuses_us(self):
        backend = self.backend(clients=self.nobody)
        lbd = self.lbd_with([backend])
        self.assertIn(self.get(lbd).status, (502, 503))
        self.assertEqual(backend.heads, [])


class Sessions(TlsBackendsCase):
    def test_a_new_connection_resumes_the_last_session(self):
        backend = self.backend(None, lambda request: answer("b", "Connection: close"))
        lbd = self.lbd_with([backend], {"workers": 1})
        for _ in range(4):
            self.assertEqual(self.get(lbd).status, 200)
        self.assertEqual(backend.handshakes, [False, True, True, True])

    def test_a_kept_connection_needs_no_handshake(self):
        backend = self.backend()
        lbd = self.lbd_with([backend], {"workers": 1})
        for _ in range(4):
            self.assertEqual(self.get(lbd).status, 200)
        self.assertEqual(backend.handshakes, [False])

    def test_what_was_agreed_on_by_other_rules_is_not_used_any_more(self):
        backend = self.backend()
        lbd = self.lbd_with([backend])
        self.assertEqual(self.get(lbd).status, 200)
        changed = http_config([backend], tls={"ca": self.nobody.ca})
        lbd.reload(changed)
        self.assertEqual(self.get(lbd).status, 503)
        self.assertEqual(len(backend.heads), 1)

    def test_a_reload_that_changes_nothing_keeps_connections(self):
        backend = self.backend()
        config = http_config([backend], workers=1, tls={"ca": self.authority.ca})
        lbd = self.lbd(config)
        self.get(lbd)
        lbd.reload(config)
        self.get(lbd)
        self.assertEqual(backend.handshakes, [False])


class Probes(TlsBackendsCase):
    CHECK = {"type": "http", "path": "/health", "interval": "100ms", "unhealthy_threshold": 1}

    def test_health_is_asked_over_tls_and_says_what_is_wrong(self):
        good = self.backend()
        bad = self.backend(self.nobody.issue("b2", "IP:127.0.0.1"))
        lbd = self.lbd_with([good, bad], {"health_check": self.CHECK})
        event = lbd.wait_for("backend_down")
        self.assertEqual(event["backend"], "b2")
        self.assertIn("TLS: the certificate is refused", event["reason"])
        for _ in range(4):
            self.assertEqual(self.get(lbd).status, 200)
        self.assertIn("/health", good.targets())
        self.assertEqual(bad.heads, [])

    def test_a_tcp_probe_passes_with_a_handshake(self):
        plain = self.enterContext(Backend(serve=lambda connection: connection.send("hello\r\n")))
        lbd = self.lbd_with([self.backend(), plain],
                            {"health_check": {**self.CHECK, "type": "tcp"}})
        self.assertEqual(lbd.wait_for("backend_down")["backend"], "b2")

    def test_load_is_asked_over_tls(self):
        def answers(request):
            return answer("b", "Backend-Load: in-flight=1, latency=100")
        backends = [self.backend(None, answers) for _ in range(2)]
        lbd = self.lbd_with(backends, {"strategy": {"name": "prequal", "path": "/load"}})
        client = self.client(lbd.address())

        def asked():
            client.get()
            return all("/load" in backend.targets() for backend in backends)
        self.until(asked)


class Bodies(TlsBackendsCase):
    def test_an_answer_without_a_length_ends_with_a_word_or_is_cut(self):
        def script(connection):
            request = connection.read_request()
            connection.send("HTTP/1.1 200 OK\r\n\r\n" + "x" * 100_000)
            if request.target == "/whole":
                connection.socket = connection.socket.unwrap()
        backend = self.backend(None, serve=script)
        lbd = self.lbd_with([backend])
        self.assertEqual(len(self.get(lbd, "/whole").body), 100_000)
        with self.assertRaises(Cut):
            self.get(lbd, "/truncated")

    def test_an_answer_with_a_length_needs_no_word(self):
        backend = self.backend(None, serve=lambda connection: (
            connection.read_request(), connection.send(answer("x" * 100_000))))
        self.assertEqual(len(self.get(self.lbd_with([backend])).body), 100_000)

    def test_large_bodies_both_ways(self):
        body = bytes(range(256)) * 40_000
        backend = self.backend(None, lambda request: answer(request.body))
        self.assertEqual(
            self.get(self.lbd_with([backend]), method="POST", body=body[:1_000_000]).body,
            body[:1_000_000])

    def test_bytes_nobody_asked_for_end_a_kept_connection(self):
        def script(connection):
            while connection.read_request():
                connection.send(answer("b") + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        backend = self.backend(None, serve=script)
        lbd = self.lbd_with([backend])
        client = self.client(lbd.address())
        for _ in range(5):
            self.assertEqual(client.get().body, b"b")


if __name__ == "__main__":
    unittest.main()
