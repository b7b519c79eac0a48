"""WebSockets of a library that is not ours, through lbd, both ends of them."""

import os

from testbed import HERE, EndToEnd, ServerProcess, http_config, run

# Debian's, for the library that goes with it.
ECHO = ["/usr/bin/python3", "-B", os.path.join(HERE, "websocket_echo.py")]


class WebSockets(EndToEnd):
    def start(self, **cluster):
        server = self.enterContext(ServerProcess([*ECHO, "serve"], lambda line: line.strip()))
        return self.lbd({**http_config([server.address], **cluster), "shutdown_timeout": "300ms"})

    def talk(self, lbd):
        return run([*ECHO, "talk", str(lbd.address()[1])])

    def test_every_message_comes_back(self):
        lbd = self.start()
        talked = self.talk(lbd)
        self.assertEqual((talked.returncode, talked.stderr), (0, ""))
        for record in lbd.access(3):
            self.assertEqual((record["status"], record["outcome"]), (101, "success"))
            self.assertGreater(record["bytes_in"], 3_000_000)

    def test_a_deadline_for_the_request_does_not_end_the_conversation(self):
        talked = self.talk(self.start(timeouts={"response": "300ms", "request": "300ms"}))
        self.assertEqual((talked.returncode, talked.stderr), (0, ""))

    def test_a_graceful_stop_waits_for_no_longer_than_its_grace(self):
        lbd = self.start()
        client = self.client(lbd.address())
        client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                    "\r\n")
        self.assertEqual(client.read_head().status, 101)
        lbd.terminate()
        self.assertEqual(lbd.wait_end(), 0)
