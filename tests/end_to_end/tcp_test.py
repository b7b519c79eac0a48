"""TCP listeners: bytes both ways, ends and resets as they were meant, and a real redis behind."""

import os
import subprocess
import threading
import unittest

from testbed import (Background, EndToEnd, dead_address, end, http_config,
                     reserved_port, run, start, tool, until)
from wire import Backend, Client, Cut


def tcp_config(backends, **cluster):
    return http_config(backends, protocol="tcp", **cluster)


class RedisServer:
    def __init__(self, directory, port):
        self.address = f"127.0.0.1:{port}"
        self._port = port
        self.process = start([tool("redis-server"), "--port", str(port), "--bind", "127.0.0.1",
                              "--save", "", "--dir", directory], stdout=subprocess.DEVNULL)

    def __enter__(self):
        def answers():
            try:
                with Client(("127.0.0.1", self._port)) as client:
                    client.send("PING\r\n")
                    return client.read_until(b"\r\n") == b"+PONG"
            except OSError:
                return False
        try:
            until(answers, "redis-server")
        except BaseException:
            end(self.process)
            raise
        return self

    def __exit__(self, *_):
        end(self.process)


class Redis(EndToEnd):
    def test_redis_cli_and_redis_benchmark_work_through_lbd(self):
        # redis cannot share its port: a moment between two binds, on a port nobody is given twice.
        with reserved_port() as port:
            pass
        redis = self.enterContext(RedisServer(self.temporary_directory(), port))
        lbd = self.lbd(tcp_config([redis], health_check={"type": "tcp"}))
        port = str(lbd.address()[1])
        cli = [tool("redis-cli"), "-p", port]
        self.assertEqual(run([*cli, "set", "key", "value"]).stdout, "OK\n")
        self.assertEqual(run([*cli, "get", "key"]).stdout, "value\n")
        big = os.urandom(3_000_000).hex()
        self.assertEqual(run([*cli, "-x", "set", "big"], input=big).stdout, "OK\n")
        self.assertEqual(run([*cli, "get", "big"]).stdout, big + "\n")
        bench = run([tool("redis-benchmark"), "-p", port, "-n", "20000", "-c", "20", "-q",
                     "-t", "ping_mbulk,set,get"])
        self.assertEqual(bench.returncode, 0, bench.stderr)
        self.assertEqual(bench.stdout.count("requests per second"), 3, bench.stdout)
        self.assertNotIn("rror", bench.stdout + bench.stderr)
        self.until(lambda: lbd.cluster()["in_progress"] == 0)
        outcomes = lbd.cluster()["outcomes"]
        self.assertGreaterEqual(lbd.cluster()["requests"], 4 + 3 * 20)
        self.assertEqual(sum(outcomes.values()), lbd.cluster()["requests"])


class Bytes(EndToEnd):
    def test_a_client_that_has_finished_still_gets_all_of_the_answer(self):
        def script(connection):
            received = connection.read_to_end()
            connection.send(b"%d:" % len(received) + b"x" * 1_000_000)
        backend = self.enterContext(Backend(serve=script))
        client = self.client(self.lbd(tcp_config([backend])).address())
        client.send(b"y" * 1_000_000)
        client.end_sending()
        self.assertEqual(client.read_to_end(), b"1000000:" + b"x" * 1_000_000)

    def test_a_backend_that_has_finished_still_gets_all_of_the_request(self):
        received = []

        def script(connection):
            connection.send("bye")
            connection.end_sending()
            received.append(connection.read_to_end())
        backend = self.enterContext(Backend(serve=script))
        lbd = self.lbd(tcp_config([backend]))
        client = self.client(lbd.address())
        self.assertEqual(client.read_to_end(), b"bye")
        client.send(b"z" * 1_000_000)
        client.end_sending()
        self.until(lambda: received)
        self.assertEqual(len(received[0]), 1_000_000)
        self.until(lambda: lbd.cluster()["outcomes"]["success"] == 1)

    def test_both_ways_at_once_arrive_byte_exact(self):
        data = os.urandom(8_000_000)

        def script(connection):
            sending = Background(connection.send, data)
            connection.read_bytes(len(data))
            sending.result()
            connection.send(b"." if connection.received == b"" else b"!")
        backend = self.enterContext(Backend(serve=script))
        client = self.client(self.lbd(tcp_config([backend])).address())
        sending = Background(client.send, data)
        self.assertEqual(client.read_bytes(len(data)), data)
        sending.result()
        self.assertEqual(client.read_to_end(), b".")

    def test_a_server_that_speaks_first_is_heard(self):
        backend = self.enterContext(Backend(serve=lambda connection: connection.send("220 hi")))
        client = self.client(self.lbd(tcp_config([backend])).address())
        self.assertEqual(client.read_to_end(), b"220 hi")

    def test_a_reset_by_the_backend_is_a_reset_for_the_client(self):
        def script(connection):
            connection.read_until(b"\n")
            connection.reset()
        backend = self.enterContext(Backend(serve=script))
        lbd = self.lbd(tcp_config([backend]))
        client = self.client(lbd.address())
        client.send("x\n")
        with self.assertRaises(Cut) as cut:
            client.read_to_end()
        self.assertEqual(str(cut.exception), "reset")
        self.assertEqual(lbd.cluster()["outcomes"]["cut"], 1)

    def test_a_reset_by_the_client_ends_the_session(self):
        backend = self.enterContext(Backend(serve=lambda connection: connection.read_to_end()))
        lbd = self.lbd(tcp_config([backend]))
        client = self.client(lbd.address())
        client.send("x")
        self.until(lambda: backend.connections)
        client.reset()
        self.until(lambda: lbd.cluster()["in_progress"] == 0)
        self.assertEqual(lbd.metrics()["listeners"][0]["connections_active"], 0)


