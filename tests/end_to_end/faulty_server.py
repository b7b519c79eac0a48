"""faulty_server.py NAME PORT: an HTTP/1.1 server that misbehaves on order.

GET /ID?size=N is answered with N bytes that only NAME and ID can make, see body_of(). So is every
other method; of each POST that it has read the head of, it writes "POST ID" to standard output, in
one system call, so that the line survives a SIGKILL. /health is answered at once, when the fault
lets it. The first line on standard output is its port; a fault is a line on standard input:

    well            as it should be, on every connection
    reset           RST in place of an answer
    close           FIN in place of an answer
    close_at_once   FIN as soon as a connection is accepted
    silent          no answer, ever
    half_line       half of a status line, then nothing more; half_line_close, half_line_reset
    continue_reset  100 Continue, then RST
    early_reset     an answer in full before the body was read, then RST
    stale           RST for the next request of every connection there is now; new ones are well
    truncate        half of the body, then FIN; truncate_chunks: chunks without their end
    cut             half of the body, then RST
    drip            a well answer, byte by byte
    slow            a well answer, after a while
    refuse          nobody listens, and every connection is reset
It ends with its parent.
"""

import asyncio
import os
import socket
import struct
import sys

DRIP_GAP = 0.002  # Seconds between two bytes.
SLOW = 0.2  # Seconds before an answer.


def body_of(name, identity, size):
    """NAME, ID and the same again up to `size` bytes, but at least once."""
    piece = f"{name} {identity}\n".encode()
    return (piece * (size // len(piece) + 1))[:max(size, len(piece))]


def head_of(length):
    return f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode()


class Request:
    def __init__(self, head):
        lines = head.decode("latin-1").split("\r\n")
        self.method, target, _ = lines[0].split(" ")
        path, _, query = target.partition("?")
        self.identity = path[1:]
        self.size = int(query.removeprefix("size=") or 0)
        fields = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        self.length = int(fields.get("content-length", 0))
        self.chunked = "transfer-encoding" in fields


class Server:
    def __init__(self, name):
        self.name = name
        self.fault = "well"
        self.listener = None
        self.port = 0
        self.writers = set()
        self.stale = set()

    async def listen(self, port):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # With whoever keeps the port.
        sock.bind(("127.0.0.1", port))
        self.port = sock.getsockname()[1]
        self.listener = await asyncio.start_server(self.serve, sock=sock, backlog=512)

    async def obey(self, fault):
        self.fault = fault
        self.stale = set(self.writers) if fault == "stale" else set()
        if fault == "refuse":
            self.listener.close()
            self.listener = None
            for writer in list(self.writers):
                reset(writer)
        elif self.listener is None:
            await self.listen(self.port)

    async def serve(self, reader, writer):
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.writers.add(writer)
        try:
            if self.fault != "close_at_once":
                while await self.serve_one(reader, writer):
                    pass
        except (asyncio.IncompleteReadError, OSError):
            pass  # The other side has left.
        finally:
            self.writers.discard(writer)
            self.stale.discard(writer)
            writer.close()

    async def serve_one(self, reader, writer):
        """False when the connection is over."""
        request = Request(await reader.readuntil(b"\r\n\r\n"))
        if request.method == "POST":
            os.write(1, f"POST {request.identity}\n".encode())
        if self.fault == "early_reset" and request.length:
            writer.write(self.answer_to(request))
            await writer.drain()
            return reset(writer)
        await self.read_body(request, reader)
        fault = self.fault
        if fault == "stale":
            fault = "reset" if writer in self.stale else "well"
        if fault in ("well", "early_reset"):
            writer.write(self.answer_to(request))
            return True
        return await getattr(self, fault)(request, writer)

    def answer_to(self, request):
        if request.identity == "health":
            return head_of(0)
        body = body_of(self.name, request.identity, request.size)
        return head_of(len(body)) + body

    @staticmethod
    async def read_body(request, reader):
        await reader.readexactly(request.length)
        while request.chunked:
            size = int(await reader.readline(), 16)
            await reader.readexactly(size + 2)
            if size == 0:
                return

    # -- Faults: each says whether the connection goes on.
    async def reset(self, _, writer):
        return reset(writer)

    refuse = reset  # It came in before the door was shut.

    async def close(self, *_):
        return False

    async def close_at_once(self, *_):
        return False

    async def silent(self, *_):
        await asyncio.sleep(3600)

    async def half_line(self, _, writer):
        writer.write(b"HTTP/1.1 20")
        await asyncio.sleep(3600)

    async def half_line_close(self, _, writer):
        writer.write(b"HTTP/1.1 20")
        return False

    async def half_line_reset(self, _, writer):
        writer.write(b"HTTP/1.1 20")
        await asyncio.sleep(0.002)  # For the half to be out.
        return reset(writer)

    async def continue_reset(self, _, writer):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await asyncio.sleep(0.002)
        return reset(writer)

    async def half(self, request, writer):
        answer = self.answer_to(request)
        head, body = answer.split(b"\r\n\r\n", 1)
        writer.write(head + b"\r\n\r\n" + body[:len(body) // 2])
        await asyncio.sleep(0.002)

    async def truncate(self, request, writer):
        await self.half(request, writer)
        return False

    async def truncate_chunks(self, request, writer):
        body = body_of(self.name, request.identity, request.size)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(b"%x\r\n%s\r\n" % (len(body), body))
        return False

    async def cut(self, request, writer):
        await self.half(request, writer)
        return reset(writer)

    async def drip(self, request, writer):
        for byte in self.answer_to(request):
            writer.write(bytes([byte]))
            await asyncio.sleep(DRIP_GAP)
        return True

    async def slow(self, request, writer):
        if request.identity != "health":
            await asyncio.sleep(SLOW)
        writer.write(self.answer_to(request))
        return True


def reset(writer):
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                               struct.pack("ii", 1, 0))
    writer.transport.abort()
    return False


async def run(name, port):
    server = Server(name)
    await server.listen(port)
    os.write(1, f"{server.port}\n".encode())
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        await server.obey(line.decode().strip())
        os.write(1, b"done\n")


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], int(sys.argv[2])))
