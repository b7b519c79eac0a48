"""A WebSocket server that echoes, and a client that checks: both Debian's python3-websockets.

    websocket_echo.py serve         prints its port, serves until it is killed
    websocket_echo.py talk PORT     three conversations at once; exit code 0 when every word was right
"""

import asyncio
import os
import sys

import websockets


async def serve():
    async def echo(connection):
        async for message in connection:
            await connection.send(message)

    async with websockets.serve(echo, "127.0.0.1", 0, max_size=None, compression=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


async def talk(port, number):
    url = f"ws://127.0.0.1:{port}/chat/{number}"
    async with websockets.connect(url, max_size=None, compression=None) as connection:
        for size in (0, 1, 125, 126, 65535, 65536, 3_000_000):
            message = os.urandom(size)
            await connection.send(message)
            assert await connection.recv() == message, f"another message of {size} bytes came back"
        for turn in range(200):
            await connection.send(f"{number}: {turn}")
            assert await connection.recv() == f"{number}: {turn}"
        await (await connection.ping())


async def talk_at_once(port):
    await asyncio.gather(*(talk(port, number) for number in range(3)))


if __name__ == "__main__":
    asyncio.run(serve() if sys.argv[1] == "serve" else talk_at_once(int(sys.argv[2])))