class NobodyThere(EndToEnd):
    def assert_reset(self, lbd):
        # The reset may overtake what connect() waits for.
        with self.assertRaises(ConnectionResetError), Client(lbd.address()) as client:
            client.socket.recv(1)

    def test_all_refusing_is_a_reset(self):
        dead = [self.enterContext(dead_address()) for _ in range(2)]
        lbd = self.lbd(tcp_config(dead))
        self.assert_reset(lbd)
        self.assertEqual(lbd.cluster()["outcomes"]["connect_failure"], 1)

    def test_all_marked_down_is_a_reset(self):
        dead = [self.enterContext(dead_address()) for _ in range(2)]
        lbd = self.lbd(tcp_config(dead, health_check={
            "type": "tcp", "interval": "50ms", "unhealthy_threshold": 1}))
        lbd.wait_for("backend_down", 2)
        self.assert_reset(lbd)
        self.assertEqual(lbd.cluster()["outcomes"]["no_backend"], 1)

    def test_one_of_two_refusing_costs_no_connection(self):
        dead = self.enterContext(dead_address())
        backend = self.enterContext(Backend(serve=lambda connection: connection.send("here")))
        lbd = self.lbd(tcp_config([dead, backend], strategy="round_robin"))
        for _ in range(4):
            self.assertEqual(self.client(lbd.address()).read_to_end(), b"here")


class Times(EndToEnd):
    def test_a_silent_session_ends_at_its_idle_timeout(self):
        backend = self.enterContext(Backend(serve=lambda connection: connection.read_to_end()))
        lbd = self.lbd(tcp_config([backend], timeouts={"idle": "200ms"}))
        with self.assertRaises(Cut):
            self.client(lbd.address()).read_to_end()
        self.assertEqual(lbd.cluster()["in_progress"], 0)

    def test_a_session_in_which_bytes_move_one_way_does_not(self):
        tick = threading.Event()

        def script(connection):
            for _ in range(15):
                tick.wait(0.05)
                connection.send("x")
        backend = self.enterContext(Backend(serve=script))
        lbd = self.lbd(tcp_config([backend], timeouts={"idle": "400ms"}))
        self.assertEqual(self.client(lbd.address()).read_to_end(), b"x" * 15)

    def test_sessions_are_logged_with_their_bytes(self):
        backend = self.enterContext(Backend(serve=lambda connection: (
            connection.read_until(b"\n"), connection.send("four"))))
        lbd = self.lbd(tcp_config([backend]))
        client = self.client(lbd.address())
        client.send("abc\n")
        client.end_sending()
        self.assertEqual(client.read_to_end(), b"four")
        line = lbd.access(1)[0]
        self.assertEqual((line["bytes_in"], line["bytes_out"], line["backend"], line["outcome"]),
                         (4, 4, "b1", "success"))
        self.assertNotIn("method", line)


if __name__ == "__main__":
    unittest.main()
