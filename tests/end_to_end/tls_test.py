"""TLS with clients: who is served, by which certificate, with what, and who is turned away."""

import hashlib
import json
import os
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

from testbed import (MAY_GROW, SANITIZER, WORKERS, EndToEnd, end, http_config,
                     quick_server, run, start, tool)
from tls import Authority, TlsClient, client_context, openssl
from wire import Backend, Client, Cut, answer

OLD = "ALL:eNULL:@SECLEVEL=0"  # All that OpenSSL still has.


class TlsCase(EndToEnd):
    """An authority, a certificate for a.example, and words for configurations."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.directory = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="lbd-test-"))
        cls.authority = Authority(cls.directory)
        cls.certificate = cls.authority.issue("a.example", "a.example", "IP:127.0.0.1")

    def config(self, backends=None, listener=None, workers=WORKERS, **tls):
        backends = backends or [self.enterContext(Backend())]
        tls = {"certificates": [self.certificate], **tls}
        config = http_config(backends, listener={"tls": tls, **(listener or {})})
        config["workers"] = workers
        return config

    def tls_client(self, lbd, name="a.example", context=None, **options):
        context = context or client_context(self.authority)
        return self.enterContext(TlsClient(lbd.address(), context, name, **options))

    def handshakes(self, lbd):
        """A listener is told of from its first connection on."""
        [listener] = self.until(lambda: lbd.metrics()["listeners"])
        return listener["tls_handshakes"]


class Handshakes(TlsCase):
    def test_versions_1_2_and_1_3_are_spoken_and_older_ones_refused(self):
        lbd = self.lbd(self.config())
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            client = self.tls_client(lbd, context=client_context(self.authority, version))
            self.assertEqual(client.get().body, b"b")
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            context = client_context(version=version)
            context.set_ciphers(OLD)
            with self.assertRaisesRegex(ssl.SSLError, "PROTOCOL_VERSION"):
                self.tls_client(lbd, context=context)
        self.assertEqual(self.handshakes(lbd),
                         {"full": 2, "resumed": 0, "failed": 2, "active": 0})

    def test_of_all_ciphers_of_1_2_those_with_forward_secrecy_and_aead_are_spoken(self):
        rsa = self.authority.issue("rsa", "a.example", key="2048")
        lbd = self.lbd(self.config(certificates=[self.certificate, rsa]))
        everything = openssl("ciphers", "-tls1_2", OLD).strip().split(":")
        spoken = set()
        for cipher in everything:
            context = client_context(version=ssl.TLSVersion.TLSv1_2)
            try:
                context.set_ciphers(cipher + ":@SECLEVEL=0")
            except ssl.SSLError:
                continue  # Of 1.3, or not compiled in.
            try:
                with TlsClient(lbd.address(), context) as client:
                    if client.socket.cipher()[0] == cipher:
                        spoken.add(cipher)
            except ssl.SSLError:
                pass
        self.assertGreater(len(everything), 40)
        self.assertEqual(spoken, {f"ECDHE-{key}-{how}" for key in ("RSA", "ECDSA") for how in
                                  ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")})

    def test_the_configuration_narrows_versions_and_ciphers(self):
        lbd = self.lbd(self.config(min_version="1.2", max_version="1.2",
                                   ciphers=["ECDHE-ECDSA-CHACHA20-POLY1305"]))
        with self.assertRaises(ssl.SSLError):
            context = client_context(version=ssl.TLSVersion.TLSv1_3)
            self.tls_client(lbd, context=context)
        client = self.tls_client(lbd)
        self.assertEqual(client.socket.cipher()[0], "ECDHE-ECDSA-CHACHA20-POLY1305")
        client.get()
        line = lbd.access(1)[0]
        self.assertEqual((line["tls_version"], line["tls_cipher"], line["sni"]),
                         ("TLSv1.2", "ECDHE-ECDSA-CHACHA20-POLY1305", "a.example"))

    def test_nobody_renegotiates(self):
        lbd = self.lbd(self.config())
        host, port = lbd.address()
        client = start([tool("openssl"), "s_client", "-connect", f"{host}:{port}", "-tls1_2"],
                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True)
        try:
            output = client.communicate("R\n", timeout=30)[0]
        finally:
            end(client)
        self.assertIn("RENEGOTIATING", output)
        self.assertIn("no renegotiation", output)

    def test_alpn_agrees_on_http_1_or_on_nothing(self):
        lbd = self.lbd(self.config())
        for offered, agreed in ((["h2", "http/1.1"], "http/1.1"),
                                (["http/1.0", "http/1.1"], "http/1.1"),
                                (["http/1.0"], "http/1.0")):
            offer = client_context(self.authority, protocols=offered)
            self.assertEqual(self.tls_client(lbd, context=offer).socket.selected_alpn_protocol(),
                             agreed)
        self.assertIsNone(self.tls_client(lbd).socket.selected_alpn_protocol())
        with self.assertRaisesRegex(ssl.SSLError, "(?i)no.application.protocol"):
            self.tls_client(lbd, context=client_context(self.authority, protocols=["h2"]))

    def test_http_without_tls_and_garbage_are_turned_away(self):
        lbd = self.lbd(self.config())
        for first in (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 500,
                      os.urandom(2000)):
            client = self.client(lbd.address())
            client.send(first)
            with self.assertRaises(Cut):
                client.read_until(b"HTTP/1.1")
        self.assertEqual(self.handshakes(lbd)["failed"], 3)
        self.assertEqual(self.tls_client(lbd).get().status, 200)

    def test_a_slow_handshake_is_ended_in_time_and_holds_nobody_up(self):
        lbd = self.lbd(self.config(listener={"timeouts": {"head": "500ms"}}))
        slow = [self.client(lbd.address()) for _ in range(20)]
        began = time.monotonic()
        for client in slow:
            client.send(b"\x16\x03\x01\x02\x00\x01")
        self.assertEqual(self.tls_client(lbd).get().status, 200)
        for client in slow:
            self.assertTrue(client.is_closed())
        self.assertGreater(time.monotonic() - began, 0.3)
        self.assertEqual(self.handshakes(lbd)["failed"], 20)

    def test_clients_of_the_wild_are_served(self):
        lbd = self.lbd(self.config())
        host, port = lbd.address()
        result = run([tool("curl"), "-sS", "--cacert", self.authority.ca, "-w", "%{http_version}",
                      "--resolve", f"a.example:{port}:{host}", f"https://a.example:{port}/"])
        self.assertEqual((result.stdout, result.stderr), ("b1.1", ""))

    def test_careful_browsers_are_told_to_come_by_tls_alone(self):
        config = self.config(listener={
            "routes": [{"cluster": "web", "security_headers": True}]})
        config["listeners"][0].pop("cluster", None)
        config["clusters"][0]["name"] = "web"
        response = self.tls_client(self.lbd(config)).get()
        self.assertEqual(response.all("Strict-Transport-Security"), ["max-age=31536000"])

    def test_a_stop_does_not_wait_for_handshakes(self):
        lbd = self.lbd(self.config())
        self.client(lbd.address()).send(b"\x16\x03")
        self.until(lambda: self.handshakes(lbd)["active"] == 1)
        lbd.terminate()
        self.assertEqual(lbd.wait_end(), 0)


class ServerNames(TlsCase):
    def certificates(self):
        return [self.certificate, self.authority.issue("b.example", "b.example", "c.example"),
                self.authority.issue("wild", "*.w.example")]

    def names(self, lbd, name):
        context = client_context(self.authority)
        context.check_hostname = False
        return self.tls_client(lbd, name, context).certificate_names()

    def test_the_name_chooses_the_certificate(self):
        lbd = self.lbd(self.config(certificates=self.certificates()))
        default = {"a.example", "127.0.0.1"}
        for name, expected in (("a.example", default), ("b.example", {"b.example", "c.example"}),
                               ("C.Example", {"b.example", "c.example"}),
                               ("x.w.example", {"*.w.example"}), ("x.y.w.example", default),
                               ("w.example", default), ("other", default), (None, default)):
            self.assertEqual(self.names(lbd, name), expected, name)

    def test_strictly_no_name_of_ours_is_no_service(self):
        lbd = self.lbd(self.config(certificates=self.certificates(), strict_sni=True))
        self.assertEqual(self.names(lbd, "x.w.example"), {"*.w.example"})
        for name in ("other", None):
            with self.assertRaisesRegex(ssl.SSLError, "UNRECOGNIZED_NAME"):
                self.names(lbd, name)

    def test_a_host_with_another_certificate_is_misdirected(self):
        lbd = self.lbd(self.config(certificates=self.certificates()))
        client = self.tls_client(lbd, "b.example")
        for host, status in (("b.example", 200), ("c.example:443", 200), ("B.example.", 200),
                             ("a.example", 421)):
            client.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")
            self.assertEqual(client.read_response().status, status, host)
        self.assertTrue(client.is_closed())

    def test_one_name_may_have_certificates_of_two_kinds_of_key(self):
        rsa = self.authority.issue("both", "a.example", "IP:127.0.0.1", key="2048")
        lbd = self.lbd(self.config(certificates=[self.certificate, rsa]))
        for kind in ("ECDSA", "RSA"):
            context = client_context(self.authority, ssl.TLSVersion.TLSv1_2)
            context.set_ciphers(f"ECDHE-{kind}-AES128-GCM-SHA256")
            self.assertEqual(self.tls_client(lbd, context=context).get().status, 200)


class ClientCertificates(TlsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clients = Authority(cls.directory, "clients")
        cls.alice = cls.clients.issue("alice", subject="/O=Shop, Inc/CN=alice")
        cls.others = Authority(cls.directory, "others")
        cls.mallory = cls.others.issue("mallory")

    def mtls(self, mode, **options):
        return self.config(client_certificates={"mode": mode, "ca": self.clients.ca}, **options)

    def as_client(self, lbd, identity, **options):
        context = client_context(self.authority, identity=identity)
        return self.tls_client(lbd, context=context, **options)

    def test_required_lets_in_who_was_signed_by_the_right_authority(self):
        lbd = self.lbd(self.mtls("required"))
        self.assertEqual(self.as_client(lbd, self.alice).get().status, 200)
        for identity, alert in ((None, "CERTIFICATE_REQUIRED"), (self.mallory, "UNKNOWN_CA")):
            with self.assertRaisesRegex(ssl.SSLError, alert):
                self.as_client(lbd, identity).get()
        self.assertEqual(self.handshakes(lbd)["failed"], 2)

    def test_optional_lets_in_who_has_none_but_not_who_has_a_bad_one(self):
        lbd = self.lbd(self.mtls("optional"))
        for identity in (None, self.alice):
            self.assertEqual(self.as_client(lbd, identity).get().status, 200)
        with self.assertRaisesRegex(ssl.SSLError, "UNKNOWN_CA"):
            self.as_client(lbd, self.mallory).get()

    def test_backends_are_told_who_it_is_by_us_alone(self):
        backend = self.enterContext(Backend())
        lbd = self.lbd(self.mtls("optional", backends=[backend]))
        lies = ("X-SSL-Client-Verify: SUCCESS", "x-ssl-client-dn: CN=root",
                "X-SSL-Client-Anything: x", "X-Forwarded-Proto: http")
        self.as_client(lbd, self.alice).get("/", *lies)
        self.as_client(lbd, None).get("/", *lies)
        # To a server that hands fields on as variables it is the same.
        self.assertEqual(self.as_client(lbd, None).get("/", "X_SSL_CLIENT_DN: CN=root").status, 400)
        told = [{name: value for name, value in request.fields
                 if name.lower().replace("_", "-").startswith(("x-ssl", "x-forwarded-proto"))}
                for request in backend.requests]
        pem = openssl("x509", "-in", self.alice["certificate"], "-noout", "-fingerprint",
                      "-sha256", "-serial")
        serial, fingerprint = [line.split("=")[1] for line in sorted(
            pem.strip().split("\n"), key=lambda line: not line.startswith("serial"))]
        self.assertEqual(told[0], {
            "X-Forwarded-Proto": "https", "X-SSL-Client-Verify": "SUCCESS",
            "X-SSL-Client-DN": "CN=alice,O=Shop\\, Inc", "X-SSL-Client-Issuer-DN": "CN=clients",
            "X-SSL-Client-Serial": serial.lower(),
            "X-SSL-Client-SHA256": fingerprint.replace(":", "").lower()})
        self.assertEqual(told[1], {"X-Forwarded-Proto": "https", "X-SSL-Client-Verify": "NONE"})

    def test_a_plain_listener_lets_no_such_field_through_either(self):
        backend = self.enterContext(Backend())
        client = self.client(self.lbd(http_config([backend])).address())
        client.get("/", "X-SSL-Client-Verify: SUCCESS")
        self.assertIsNone(backend.requests[0]["X-SSL-Client-Verify"])
        self.assertEqual(backend.requests[0]["X-Forwarded-Proto"], "http")

    def test_a_resumed_session_is_still_the_clients_own(self):
        backend = self.enterContext(Backend())
        config = self.mtls("required", backends=[backend])
        lbd = self.lbd(config)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = client_context(self.authority, version, self.alice)
            first = self.tls_client(lbd, context=context)
            first.get()
            second = self.tls_client(lbd, context=context, session=first.socket.session)
            second.get()
            self.assertTrue(second.socket.session_reused)
            self.assertEqual(backend.requests[-1]["X-SSL-Client-DN"], "CN=alice,O=Shop\\, Inc")

    def test_who_is_not_trusted_any_more_does_not_come_back_by_an_old_session(self):
        config = self.mtls("required")
        lbd = self.lbd(config)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = client_context(self.authority, version, self.alice)
            lbd.reload(config)
            first = self.tls_client(lbd, context=context)
            first.get()
            config["listeners"][0]["tls"]["client_certificates"]["ca"] = self.others.ca
            lbd.reload(config)
            with self.assertRaisesRegex(ssl.SSLError, "UNKNOWN_CA"):
                self.tls_client(lbd, context=context, session=first.socket.session).get()
            config["listeners"][0]["tls"]["client_certificates"]["ca"] = self.clients.ca

    def test_a_session_of_one_listener_is_none_of_another(self):
        config = self.mtls("optional")
        config["listeners"].append({**config["listeners"][0], "name": "inner", "tls": {
            "certificates": [self.certificate],
            "client_certificates": {"mode": "required", "ca": self.clients.ca}}})
        lbd = self.lbd(config)
        context = client_context(self.authority)
        first = self.tls_client(lbd, context=context)
        first.get()
        with self.assertRaisesRegex(ssl.SSLError, "CERTIFICATE_REQUIRED"):
            TlsClient(lbd.address("inner"), context, session=first.socket.session).get()


class Resumption(TlsCase):
    def test_any_worker_resumes_what_another_began_also_after_a_reload(self):
        config = self.config(workers=2)
        lbd = self.lbd(config)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = client_context(self.authority, version)
            client = self.tls_client(lbd, context=context)
            client.get()
            before = self.handshakes(lbd)
            # Which worker gets a connection is the kernel's choice.
            for number in range(20):
                if number == 10:
                    lbd.reload(config)
                client = self.tls_client(lbd, context=context, session=client.socket.session)
                client.get()
                self.assertTrue(client.socket.session_reused)
            after = self.handshakes(lbd)
            self.assertEqual(after["resumed"] - before["resumed"], 20)
            self.assertEqual(after["full"], before["full"])


class Certificates(TlsCase):
    def test_a_new_certificate_under_load_costs_no_request(self):
        def pem(name):
            with open(self.authority.path(name)) as file:
                return file.read()
        server = self.enterContext(quick_server())
        for number in range(2):
            self.authority.issue(f"n{number}", "n.example", f"n{number}.example")
        live = {"certificate": self.authority.path("live.pem")}

        def put(number):  # Key and certificate in one file, replaced in one step.
            with open(live["certificate"] + ".new", "w") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(pem(f"n{number}.pem") + pem(f"n{number}.key"))
            os.replace(live["certificate"] + ".new", live["certificate"])
        put(0)
        config = self.config([server], certificates=[live], workers=2)
        lbd = self.lbd(config)
        kept = self.tls_client(lbd, "n.example")
        wrk = start([tool("wrk"), "-t1", "-c20", "-d4s", "--timeout", "20s",
                     "-H", "Connection: close", "https://%s:%d/" % lbd.address()],
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            for number in range(1, 7):
                before = self.handshakes(lbd)["full"]
                self.until(lambda: self.handshakes(lbd)["full"] > before + 50, "wrk is running")
                put(number % 2)
                lbd.reload(config)
                names = self.tls_client(lbd, "n.example").certificate_names()
                self.assertEqual(names, {"n.example", f"n{number % 2}.example"})
            self.assertIsNone(wrk.poll(), "wrk ended before the last reload")
            report = wrk.communicate(timeout=60)[0]
        finally:
            end(wrk)
        self.assertIn("requests in", report)
        self.assertNotIn("Socket errors", report)
        self.assertNotIn("Non-2xx", report)
        self.assertEqual(kept.get().status, 200)

    def ends(self, lbd):
        """When certificates end, by listener and file; the text of /metrics says the same."""
        ends = {(each["listener"], each["certificate"]): each["not_after_unix_seconds"]
                for each in lbd.metrics()["certificates"]}
        text = lbd.admin("GET", "/metrics")[1]
        for (listener, file), end in ends.items():
            sample = text.split("lbd_tls_certificate_not_after_timestamp_seconds{listener="
                                f'"{listener}",certificate="{file}"}} ', 1)[1]
            self.assertEqual(float(sample.split()[0]), end)
        return ends

    def test_metrics_say_when_they_end(self):
        live = self.authority.path("renewed.pem")

        def renew(days, *behind):
            self.authority.issue("short", "short.example", end=days)
            with open(live, "w") as file:
                os.fchmod(file.fileno(), 0o600)
                for name in ("short.pem", *behind, "short.key"):
                    with open(self.authority.path(name)) as part:
                        file.write(part.read())
        renew(30)
        config = self.config(certificates=[self.certificate, {"certificate": live}])
        lbd = self.lbd(config)

        def days_left():
            return {file: round((end - time.time()) / 86400)
                    for (listener, file), end in self.ends(lbd).items() if listener == "web"}
        self.assertEqual(days_left(), {self.certificate["certificate"]: 1, live: 30})
        renew(60)
        self.assertEqual(days_left()[live], 30, "the one in use")
        lbd.reload("nonsense", "config_rejected")
        self.assertEqual(days_left()[live], 30)
        lbd.reload(config)
        self.assertEqual(days_left()[live], 60)
        renew(60, "authority.pem")
        lbd.reload(config)
        self.assertEqual(days_left()[live], 1, "one behind it ends before")

    def test_what_cannot_be_used_changes_nothing(self):
        bad = self.authority.path("bad.pem")
        with open(bad, "w") as file:
            file.write("not a certificate")
        config = self.config()
        lbd = self.lbd(config)
        broken = self.config(certificates=[{**self.certificate, "certificate": bad}])
        event = lbd.reload(broken, "config_rejected")
        self.assertIn("lbd.json:", event["error"])
        self.assertIn("listeners[0].tls.certificates[0].certificate: expected a certificate in PEM",
                      event["error"])
        self.assertEqual(self.tls_client(lbd).get().status, 200)
        status, answer_ = lbd.admin("GET", "/config")
        self.assertEqual(status, 200)
        self.assertNotIn("bad.pem", str(answer_))

    def check(self, certificates, **tls):
        config = self.config(certificates=certificates, **tls)
        path = self.authority.path("check.json")
        with open(path, "w") as file:
            json.dump(config, file, indent=1)
        return run([os.environ["LBD"], "check", path])

    def test_lbd_check_says_what_is_wrong_and_where(self):
        expired = self.authority.issue("expired", end=-1)
        other = self.authority.issue("other")
        weak = self.authority.issue("weak", key="1024")
        locked = self.authority.path("locked.key")
        openssl("pkey", "-in", self.certificate["key"], "-aes256", "-passout", "pass:x", "-out",
                locked)
        good = self.certificate
        for certificate, at, words in (
                ({**good, "key": other["key"]}, "key", "is not the key of the certificate in"),
                ({**good, "key": good["certificate"]}, "key", "expected a private key in PEM"),
                ({**good, "key": locked}, "key", "has a passphrase"),
                ({**good, "key": "none.key"}, "key", "none.key: No such file"),
                ({**good, "certificate": good["key"]}, "certificate",
                 "expected a certificate in PEM"),
                ({**good, "certificate": self.directory}, "certificate", "cannot read"),
                (expired, "certificate", "expired on"),
                (weak, "certificate", "ee key too small")):
            result = self.check([good, certificate])
            self.assertEqual(result.returncode, 2, words)
            line = result.stderr.strip()
            self.assertRegex(line, r"check\.json:\d+:\d+: "
                             rf"listeners\[0\]\.tls\.certificates\[1\]\.{at}: .*{words}")

    def test_a_key_that_everybody_can_read_is_warned_of(self):
        open_key = self.authority.issue("open")
        os.chmod(open_key["key"], 0o644)
        result = self.check([open_key])
        self.assertEqual(result.returncode, 0)
        self.assertIn("can be read by everybody", result.stderr)
        self.assertIn("warning: listeners[0].tls.certificates[0].key", result.stderr)


class Bodies(TlsCase):
    def test_50_mb_both_ways_are_the_same_bytes(self):
        body = os.urandom(50_000_000)

        def echo(request):
            return answer(request.body)
        backend = self.enterContext(Backend(echo))
        client = self.tls_client(self.lbd(self.config([backend])))
        client.request("/", method="POST", body=body)  # It is answered when all of it is there.
        response = client.read_response()
        self.assertEqual(hashlib.sha256(response.body).digest(), hashlib.sha256(body).digest())
        self.assertEqual(hashlib.sha256(backend.requests[0].body).digest(),
                         hashlib.sha256(body).digest())

    def test_a_body_without_a_length_ends_with_a_word_or_is_cut(self):
        def script(connection):
            request = connection.read_request()
            connection.send("HTTP/1.1 200 OK\r\n\r\n" + "x" * 100_000)
            if request.target == "/cut":
                connection.reset()
        backend = self.enterContext(Backend(serve=script))
        lbd = self.lbd(self.config([backend]))
        client = self.tls_client(lbd)
        client.send("GET / HTTP/1.0\r\nHost: a.example\r\n\r\n")
        self.assertEqual(len(client.read_response().body), 100_000)
        client = self.tls_client(lbd)
        client.send("GET /cut HTTP/1.0\r\nHost: a.example\r\n\r\n")
        with self.assertRaises((Cut, OSError)):
            client.read_response()

    def test_half_a_record_and_then_the_end(self):
        lbd = self.lbd(self.config())
        client = self.tls_client(lbd)
        client.get()
        plain = socket.socket(fileno=client.socket.detach())
        plain.sendall(b"\x17\x03\x03\x40\x00" + b"x" * 1000)
        plain.shutdown(socket.SHUT_WR)
        plain.settimeout(30)
        try:
            while plain.recv(65536):
                pass
        except ConnectionResetError:
            pass
        plain.close()
        self.assertEqual(self.tls_client(lbd).get().status, 200)
        self.until(lambda: lbd.metrics()["listeners"][0]["connections_active"] == 1)

    def test_a_forged_record_ends_the_connection_with_an_alert(self):
        lbd = self.lbd(self.config())
        client = self.tls_client(lbd)
        client.get()
        plain = socket.socket(fileno=client.socket.detach())
        plain.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)
        plain.settimeout(30)
        record = plain.recv(65536)
        self.assertEqual(record[:1], b"\x17")  # Of 1.3: an alert looks like any record.
        try:
            self.assertEqual(plain.recv(65536), b"")
        except ConnectionResetError:
            pass
        plain.close()

    def test_pipelined_requests_in_one_record_and_one_request_in_many(self):
        backend = self.enterContext(Backend(lambda request: answer(request.target)))
        client = self.tls_client(self.lbd(self.config([backend])))
        client.send("".join(f"GET /{n} HTTP/1.1\r\nHost: a.example\r\n\r\n" for n in range(300)))
        for number in range(300):
            self.assertEqual(client.read_response().body, f"/{number}".encode())
        for byte in b"GET /slow HTTP/1.1\r\nHost: a.example\r\n\r\n":
            client.send(bytes([byte]))
        self.assertEqual(client.read_response().body, b"/slow")

    def test_a_client_that_does_not_read_costs_little(self):
        big = b"x" * 30_000_000
        backend = self.enterContext(Backend(lambda request: answer(big)))
        lbd = self.lbd(self.config([backend], listener={"timeouts": {"body": "60s"}}))
        self.tls_client(lbd).get()
        before = lbd.resident_bytes()
        clients = [self.tls_client(lbd, receive_buffer=8192) for _ in range(8)]
        for client in clients:
            client.request()
        self.until(lambda: len(backend.requests) == 9)
        time.sleep(0.5)
        self.assertLess(lbd.resident_bytes() - before, MAY_GROW)
        for client in clients:
            self.assertEqual(len(client.read_response().body), len(big))


class Crowds(TlsCase):
    def test_a_thousand_connections_at_once(self):
        lbd = self.lbd(self.config(workers=2))
        context = client_context(self.authority)
        first = self.tls_client(lbd, context=context)
        first.get()
        session = first.socket.session
        before = lbd.resident_bytes()
        clients = [self.tls_client(lbd, context=context, session=session) for _ in range(1000)]
        for client in clients:
            self.assertEqual(client.get().status, 200)
        self.assertEqual(lbd.metrics()["listeners"][0]["connections_active"], 1001)
        per_connection = (lbd.resident_bytes() - before) / 1000
        # With a sanitizer each of OpenSSL's many small pieces has margins, and ends in quarantine.
        self.assertLess(per_connection, 400_000 if SANITIZER else 24_000)
        for client in clients:
            self.assertEqual(client.get().status, 200)


class Tcp(TlsCase):
    def test_a_tcp_listener_ends_tls_and_passes_bytes_on(self):
        def script(connection):
            while data := connection.socket.recv(65536):
                connection.send(data.upper())
            connection.send("the end")
        backend = self.enterContext(Backend(serve=script))
        lbd = self.lbd(self.config([backend], listener={"protocol": "tcp"}))
        client = self.tls_client(lbd)
        client.send("hello")
        self.assertEqual(client.read_bytes(5), b"HELLO")
        client.send("x" * 1_000_000)
        self.assertEqual(client.read_bytes(1_000_000), b"X" * 1_000_000)


if __name__ == "__main__":
    unittest.main()
