"""Load that keeps account of every request, and servers that fail on order, for fault runs.

Each request has an id of its own, and every answer is checked to be the whole one to that id. What
became of a request is one of

    ok      the whole answer, of status 200
    error   a whole answer of another status
    cut     the head of an answer came, and its body broke off: seen to be broken
    lost    the connection ended without an answer
    wrong   an answer to something else: never to happen
"""

import asyncio
import collections
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

from faulty_server import body_of
from testbed import HERE, PATIENCE, Background, end, reserved_port, start, until

# When, of which method, with which id, what became of it, and who answered. Times are monotonic.
Record = collections.namedtuple("Record", "began ended method id outcome status server")


class FaultyServer:
    """A process of faulty_server.py, which can be killed and started again at the same address."""

    def __init__(self, name):
        self.name = name
        self.posts = []  # Ids, each as often as it was delivered.
        self._resources = contextlib.ExitStack()

    def __enter__(self):
        self.port = self._resources.enter_context(reserved_port())
        self.address = f"127.0.0.1:{self.port}"
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()
        self._resources.close()

    def start(self):
        command = [sys.executable, "-B", os.path.join(HERE, "faulty_server.py"), self.name,
                   str(self.port)]
        self.process = start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()
        self._done = threading.Semaphore(0)
        self._reader = threading.Thread(
            target=self._read, args=(self.process.stdout, self._done), daemon=True)
        self._reader.start()

    def _read(self, lines, done):
        for line in lines:
            if line == "done\n":
                done.release()
            else:
                self.posts.append(line.split()[1])

    def kill(self):
        self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE)  # What it wrote is in the pipe still.
        end(self.process)

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def order(self, fault):
        """Returns when it is done."""
        self.process.stdin.write(fault + "\n")
        self.process.stdin.flush()
        assert self._done.acquire(timeout=PATIENCE), fault


class Load:
    """Closed loops, each with a connection of its own, in a thread of this process.

    `methods` are taken in turns by each loop, which waits for `pause` seconds between requests.
    Records are in the order the requests ended.
    """

    def __init__(self, address, loops=12, methods=("GET", "GET", "GET", "POST"), size=200,
                 body=b"x" * 50, pause=0.01):
        self.address = address
        self.records = []
        self._options = (methods, size, body, pause)
        self._stop = threading.Event()
        self._thread = Background(lambda: asyncio.run(self._run(loops)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Every request that was begun has ended after this."""
        self._stop.set()
        self._thread.result(60)

    async def _run(self, loops):
        await asyncio.gather(*(self._loop(number) for number in range(loops)))

    async def _loop(self, number):
        methods, size, body, pause = self._options
        connection = None
        count = number  # So that not all do the same at the same time.
        while not self._stop.is_set():
            count += 1
            method = methods[count % len(methods)]
            identity = f"{number}-{count}"
            began = time.monotonic()
            outcome, status, server, goes_on = "lost", 0, "", False
            try:
                if connection is None:
                    connection = await asyncio.open_connection(*self.address)
                outcome, status, server, goes_on = await asyncio.wait_for(
                    exchange(*connection, method, identity, size, body), PATIENCE)
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            self.records.append(Record(began, time.monotonic(), method, identity, outcome, status,
                                       server))
            if not goes_on:
                if connection is not None:
                    connection[1].close()
                connection = None
            await asyncio.sleep(pause)
        if connection is not None:
            connection[1].close()


async def exchange(reader, writer, method, identity, size, body):
    """One request: its outcome, status, who answered, and whether the connection goes on. An
    answer that does not begin raises."""
    body = body if method in ("POST", "PUT") else b""
    writer.write(f"{method} /{identity}?size={size} HTTP/1.1\r\nHost: test\r\n"
                 f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status = int(head.split(" ", 2)[1])
    fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
    goes_on = fields.get("connection") != "close"
    try:
        content = await read_content(reader, fields)
    except (asyncio.IncompleteReadError, ConnectionError):
        return "cut", status, "", False
    if status != 200:
        return "error", status, "", goes_on
    server = content.split(b" ", 1)[0].decode("latin-1")
    right = content == body_of(server, identity, size)
    return "ok" if right else "wrong", status, server, goes_on


async def read_content(reader, fields):
    if fields.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(fields["content-length"]))
    content = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        content += (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
    return content


class FaultRun:
    """Load while a fault happens and is over again: run(), and then what is to be said of it."""

    def __init__(self, lbd, servers, **load):
        self.servers = servers
        self.posts_before = {server.name: len(server.posts) for server in servers}
        self._load = Load(lbd.address(), **load)

    def run(self, fault, recover, during):
        """The fault is there for `during` seconds. Goes on until the first server serves again."""
        self.records = self._load.records
        with self._load:
            until(lambda: len(self.of("ok")) > 100, "load")
            self.fault_at = time.monotonic()
            fault()
            time.sleep(during)
            self.recovery_at = time.monotonic()
            recover()
            until(lambda: self.back_after(self.servers[0]) < PATIENCE, "the server is back")
            time.sleep(0.2)
        return self

    def of(self, *outcomes, methods=("GET", "PUT", "POST"), server=None):
        """Requests that ended so."""
        return [r for r in list(self.records)
                if r.outcome in outcomes and r.method in methods and server in (None, r.server)]

    def failed(self, **options):
        return self.of("error", "cut", "lost", "wrong", **options)

    def trouble_lasted(self, **options):
        """Seconds from the fault to the last request that failed."""
        return max((r.ended - self.fault_at for r in self.failed(**options)), default=0.0)

    def back_after(self, server):
        """Seconds from the recovery to this server's first good answer to what came after it."""
        return min((r.ended - self.recovery_at for r in self.of("ok", server=server.name)
                    if r.began >= self.recovery_at), default=float("inf"))

    def delivered_twice(self):
        for server in self.servers:
            server.order("well")  # What it got before, it has said then.
        posts = collections.Counter(
            identity for server in self.servers
            for identity in server.posts[self.posts_before[server.name]:])
        return [identity for identity, count in posts.items() if count > 1]
