"""What is measured, by name."""

import dataclasses

from handshakes import Handshakes
from load import Wrk


@dataclasses.dataclass
class Case:
    protocol: str
    body_bytes: int
    close: bool = False  # A new connection for each request, which the proxy ends.
    tls: bool = False
    handshakes: str = ""  # "full" or "resumed": a new connection of TLS for each request.
    rate: int = 0  # Requests a second, for the time they take; as many as can be without.
    workers: bool = False  # Of lbd alone: two against one.

    def plain(self):
        """Whether its requests can be counted one by one."""
        return not (self.close or self.tls or self.rate or self.workers)

    def load(self, certificate):
        if self.handshakes:
            return Handshakes(certificate, resume=self.handshakes == "resumed")
        return Wrk("https" if self.tls else "http",
                   ["-H", "Connection: close"] if self.close else [])


CASES = {
    "http_128": Case("http", 128),
    "http_64k": Case("http", 64 * 1024),
    "http_close": Case("http", 128, close=True),
    "tls_128": Case("http", 128, tls=True),
    "tls_full": Case("http", 128, tls=True, handshakes="full"),
    "tls_resumed": Case("http", 128, tls=True, handshakes="resumed"),
    "tcp_128": Case("tcp", 128),
    "tcp_1m": Case("tcp", 1024 * 1024),
    "latency_1k": Case("http", 128, rate=1000),
    "two_workers": Case("http", 128, workers=True),
}
