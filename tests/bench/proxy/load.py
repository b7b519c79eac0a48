"""What is sent through a proxy: one checked request, wrk at full speed, or an exact number."""

import dataclasses
import http.client
import os
import re
import signal
import socket
import subprocess
import tempfile
import time

from processes import Failed, Process
from proxies import which

CONNECTIONS = 50
TIMEOUT_SECONDS = 10


@dataclasses.dataclass
class Done:
    requests: int
    requests_per_second: float


def check_answers(name, port, body_bytes, certificate=None):
    """Two requests over one connection: status, length, content, and that it stays open."""
    if certificate is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    else:
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS,
                                                 context=certificate.client_context())
    try:
        for number in (1, 2):
            connection.request("GET", "/")
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise Failed(f"{name}: request {number} was answered {answer.status}")
            if body != b"x" * body_bytes:
                raise Failed(f"{name}: request {number} brought {len(body)} bytes, not the "
                             f"{body_bytes} that the backend sent")
            if connection.sock is None:
                raise Failed(f"{name}: closed the connection after request {number}")
    except (OSError, http.client.HTTPException) as error:
        raise Failed(f"{name}: no proper answer: {error!r}") from error
    finally:
        connection.close()


@dataclasses.dataclass
class Wrk:
    """As many requests as it can make on its connections."""
    scheme: str
    options: list

    def run(self, name, port, seconds, cpus, directory):
        url = f"{self.scheme}://127.0.0.1:{port}/"
        with RunningWrk(name, url, CONNECTIONS, cpus, directory, self.options) as wrk:
            time.sleep(seconds)
            return wrk.stop()


class RunningWrk:
    """wrk until stop(), which may be after a fraction of a second; wrk itself only knows whole
    ones, so it is told to stop, after which it reports as always."""

    def __init__(self, name, url, connections, cpus, directory, options=()):
        self.name = name
        self.output = tempfile.TemporaryFile(dir=directory)
        command = [which("wrk"), "-t1", f"-c{connections}", "-d600s", *options, url]
        self.wrk = Process("wrk", command, cpus, directory, stdout=self.output)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wrk.stop()
        self.output.close()

    def stop(self):
        self.wrk.child.send_signal(signal.SIGINT)
        try:
            self.wrk.child.wait(timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name}: wrk did not end when told to") from None
        self.output.seek(0)
        return read_wrk(self.name, self.wrk, self.output.read().decode(errors="replace"))


def read_wrk(name, wrk, text):
    count = re.search(r"(\d+) requests in", text)
    rate = re.search(r"Requests/sec:\s*([\d.]+)", text)
    if wrk.child.returncode != 0 or not count or not rate or int(count.group(1)) == 0:
        raise Failed(f"{name}: wrk failed: {text} {wrk.complaint()}")
    if "Socket errors" in text or "Non-2xx" in text:
        raise Failed(f"{name}: wrk reports errors, so its figures mean nothing:\n{text}")
    return Done(int(count.group(1)), float(rate.group(1)))


class ExactLoad:
    """A known number of requests, for counting what each costs. In waves, one request on each of
    the connections, so that a proxy finds several sockets ready at a time as it does under wrk."""

    REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

    def __init__(self, name, port, connections=CONNECTIONS):
        self.name = name
        self.sockets = []
        try:
            for _ in range(connections):
                self.sockets.append(
                    socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS))
        except OSError:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for each in self.sockets:
            each.close()

    def send_waves(self, waves):
        """Returns how many requests that were."""
        for _ in range(waves):
            for each in self.sockets:
                each.sendall(self.REQUEST)
            for each in self.sockets:
                self._read_answer(each)
        return waves * len(self.sockets)

    def _read_answer(self, connection):
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._receive(connection)
        head, _, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length:\s*(\d+)", head)
        if not head.startswith(b"HTTP/1.1 200") or not length:
            raise Failed(f"{self.name}: unexpected answer {head[:200]!r}")
        missing = int(length.group(1)) - len(body)
        while missing > 0:
            missing -= len(self._receive(connection))

    def _receive(self, connection):
        data = connection.recv(65536)
        if not data:
            raise Failed(f"{self.name}: closed a connection")
        return data
