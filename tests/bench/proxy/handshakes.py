"""TLS: a certificate for the proxies, and a client that makes one handshake after the other.

Each handshake is TLS 1.3 with X25519 and an ECDSA certificate of P-256, followed by one request and
its answer on that connection. A resumed one brings the ticket of the one before (psk_dhe_ke).
"""

import os
import socket
import ssl
import subprocess
import time

from load import TIMEOUT_SECONDS, Done
from processes import Failed, Unusable
from proxies import which

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Certificate:
    """Signed by itself, for localhost, made for this run."""

    def __init__(self, directory):
        self.file = os.path.join(directory, "bench.pem")
        self.key = os.path.join(directory, "bench.key")
        self.both = os.path.join(directory, "bench.both.pem")
        if which("openssl") is None:
            raise Unusable("openssl is not installed")
        subprocess.run(
            [which("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", self.key, "-out",
             self.file], check=True, capture_output=True)
        with open(self.both, "w") as both:
            for path in (self.file, self.key):
                with open(path) as part:
                    both.write(part.read())

    def client_context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_verify_locations(self.file)
        return context


class Handshakes:
    def __init__(self, certificate, resume):
        self.context = certificate.client_context()
        self.resume = resume

    def run(self, name, port, seconds, _cpus, _directory):
        """One connection at a time, for that long."""
        began = time.monotonic()
        count = 0
        session = self._shake_hands(name, port, None) if self.resume else None
        while time.monotonic() - began < seconds:
            session = self._shake_hands(name, port, session)
            count += 1
        count += self.resume
        return Done(count, count / (time.monotonic() - began))

    def _shake_hands(self, name, port, session):
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS) as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.context.wrap_socket(plain, server_hostname="localhost",
                                          session=session) as connection:
                connection.sendall(REQUEST)
                received = b""
                while piece := connection.recv(65536):
                    received += piece
                if not received.startswith(b"HTTP/1.1 200"):
                    raise Failed(f"{name}: unexpected answer {received[:200]!r}")
                if session is not None and not connection.session_reused:
                    raise Failed(f"{name}: did not resume a session")
                return connection.session if self.resume else None
