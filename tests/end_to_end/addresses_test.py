"""Where lbd listens and connects to: unix sockets and IPv6, on both sides, as TCP and as HTTP."""

import os
import socket
import stat
import unittest

from testbed import EndToEnd, Lbd, http_config, lbd_binary, run, tool
from wire import Backend, Client, answer


def greeting(connection):
    """A TCP backend that says what it was told, once."""
    connection.send(b"told " + connection.read_to_end())


def told(address):
    with Client(address) as client:
        client.send("so")
        client.end_sending()
        return client.read_to_end()


class UnixCase(EndToEnd):
    def setUp(self):
        self.directory = self.temporary_directory()

    def path(self, name):
        return os.path.join(self.directory, name)

    def config(self, backends, bind=None, **options):
        bind = "unix:" + (bind or self.path("web.sock"))
        return http_config(backends, listener={"bind": bind}, **options)


class UnixListener(UnixCase):
    def test_curl_gets_an_answer_through_it(self):
        backend = self.enterContext(Backend())
        lbd = self.lbd(self.config([backend]))
        path = lbd.address()
        self.assertEqual(path, self.path("web.sock"))
        got = run([tool("curl"), "-sS", "--unix-socket", path, "http://shop/basket"])
        self.assertEqual((got.stdout, got.stderr), ("b", ""))
        request = backend.requests[0]
        self.assertEqual(request.target, "/basket")
        self.assertEqual(request["Host"], "shop")
        self.assertIsNone(request["X-Forwarded-For"], "there is no address to tell")
        self.assertEqual(request["X-Forwarded-Host"], "shop")
        self.assertEqual(lbd.access(1)[0]["client"], "unix:")

    def test_its_group_may_use_it_and_others_may_not(self):
        before = os.umask(0o077)
        try:
            lbd = self.lbd(self.config([self.enterContext(Backend())]))
        finally:
            os.umask(before)
        mode = os.stat(lbd.address()).st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(stat.S_IMODE(mode), 0o660)

    def test_tcp_passes_through_it(self):
        backend = self.enterContext(Backend(serve=greeting))
        lbd = self.lbd(self.config([backend], protocol="tcp"))
        self.assertEqual(told(lbd.address()), b"told so")

    def test_all_workers_accept_from_the_one_socket(self):
        backend = self.enterContext(Backend())
        lbd = self.lbd({**self.config([backend]), "workers": 3})
        clients = [self.client(lbd.address()) for _ in range(60)]
        for client in clients:
            self.assertEqual(client.get().status, 200)
        self.assertEqual(lbd.metrics()["listeners"][0]["connections_active"], 60)

    def test_it_is_gone_after_a_clean_end(self):
        lbd = self.lbd(self.config([self.enterContext(Backend())]))
        path = lbd.address()
        lbd.terminate()
        self.assertEqual(lbd.wait_end(), 0)
        self.assertFalse(os.path.exists(path))

    def test_one_that_a_dead_process_left_is_replaced(self):
        path = self.path("web.sock")
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(path)
            dead.listen()
        self.assertTrue(os.path.exists(path))
        lbd = self.lbd(self.config([self.enterContext(Backend())]))
        self.assertEqual(self.client(lbd.address()).get().status, 200)

    def refused(self, path):
        config = self.path("lbd.yaml")
        with open(config, "w") as file:
            file.write("listeners: [{name: web, bind: 'unix:%s', cluster: web}]\n"
                       "clusters: [{name: web, backends: [{id: b, address: '127.0.0.1:9'}]}]\n"
                       % path)
        return run([lbd_binary(), "run", "--config", config], timeout=20)

    def test_one_that_somebody_listens_on_is_an_address_in_use(self):
        lbd = self.lbd(self.config([self.enterContext(Backend())]))
        second = self.refused(lbd.address())
        self.assertEqual(second.returncode, 3)
        self.assertIn("Address already in use", second.stderr)
        self.assertEqual(self.client(lbd.address()).get().status, 200)

    def test_a_file_that_is_no_socket_is_left_alone(self):
        path = self.path("precious")
        with open(path, "w") as file:
            file.write("data")
        self.assertEqual(self.refused(path).returncode, 3)
        with open(path) as file:
            self.assertEqual(file.read(), "data")

    def test_a_start_that_fails_leaves_nothing_behind(self):
        path = self.path("web.sock")
        config = self.path("lbd.yaml")
        taken = self.enterContext(Backend()).address
        with open(config, "w") as file:
            file.write("listeners: [{name: web, bind: 'unix:%s', cluster: web}]\n"
                       "clusters: [{name: web, backends: [{id: b, address: '127.0.0.1:9'}]}]\n"
                       "admin: {bind: '%s'}\n" % (path, taken))
        failed = run([lbd_binary(), "run", "--config", config], timeout=20)
        self.assertEqual(failed.returncode, 3, failed.stderr)
        self.assertFalse(os.path.exists(path))

    def test_a_reload_keeps_renames_and_removes_it(self):
        backend = self.enterContext(Backend())
        config = self.config([backend])
        lbd = self.lbd(config)
        path = lbd.address()
        idle = self.client(path)
        self.assertEqual(idle.get().status, 200)
        renamed = {**config, "listeners": [{**config["listeners"][0], "name": "other"}]}
        lbd.reload(renamed)
        self.assertEqual(self.client(path).get().status, 200)
        self.assertEqual(idle.get().status, 200)
        moved = {**config, "listeners": [{**config["listeners"][0], "name": "tcp",
                                          "bind": "127.0.0.1:0"}]}
        lbd.reload(moved)
        self.assertEqual(self.client(lbd.address("tcp")).get().status, 200)
        self.until(lambda: not os.path.exists(path))
        lbd.reload(config)
        self.assertEqual(self.client(path).get().status, 200)


