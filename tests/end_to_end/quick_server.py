"""quick_server.py NAME: an HTTP/1.1 server that keeps connections alive and answers NAME to
everything. It writes its port to standard output and ends with its parent.

    /slow/MILLISECONDS   answers after that time
"""

import asyncio
import sys


class QuickProtocol(asyncio.Protocol):
    def __init__(self, answer):
        self._answer = answer
        self._received = b""

    def connection_made(self, transport):
        self._transport = transport

    def data_received(self, data):
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, self._received = self._received.split(b"\r\n\r\n", 1)
            target = head.split(b" ", 2)[1]
            if target.startswith(b"/slow/"):
                delay = int(target.rsplit(b"/", 1)[1]) / 1000
                asyncio.get_running_loop().call_later(delay, self._transport.write, self._answer)
            else:
                self._transport.write(self._answer)


async def serve(name):
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(name), name)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: QuickProtocol(answer), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(serve(sys.argv[1].encode()))
