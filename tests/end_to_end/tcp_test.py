"""TCP listeners: bytes both ways, ends and resets as they were meant, and a real redis behind."""

import glob
import os
import pwd
import random
import resource
import socket
import ssl
import subprocess
import sys
import threading
import time
import unittest

from testbed import (MAY_GROW, Background, EndToEnd, ServerProcess, dead_address, end, http_config,
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


def paced(connection, data, seed):
    """Sends it in pieces of random size with pauses in between, some longer than a socket holds."""
    dice = random.Random(seed)
    sent = 0
    while sent < len(data):
        size = dice.choice((1, 700, 30_000, 32_768, 200_000, 3_000_000))
        connection.send(data[sent:sent + size])
        sent += size
        if dice.random() < 0.2:
            time.sleep(dice.random() / 50)


class Bulk(EndToEnd):
    """Long streams, which are spliced."""

    def test_fifty_megabytes_both_ways_with_pauses_arrive_byte_exact(self):
        up, down = os.urandom(50_000_000), os.urandom(50_000_000)
        got = []

        def script(connection):
            sending = Background(paced, connection, down, 1)
            got.append(connection.read_bytes(len(up)))
            sending.result(60)
        backend = self.enterContext(Backend(serve=script))
        lbd = self.lbd(tcp_config([backend]))
        client = self.client(lbd.address())
        sending = Background(paced, client, up, 2)
        self.assertTrue(client.read_bytes(len(down)) == down)
        sending.result(60)
        client.end_sending()
        self.assertEqual(client.read_to_end(), b"")
        self.assertTrue(got[0] == up)
        self.assertGreater(lbd.pipes(), 0, "it was spliced")
        line = lbd.access(1)[0]
        self.assertEqual((line["bytes_in"], line["bytes_out"]), (len(up), len(down)))

    def test_half_close_in_either_order(self):
        data = os.urandom(5_000_000)
        for client_first in (True, False):
            with self.subTest(client_first=client_first):
                got = []

                def script(connection):
                    if client_first:
                        got.append(connection.read_to_end())
                        connection.send(data)
                    else:
                        connection.send(data)
                        connection.end_sending()
                        got.append(connection.read_to_end())
                backend = self.enterContext(Backend(serve=script))
                lbd = self.lbd(tcp_config([backend]))
                client = self.client(lbd.address())
                if client_first:
                    client.send(data)
                    client.end_sending()
                    self.assertTrue(client.read_to_end() == data)
                else:
                    self.assertTrue(client.read_to_end() == data)
                    client.send(data)
                    client.end_sending()
                self.until(lambda: got)
                self.assertTrue(got[0] == data)
                self.until(lambda: lbd.cluster()["outcomes"]["success"] == 1)

    def endless(self):
        def script(connection):
            while True:
                connection.send(b"x" * 1_000_000)
        return self.enterContext(Backend(serve=script))

    def test_a_dozen_readers_that_stand_still_do_not_make_lbd_grow(self):
        size = 64 << 20
        sent = {}  # By each connection, in pieces of 64 KiB.

        def script(connection):
            sent[connection.number] = 0
            for _ in range(size >> 16):
                connection.send(bytes(1 << 16))
                sent[connection.number] += 1
        backend = self.enterContext(Backend(serve=script))
        lbd = self.lbd(tcp_config([backend], timeouts={"idle": "10m"}))
        with Client(lbd.address()) as warm:
            self.assertEqual(len(warm.read_bytes(1_000_000)), 1_000_000)
        before = lbd.resident_bytes()
        clients = [self.client(lbd.address()) for _ in range(12)]
        self.until(lambda: len(sent) == 13)
        still, last = 0, 0
        while still < 25:  # Until nothing moves any more.
            time.sleep(0.02)
            still = still + 1 if sum(sent.values()) == last else 0
            last = sum(sent.values())
        self.assertTrue(max(sent.values()) < size >> 16, "all are stuck")
        self.assertLess(lbd.resident_bytes() - before, MAY_GROW)
        for client in clients[:3]:
            self.assertEqual(len(client.read_bytes(size)), size)
        self.assertLess(lbd.resident_bytes() - before, MAY_GROW)

    def test_a_reset_midway_reaches_the_other_side(self):
        lbd = self.lbd(tcp_config([self.endless()]))
        client = self.client(lbd.address())
        client.read_bytes(10_000_000)
        client.reset()
        self.until(lambda: lbd.cluster()["outcomes"]["cut"] == 1)

        def script(connection):
            connection.read_bytes(10_000_000)
            connection.reset()
        backend = self.enterContext(Backend(serve=script))
        lbd = self.lbd(tcp_config([backend]))
        client = self.client(lbd.address())
        with self.assertRaises(OSError):
            for _ in range(1000):
                client.send(b"y" * 1_000_000)
        self.until(lambda: lbd.cluster()["outcomes"]["cut"] == 1)
        self.assertEqual(lbd.cluster()["in_progress"], 0)

    def test_a_backend_killed_midway_cuts_the_stream_and_the_next_goes_elsewhere(self):
        code = ("import socket; l = socket.create_server(('127.0.0.1', 0)); "
                "print(l.getsockname()[1], flush=True); c = l.accept()[0]\n"
                "while True: c.sendall(bytes(1 << 20))")
        victim = self.enterContext(ServerProcess([sys.executable, "-c", code], str.strip))
        other = self.enterContext(Backend(serve=lambda connection: connection.send("here")))
        lbd = self.lbd(tcp_config([victim, other], strategy="first"))
        client = self.client(lbd.address())
        client.read_bytes(20_000_000)
        victim.kill()
        with self.assertRaises(Cut):
            client.read_bytes(1 << 40)
        self.assertEqual(self.client(lbd.address()).read_to_end(), b"here")

    def test_with_no_pipe_to_be_had_streams_are_copied(self):
        data = os.urandom(5_000_000)

        def script(connection):
            connection.read_until(b"\n")
            connection.send(data)
        backend = self.enterContext(Backend(serve=script))
        lbd = self.lbd(tcp_config([backend]))
        clients = [self.client(lbd.address()) for _ in range(3)]
        self.until(lambda: len(backend.connections) == 3)
        most = max(lbd.descriptors()) + 1
        soft, hard = resource.prlimit(lbd.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(lbd.pid, resource.RLIMIT_NOFILE, (most, hard))
        clients[0].send("go\n")
        self.assertTrue(clients[0].read_to_end() == data)
        self.assertEqual(lbd.pipes(), 0)
        resource.prlimit(lbd.pid, resource.RLIMIT_NOFILE, (soft, hard))
        for client in clients[1:]:
            client.send("go\n")
            self.assertTrue(client.read_to_end() == data)
        self.assertGreater(lbd.pipes(), 0, "and spliced when there is one again")

    def test_what_is_encrypted_on_one_side_is_copied(self):
        folder = self.temporary_directory()
        key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
        made = run([tool("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-keyout", key, "-out", certificate])
        self.assertEqual(made.returncode, 0, made.stderr)
        data = os.urandom(5_000_000)

        def script(connection):
            connection.send(connection.read_bytes(len(data)))
        backend = self.enterContext(Backend(serve=script))
        lbd = self.lbd(tcp_config([backend], listener={
            "tls": {"certificates": [{"certificate": certificate, "key": key}]}}))
        context = ssl.create_default_context(cafile=certificate)
        with socket.create_connection(lbd.address(), timeout=30) as plain, \
                context.wrap_socket(plain, server_hostname="localhost") as client:
            client.sendall(data)
            got = b""
            while piece := client.recv(1 << 20):
                got += piece
        self.assertTrue(got == data)
        self.assertEqual(lbd.pipes(), 0)

    def test_an_idle_session_holds_no_pipe_and_reads_go_on(self):
        backend = self.enterContext(Backend(serve=lambda connection: [
            (connection.read_until(b"\n"), connection.send(b"z" * 3_000_000)) for _ in range(3)]))
        lbd = self.lbd(tcp_config([backend]))
        clients = [self.client(lbd.address()) for _ in range(40)]
        for _ in range(3):
            for client in clients:
                client.send("more\n")
                self.assertEqual(len(client.read_bytes(3_000_000)), 3_000_000)
        self.assertLess(lbd.pipes(), 5, "forty sessions take turns with one pipe or two")

    def test_a_stream_that_stands_still_ends_at_its_idle_timeout(self):
        lbd = self.lbd(tcp_config([self.endless()], timeouts={"idle": "300ms"}))
        client = self.client(lbd.address())
        client.read_bytes(5_000_000)
        self.until(lambda: lbd.cluster()["in_progress"] == 0)
        with self.assertRaises(Cut):
            client.read_bytes(1 << 40)


class Postgres(EndToEnd):
    """A database in a folder of this test, as a user without rights: it refuses to run as root."""

    def setUp(self):
        programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        self.assertTrue(programs, "postgresql is not installed; see script/bootstrap")
        self.programs = programs[-1]
        self.folder = self.temporary_directory()
        self.user = []
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self.user = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}",
                         "--clear-groups"]
        self.environment = {**os.environ, "HOME": self.folder, "LC_ALL": "C"}
        self.data = os.path.join(self.folder, "data")
        made = self.run_as_user("initdb", "-D", self.data, "-U", "tester", "-A", "trust", "-N")
        self.assertEqual(made.returncode, 0, made.stderr)
        with reserved_port() as port:
            self.port = port
        self.server = start(
            [*self.user, os.path.join(self.programs, "postgres"), "-D", self.data, "-p",
             str(self.port), "-h", "127.0.0.1", "-k", self.folder, "-F"],
            env=self.environment, cwd=self.folder, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.addCleanup(end, self.server)

    def run_as_user(self, program, *arguments, **options):
        return run([*self.user, os.path.join(self.programs, program), *arguments],
                   env=self.environment, cwd=self.folder, **options)

    def psql(self, port, query, **options):
        return run([tool("psql"), "-X", "-q", "-t", "-A", "-h", "127.0.0.1", "-p", str(port),
                    "-U", "tester", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-c", query],
                   env=self.environment, **options)

    def test_psql_and_pgbench_work_through_lbd(self):
        lbd = self.lbd(tcp_config([f"127.0.0.1:{self.port}"],
                                  health_check={"type": "tcp", "interval": "100ms"}))
        port = lbd.address()[1]
        self.until(lambda: self.psql(port, "select 1").stdout == "1\n", "the database")
        self.assertEqual(self.psql(port, "create table t (n int, words text)").returncode, 0)
        rows = "".join(f"{n}\t{'word ' * (n % 50)}\n" for n in range(100_000))
        loaded = self.psql(port, "copy t from stdin", input=rows)
        self.assertEqual(loaded.returncode, 0, loaded.stderr)
        self.assertEqual(self.psql(port, "copy (select * from t order by n) to stdout").stdout,
                         rows)
        self.assertGreater(lbd.pipes(), 0)
        failed = self.psql(port, "select 1/0")
        self.assertIn("division by zero", failed.stderr)
        through = ["-h", "127.0.0.1", "-p", str(port), "-U", "tester"]
        made = self.run_as_user("pgbench", *through, "-i", "-q", "postgres")
        self.assertEqual(made.returncode, 0, made.stderr)
        bench = self.run_as_user("pgbench", *through, "-c", "8", "-t", "50", "postgres")
        self.assertEqual(bench.returncode, 0, bench.stderr)
        self.assertIn("number of transactions actually processed: 400/400", bench.stdout)
        self.until(lambda: lbd.cluster()["in_progress"] == 0)
        outcomes = lbd.cluster()["outcomes"]
        self.assertEqual(sum(outcomes.values()), lbd.cluster()["requests"])


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