class UnixBackend(UnixCase):
    def test_http_health_checks_and_load_probes_go_to_it(self):
        probes = []

        def answers(request):
            if request.target in ("/health", "/load"):
                probes.append((request.target, request["Host"]))
            return answer("here", "Backend-Load: in-flight=0, latency=1")
        backends = [self.enterContext(Backend(answers, bind=self.path(name)))
                    for name in ("b1.sock", "b2.sock")]
        lbd = self.lbd(http_config(
            backends, strategy={"name": "prequal", "path": "/load"},
            health_check={"type": "http", "path": "/health", "interval": "50ms"}))
        client = self.client(lbd.address())
        self.assertEqual(client.get().body, b"here")
        self.until(lambda: client.get().status == 200
                   and {("/health", "localhost"), ("/load", "localhost")} <= set(probes))
        self.assertEqual(backends[0].address, lbd.backends()["b1"]["address"])
        self.assertEqual(lbd.access(1)[0]["client"], "127.0.0.1")

    def test_connections_to_it_are_used_again(self):
        backend = self.enterContext(Backend(bind=self.path("b1.sock")))
        lbd = self.lbd(http_config([backend]))
        client = self.client(lbd.address())
        for _ in range(5):
            self.assertEqual(client.get().status, 200)
        self.assertEqual(len(backend.connections), 1)

    def test_tcp_in_bulk_passes_between_two_unix_sockets(self):
        data = os.urandom(8_000_000)

        def script(connection):
            connection.send(connection.read_bytes(len(data)))
        backend = self.enterContext(Backend(serve=script, bind=self.path("b1.sock")))
        lbd = self.lbd(self.config([backend], protocol="tcp"))
        client = self.client(lbd.address())
        client.send(data)
        self.assertTrue(client.read_to_end() == data)

    def test_none_there_is_503_and_marked_down(self):
        lbd = self.lbd(http_config(
            ["unix:" + self.path("nobody.sock")],
            health_check={"type": "tcp", "interval": "50ms", "unhealthy_threshold": 1}))
        event = lbd.wait_for("backend_down")
        self.assertIn("No such file", event["reason"])
        self.assertEqual(self.client(lbd.address()).get().status, 503)


class Ipv6(EndToEnd):
    def test_both_sides(self):
        backend = self.enterContext(Backend(bind=("::1", 0)))
        lbd = self.lbd(http_config([backend], listener={"bind": "[::1]:0"},
                                   health_check={"type": "http", "path": "/"}))
        self.assertEqual(lbd.address()[0], "::1")
        self.assertEqual(self.client(lbd.address()).get("/x").body, b"b")
        request = next(request for request in backend.requests if request.target == "/x")
        self.assertEqual(request["X-Forwarded-For"], "::1")
        self.assertEqual(lbd.access(1)[0]["client"], "::1")

    def test_tcp(self):
        backend = self.enterContext(Backend(serve=greeting, bind=("::1", 0)))
        lbd = self.lbd(http_config([backend], protocol="tcp", listener={"bind": "[::1]:0"}))
        self.assertEqual(told(lbd.address()), b"told so")

    def test_a_client_of_ipv4_on_a_socket_for_both_keeps_its_address(self):
        backend = self.enterContext(Backend())
        lbd = self.lbd(http_config([backend], listener={"bind": "[::]:0"}))
        self.assertEqual(self.client(("127.0.0.1", lbd.address()[1])).get().status, 200)
        self.assertEqual(backend.requests[0]["X-Forwarded-For"], "127.0.0.1")


if __name__ == "__main__":
    unittest.main()
