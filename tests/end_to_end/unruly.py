"""Backends and clients that do anything a peer can do, drawn from a seed; and what each may expect of
the proxy between them all the same.

Every request has an identity of its own, and every body is made of one: whoever gets a body, or an
answer, knows whether it is the right one. What is wrong goes into Ledger.wrongs, in words.
"""

import asyncio
import collections
import random
import socket
import struct

PIECE = 20_000  # Bytes; bodies are up to ten of these.
PAUSE = 0.003  # Seconds, at most, between two pieces.
PATIENCE = 30
OWN_STATUSES = {400, 408, 413, 417, 431, 501, 502, 503, 504}  # Of the proxy, without an identity.
METHODS = ("GET", "GET", "GET", "HEAD", "POST", "POST", "PUT", "DELETE", "OPTIONS")


class Ledger:
    def __init__(self):
        self.wrongs = []
        self.delivered = collections.Counter()  # Posts, by identity.
        self.answers = collections.Counter()  # Whole ones that clients got, by status.
        self.ends = 0  # Connections that ended before their last answer.

    def wrong(self, text):
        self.wrongs.append(text)


class Broken(Exception):
    """The peer ended, or said what this side is not to go on with."""


def content(identity, size):
    piece = identity.encode() + b"|"
    return (piece * (size // len(piece) + 1))[:size]


def reset(writer):
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def size_of(dice):
    return dice.choice((0, 1, dice.randrange(300), dice.randrange(PIECE), dice.randrange(10 * PIECE)))


def chunked(body, dice):
    """In chunks of any size, with and without extensions and trailers."""
    out, at = [], 0
    while at < len(body):
        size = min(dice.randint(1, PIECE), len(body) - at)
        extension = dice.choice(("", "", ";a=b", ';c="d e"'))
        out += [f"{size:x}{extension}\r\n".encode(), body[at:at + size], b"\r\n"]
        at += size
    out.append(b"0\r\n" + dice.choice((b"", b"X-Trailer: t\r\n")) + b"\r\n")
    return b"".join(out)


class Peer:
    """One end of a connection, which reads strictly and sends in whatever pieces."""

    def __init__(self, reader, writer, dice):
        self.reader, self.writer, self.dice = reader, writer, dice

    async def send(self, data, slowly=None):
        """In one piece, or in several with pauses."""
        if slowly is None:
            slowly = self.dice.random() < 0.3
        cuts = sorted(self.dice.randrange(len(data) + 1) for _ in range(8)) if slowly else []
        for begin, end in zip([0, *cuts], [*cuts, len(data)]):
            self.writer.write(data[begin:end])
            await self.writer.drain()
            if slowly:
                await asyncio.sleep(self.dice.random() * PAUSE)

    async def head(self):
        """First line and fields."""
        lines = (await self.reader.readuntil(b"\r\n\r\n"))[:-4].decode("latin-1").split("\r\n")
        fields = {}
        for line in lines[1:]:
            name, value = line.split(": ", 1)
            fields[name.lower()] = value
        return lines[0], fields

    async def chunks(self):
        body = []
        while True:
            line = await self.reader.readuntil(b"\r\n")
            size = int(line.strip(), 16)
            if size == 0:
                break
            body.append(await self.reader.readexactly(size))
            if await self.reader.readexactly(2) != b"\r\n":
                raise ValueError("a chunk that does not end where it said")
        while await self.reader.readuntil(b"\r\n") != b"\r\n":
            pass
        return b"".join(body)

    async def body(self, fields):
        """None where the fields tell of none."""
        if "transfer-encoding" in fields:
            return await self.chunks()
        if "content-length" in fields:
            return await self.reader.readexactly(int(fields["content-length"]))
        return None


class UnrulyBackend:
    """What it does with a request is drawn; `calm`, it answers as it should."""

    def __init__(self, dice, ledger):
        self.dice, self.ledger = dice, ledger
        self.calm = False
        self.done = collections.Counter()  # What it did, how often.

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, limit=1 << 20)
        self.address = "127.0.0.1:%d" % self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        peer = Peer(reader, writer, self.dice)
        try:
            while await self.request(peer):
                pass
            writer.close()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError, Broken):
            writer.transport.abort()
        except Exception as error:  # What only a proxy gone wrong sends.
            self.ledger.wrong(f"a backend got {type(error).__name__}: {error}")
            writer.transport.abort()

    async def request(self, peer):
        """Whether the connection is to be kept."""
        line, fields = await peer.head()
        method, target, version = line.split(" ")
        identity = target[1:]
        if version != "HTTP/1.1" or fields.get("x-identity") != identity:
            self.ledger.wrong(f"a backend got {line!r} with {fields}")
        if method == "POST":
            self.ledger.delivered[identity] += 1
        act = UnrulyBackend.answer if self.calm else self.dice.choice(self.ACTS)
        self.done[act.__name__] += 1
        return await act(self, peer, method, identity, fields)

    async def hear(self, peer, identity, fields):
        body = await peer.body(fields)
        if body is not None and body != content(identity, int(fields["x-size"])):
            self.ledger.wrong(f"the body of {identity} came as another one")

    def good(self, method, identity, framing=None, size=None):
        """Head and body of a right answer."""
        body = content("re:" + identity, size_of(self.dice) if size is None else size)
        framing = framing or self.dice.choice(("length", "chunks"))
        head = f"HTTP/1.1 200 OK\r\nX-Identity: {identity}\r\nX-Size: {len(body)}\r\n"
        if framing == "length":
            head += f"Content-Length: {len(body)}\r\n"
        elif framing == "chunks":
            head += "Transfer-Encoding: chunked\r\n"
            body = chunked(body, self.dice)
        else:
            head += "Connection: close\r\n"
        return head.encode() + b"\r\n", b"" if method == "HEAD" else body

    async def answer(self, peer, method, identity, fields):
        await self.hear(peer, identity, fields)
        await peer.send(b"".join(self.good(method, identity)), slowly=False)
        return True

    async def answer_slowly(self, peer, method, identity, fields):
        await self.hear(peer, identity, fields)
        await peer.send(b"".join(self.good(method, identity)), slowly=True)
        return True

    async def answer_and_close(self, peer, method, identity, fields):
        await self.hear(peer, identity, fields)
        await peer.send(b"".join(self.good(method, identity, "close")))
        return False

    async def answer_early(self, peer, method, identity, fields):
        await peer.send(b"".join(self.good(method, identity)))
        await self.hear(peer, identity, fields)
        return True

    async def answer_early_and_close(self, peer, method, identity, fields):
        await peer.send(b"".join(self.good(method, identity)))
        return False

    async def announce(self, peer, method, identity, fields):
        interim = [b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"]
        await peer.send(b"".join(self.dice.choices(interim, k=self.dice.randint(1, 5))))
        return await self.answer(peer, method, identity, fields)

    async def answer_without_body(self, peer, method, identity, fields):
        await self.hear(peer, identity, fields)
        status = self.dice.choice(("204 No Content", "304 Not Modified"))
        await peer.send(f"HTTP/1.1 {status}\r\nX-Identity: {identity}\r\n\r\n".encode())
        return True

    async def fail(self, peer, method, identity, fields):
        await self.hear(peer, identity, fields)
        await peer.send(f"HTTP/1.1 500 Oh\r\nX-Identity: {identity}\r\nX-Size: 0\r\n"
                        "Content-Length: 0\r\n\r\n".encode())
        return True

    async def cut(self, peer, method, identity, fields):
        """Anywhere in a right answer, its very end not included, by FIN or RST."""
        await self.hear(peer, identity, fields)
        whole = b"".join(self.good(method, identity))
        await peer.send(whole[:self.dice.randrange(len(whole))])
        if self.dice.random() < 0.5:
            reset(peer.writer)
            raise Broken
        return False

    async def leave(self, peer, method, identity, fields):
        """Before it has heard all, or after."""
        if self.dice.random() < 0.5:
            await self.hear(peer, identity, fields)
        if self.dice.random() < 0.5:
            reset(peer.writer)
            raise Broken
        return False

    async def stall(self, peer, method, identity, fields):
        await peer.reader.read()
        raise Broken

    async def answer_too_much(self, peer, method, identity, fields):
        """Another answer in the same packet. One that comes later, on its way together with the next
        request, is that one's answer as far as anybody can tell."""
        await self.hear(peer, identity, fields)
        whole = self.good(method, identity, size=self.dice.randrange(1000))
        surplus = self.good("GET", "nobody", size=5)
        await peer.send(b"".join(whole + surplus), slowly=False)
        return True

    async def talk_nonsense(self, peer, method, identity, fields):
        await self.hear(peer, identity, fields)
        own = f"X-Identity: {identity}\r\nX-Size: 5\r\n"
        await peer.send(self.dice.choice((
            "220 mail.example ESMTP\r\n",
            "HTTP/1.1 200\r\r\n\r\n",
            f"HTTP/2 200 OK\r\n{own}Content-Length: 5\r\n\r\nhello",
            f"HTTP/1.1 200 OK\r\n{own}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
            f"HTTP/1.1 200 OK\r\n{own}Content-Length: +5\r\n\r\nhello",
            f"HTTP/1.1 200 OK\r\n{own}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
            "5\r\nhello\r\n0\r\n\r\n",
            f"HTTP/1.1 200 OK\r\n{own}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            f"HTTP/1.1 200 OK\r\n{own} folded: x\r\nContent-Length: 5\r\n\r\nhello",
            f"HTTP/1.1 200 OK\r\n{own}X: \0\r\nContent-Length: 5\r\n\r\nhello",
            f"HTTP/1.1 101 Switching Protocols\r\n{own}Connection: upgrade\r\nUpgrade: x\r\n\r\n",
            f"HTTP/1.1 200 OK\r\n{own}Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
            f"HTTP/1.1 200 OK\r\n{own}Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
        )).encode("latin-1"))
        return True

    ACTS = (answer, answer, answer, answer_slowly, answer_and_close, answer_early,
            answer_early_and_close, announce, answer_without_body, fail, cut, cut, leave, stall,
            answer_too_much, talk_nonsense)


class UnrulyClient:
    """A connection with some requests on it, written in one go or one by one."""

    def __init__(self, name, dice, ledger):
        self.name, self.dice, self.ledger = name, dice, ledger
        self.requests = [(dice.choice(METHODS), f"{name}-{number}")
                         for number in range(dice.randint(1, 5))]

    def written(self, method, identity):
        dice = self.dice
        head = f"{method} /{identity} HTTP/1.1\r\nHost: chaos\r\nX-Identity: {identity}\r\n"
        if method not in ("POST", "PUT") and dice.random() < 0.9:
            return head.encode() + b"\r\n"
        body = content(identity, size_of(dice))
        head += f"X-Size: {len(body)}\r\n"
        if dice.random() < 0.2:
            head += "Expect: 100-continue\r\n"  # It does not wait for it.
        if dice.random() < 0.5:
            return head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(body, dice)
        return head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body

    async def run(self, address):
        try:
            await asyncio.wait_for(self.talk(address), PATIENCE)
        except TimeoutError:
            self.ledger.wrong(f"{self.name} got no answer and no end within {PATIENCE} s")

    async def talk(self, address):
        reader, writer = await asyncio.open_connection(*address, limit=1 << 16)
        peer = Peer(reader, writer, self.dice)
        data = b"".join(self.written(*request) for request in self.requests)
        end = self.dice.choice(("stays", "stays", "stays", "half closes", "resets", "closes"))
        if end in ("resets", "closes"):
            data = data[:self.dice.randrange(len(data) + 1)]
        sending = asyncio.create_task(self.say(peer, data, end))
        try:
            if self.dice.random() < 0.1:
                await asyncio.sleep(0.2)  # It does not read: what comes stays where it is.
            for method, identity in self.requests:
                await self.hear(peer, method, identity)
        except (OSError, asyncio.IncompleteReadError, Broken):
            self.ledger.ends += 1
        except Exception as error:
            self.ledger.wrong(f"{self.name} got {type(error).__name__}: {error}")
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            writer.transport.abort()

    async def say(self, peer, data, end):
        try:
            await peer.send(data)
        except OSError:
            return
        if end == "half closes":
            peer.writer.write_eof()
        elif end == "resets":
            reset(peer.writer)
        elif end == "closes":
            peer.writer.close()

    async def hear(self, peer, method, identity):
        """The answer to this one and no other, if there is a whole one."""
        while True:
            line, fields = await peer.head()
            status = int(line.split(" ")[1])
            if status == 101:
                raise ValueError("a switch to what nobody asked for")
            if status >= 200:
                break
        whole = None
        if method != "HEAD" and status not in (204, 304):
            whole = await peer.body(fields)
            if whole is None:
                raise ValueError("an answer without a length")
        if "x-identity" not in fields:
            if status not in OWN_STATUSES:
                self.ledger.wrong(f"{identity} got a {status} of the proxy's own")
        elif fields["x-identity"] != identity:
            self.ledger.wrong(f"{identity} got the answer to {fields['x-identity']}")
        elif method != "HEAD" and status == 200 and \
                whole != content("re:" + identity, int(fields["x-size"])):
            self.ledger.wrong(f"the answer to {identity} came with another body")
        self.ledger.answers[status] += 1
        if fields.get("connection") == "close":
            raise Broken


async def crowd(seed, address, ledger, count, at_once):
    """So many clients, not more than so many at once."""
    room = asyncio.Semaphore(at_once)

    async def one(number):
        async with room:
            dice = random.Random(f"{seed} client {number}")
            await UnrulyClient(f"c{number}", dice, ledger).run(address)
    await asyncio.gather(*(one(number) for number in range(count)))
