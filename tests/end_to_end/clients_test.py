"""Clients that people use, by plain HTTP and over TLS: every request answered, and by the right
bytes. What they count themselves has to be what lbd counts."""

import hashlib
import json
import os
import re
import tempfile
import unittest

from testbed import EndToEnd, http_config, quick_server, run, tool
from tls import Authority
from wire import Backend, answer

COUNT = 2000
ANSWER = "quick-server"


class ClientsCase(EndToEnd):
    """lbd with two workers, a listener for each way to come, and two servers that give ANSWER."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.directory = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="lbd-test-"))
        cls.authority = Authority(cls.directory)
        cls.certificate = cls.authority.issue("a.example", "localhost", "IP:127.0.0.1")

    def start(self, backends=None):
        backends = backends or [self.enterContext(quick_server(ANSWER)) for _ in range(2)]
        config = {**http_config(backends), "workers": 2}
        plain = config["listeners"][0]
        config["listeners"].append({**plain, "name": "secure",
                                    "tls": {"certificates": [self.certificate]}})
        self.daemon = self.lbd(config)

    def urls(self):
        return [self.daemon.url() + "/", "https://%s:%d/" % self.daemon.address("secure")]

    def both_ways(self, play, count=COUNT):
        """play(url) makes `count` requests; all of them succeed."""
        for url in self.urls():
            with self.subTest(url.split(":")[0]):
                before = self.daemon.cluster()
                play(url)
                self.until(lambda: self.daemon.cluster()["in_progress"] == 0)
                after = self.daemon.cluster()
                self.assertEqual(after["requests"] - before["requests"], count)
                self.assertEqual(after["outcomes"]["success"] - before["outcomes"]["success"],
                                 count)

    def output(self, command, **options):
        result = run(command, timeout=100, **options)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def file(self, content):
        path = os.path.join(self.directory, "body")
        with open(path, "wb") as file:
            file.write(content)
        return path


class ApacheBench(ClientsCase):
    def ab(self, *options):
        def play(url):
            report = self.output([tool("ab"), "-q", "-n", str(COUNT), "-c", "20", *options, url])
            figures = dict(re.findall(r"^([A-Z][^:\n]*): +(\d+)", report, re.M))
            self.assertEqual(figures["Complete requests"], str(COUNT))
            self.assertEqual(figures["Failed requests"], "0")
            self.assertNotIn("Non-2xx responses", figures)
            self.assertEqual(figures["Document Length"], str(len(ANSWER)))
            self.assertEqual(figures["HTML transferred"], str(COUNT * len(ANSWER)))
            self.assertEqual(figures.get("Keep-Alive requests", "0"),
                             str(COUNT) if "-k" in options else "0")
        return play

    def test_a_connection_for_each_request(self):
        self.start()
        self.both_ways(self.ab())

    def test_connections_that_are_kept(self):
        self.start()
        self.both_ways(self.ab("-k"))

    def test_posts(self):
        backend = self.enterContext(Backend(lambda request: answer(
            ANSWER if request.body == b"x" * 5000 else "wrong", "Connection: keep-alive")))
        self.start([backend])
        self.both_ways(self.ab("-k", "-p", self.file(b"x" * 5000), "-T", "text/plain"))


class Hey(ClientsCase):
    def hey(self, *options):
        def play(url):
            report = self.output([tool("hey"), "-n", str(COUNT), "-c", "20", *options, url])
            self.assertEqual(re.findall(r"\[(\d+)\]\s+(\d+) responses", report),
                             [("200", str(COUNT))], report)
            self.assertNotIn("Error distribution", report)
            self.assertIn(f"Size/request:\t{len(ANSWER)} bytes", report)
        return play

    def test_connections_that_are_kept(self):
        self.start()
        self.both_ways(self.hey())

    def test_a_connection_for_each_request(self):
        self.start()
        self.both_ways(self.hey("-disable-keepalive"))

    def test_posts(self):
        backend = self.enterContext(Backend(lambda request: answer(
            ANSWER if request.body == b"x" * 5000 else "wrong")))
        self.start([backend])
        self.both_ways(self.hey("-m", "POST", "-D", self.file(b"x" * 5000)))


class Wrk(ClientsCase):
    def test_over_tls_every_request_is_answered_and_counted_once(self):
        self.start()
        connections = 20
        report = self.output([tool("wrk"), "-t1", f"-c{connections}", "-d3s", "--timeout", "20s",
                              self.urls()[1]])
        self.assertNotIn("Socket errors", report)
        self.assertNotIn("Non-2xx", report)
        answered = int(re.search(r"(\d+) requests in", report).group(1))
        self.until(lambda: self.daemon.cluster()["in_progress"] == 0)
        # wrk leaves at most one request of each connection unfinished, and does not count it.
        self.assertIn(self.daemon.cluster()["requests"] - answered, range(connections + 1))


class Autocannon(ClientsCase):
    def report(self, url, *options):
        directory = os.environ.get("NODE_CLIENTS", "")
        program = os.path.join(directory, "node_modules/.bin/autocannon")
        if not os.path.exists(program):
            self.fail("autocannon is not installed: run tests/end_to_end/clients/install DIRECTORY"
                      " and set NODE_CLIENTS to DIRECTORY; ctest does both")
        trusting = {**os.environ, "NODE_EXTRA_CA_CERTS": self.authority.ca}
        report = json.loads(self.output(
            [tool("node"), program, "--json", "-c", "20", "--expectBody", ANSWER, *options, url],
            env=trusting))
        troubles = ("non2xx", "errors", "timeouts", "mismatches", "resets")
        self.assertEqual({name: report[name] for name in troubles}, dict.fromkeys(troubles, 0))
        return report

    def autocannon(self, *options):
        def play(url):
            report = self.report(url, "--amount", str(COUNT), *options)
            self.assertEqual(report["statusCodeStats"], {"200": {"count": COUNT}})
        return play

    def test_connections_that_are_kept(self):
        self.start()
        self.both_ways(self.autocannon())

    def test_ten_requests_at_a_time_down_each_connection(self):
        self.start()
        for url in self.urls():  # It does not say how many were under way when it stopped.
            report = self.report(url, "--duration", "2", "--pipelining", "10")
            self.assertGreater(report["2xx"], 1000)

    def test_posts(self):
        backend = self.enterContext(Backend(lambda request: answer(
            ANSWER if request.body == b"x" * 5000 else "wrong")))
        self.start([backend])
        self.both_ways(self.autocannon("--method", "POST", "--body", "x" * 5000))


class Curl(ClientsCase):
    """Against a backend that says what it got: a digest of the body, whatever the method."""

    def setUp(self):
        def digest(request):
            body = hashlib.sha256(request.body).hexdigest().encode()
            whole = answer(body)
            return whole.removesuffix(body) if request.method == "HEAD" else whole
        self.backend = self.enterContext(Backend(digest))
        self.start([self.backend])

    def curl(self, *options, content=b""):
        def play(url):
            text = self.output([tool("curl"), "-sS", "--cacert", self.authority.ca, "-w",
                                "\n%{http_version} %{http_code}", *options, url])
            self.assertEqual(text, hashlib.sha256(content).hexdigest() + "\n1.1 200")
            self.assertEqual(self.backend.requests[-1].body, content)
        self.both_ways(play, count=1)

    def test_a_get(self):
        self.curl()

    def test_a_get_of_http_1_0(self):
        for url in self.urls():
            text = self.output([tool("curl"), "-sS", "--http1.0", "--cacert", self.authority.ca,
                                "-w", "\n%{http_code} %{size_download}", url])
            self.assertEqual(text, hashlib.sha256(b"").hexdigest() + "\n200 64")

    def test_a_head(self):
        for url in self.urls():
            text = self.output([tool("curl"), "-sS", "-I", "--cacert", self.authority.ca, "-w",
                                "%{http_code} %{size_download}", url])
            self.assertIn("\nContent-Length: 64\n", text)
            self.assertTrue(text.endswith("\n\n200 0"), text)

    def test_a_post_that_waits_for_100(self):
        content = os.urandom(4_000_000)
        self.curl("--data-binary", "@" + self.file(content), "-H", "Expect: 100-continue",
                  "--expect100-timeout", "30", content=content)

    def test_an_upload_with_a_length_and_one_in_chunks(self):
        content = os.urandom(4_000_000)
        path = self.file(content)
        self.curl("-X", "PUT", "--data-binary", "@" + path, content=content)
        self.curl("-X", "PUT", "--data-binary", "@" + path, "-H", "Transfer-Encoding: chunked",
                  content=content)
        self.assertEqual(self.backend.requests[-1]["Transfer-Encoding"], "chunked")

    def test_a_form_with_a_file(self):
        path = self.file(b"content of a file")
        for url in self.urls():
            self.output([tool("curl"), "-sS", "--cacert", self.authority.ca, "-F", "a=b", "-F",
                         f"f=@{path}", url])
            self.assertIn(b"content of a file", self.backend.requests[-1].body)

    def test_ten_requests_take_one_connection(self):
        for url in self.urls():
            made = self.output([tool("curl"), "-sS", "--cacert", self.authority.ca, "-w",
                                "\n%{num_connects}\n", *[url] * 10]).split("\n")[1::2]
            self.assertEqual(made, ["1"] + ["0"] * 9)


if __name__ == "__main__":
    unittest.main()
