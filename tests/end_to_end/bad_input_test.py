"""Broken configurations, taken ports and wrong options: everything is said, nothing is started."""

import json
import os
import socket
import unittest

from testbed import EndToEnd, dead_address, http_config, lbd_binary, run

YAML = """\
listeners:
  - name: web
    bind: 127.0.0.1:0
    protcol: http
    cluster: wep
clusters:
  - name: web
    strategy: least_requests
    backends:
      - {id: b1, address: 127.0.0.1}
      - {id: b1, address: "127.0.0.1:8000", weight: 0}
    timeouts: {connect: 5}
workers: many
"""
YAML_PROBLEMS = {  # line:column -> words of what is said there
    "4:5": ("listeners[0].protcol", "protocol"),
    "5:14": ("listeners[0].cluster", "wep", "web"),
    "8:15": ("clusters[0].strategy", "least_request"),
    "10:27": ("clusters[0].backends[0].address", "host:port"),
    "11:14": ("clusters[0].backends[1].id", "b1"),
    "11:53": ("clusters[0].backends[1].weight", "1"),
    "12:25": ("clusters[0].timeouts.connect", "5"),
    "13:10": ("workers", "auto"),
}
JSON = """{
  "listeners": [{"name": "web", "bind": "nowhere", "cluster": "web"}],
  "clusters": [
    {"name": "web", "backends": [], "retries": {"on": ["conect_failure"]}},
    {"name": "web"}
  ],
  "admin": {"bind": "0.0.0.0:9900"}
}
"""
JSON_PROBLEMS = {
    "2:41": ("listeners[0].bind", "nowhere"),
    "4:56": ("clusters[0].retries.on[0]", "connect_failure"),
    "5:5": ("clusters[1]", "backends"),
    "5:14": ("clusters[1].name", "web"),
    "7:21": ("admin.bind", "loopback"),
}


class BrokenFiles(EndToEnd):
    def file(self, name, text):
        path = os.path.join(self.temporary_directory(), name)
        with open(path, "w" if isinstance(text, str) else "wb") as file:
            file.write(text)
        return path

    def check(self, path):
        return run([lbd_binary(), "check", path])

    def assert_all_told(self, path, problems):
        for command in (["check", path], ["run", "--config", path]):
            with self.subTest(command[0]):
                result = run([lbd_binary(), *command])
                self.assertEqual((result.returncode, result.stdout), (2, ""))
                lines = [line for line in result.stderr.splitlines() if line.startswith(path)]
                self.assertEqual(len(lines), len(problems), result.stderr)
                for place, words in problems.items():
                    line = next((l for l in lines if l.startswith(f"{path}:{place}:")), None)
                    self.assertIsNotNone(line, f"nothing at {place}:\n{result.stderr}")
                    for word in words:
                        self.assertIn(word, line)
                self.assertNotIn('"event"', result.stderr)  # Nothing was started.

    def test_every_problem_of_a_yaml_file_is_told_with_its_place(self):
        self.assert_all_told(self.file("lbd.yaml", YAML), YAML_PROBLEMS)

    def test_every_problem_of_a_json_file_is_told_with_its_place(self):
        self.assert_all_told(self.file("lbd.json", JSON), JSON_PROBLEMS)

    def test_text_that_is_no_document_is_told_and_not_crashed_on(self):
        texts = {"lbd.json": ["", "{", "[]", "nul", '{"listeners": [}', "[" * 100_000, b"\xff\xfe",
                              '{"a": 1, "a": 2}', b'{"workers": "\xff"}', b"\0"],
                 "lbd.yaml": ["", ":", "a: [", "- x", "[" * 100_000, b"\xff\xfe\0", "a: b: c",
                              "\t- x", "&a [*a]", "workers: !!binary x", b"\0", "? {a: b}\n: c",
                              "a: &x 1\nb: *y"]}
        for name, rows in texts.items():
            for text in rows:
                with self.subTest((name, text[:20])):
                    path = self.file(name, text)
                    result = self.check(path)
                    self.assertEqual(result.returncode, 2, result.stderr[-500:])
                    self.assertIn(path, result.stderr)

    def test_a_good_file_is_0_and_says_so(self):
        good = http_config(["127.0.0.1:8000"])
        for name, text in (("lbd.json", json.dumps(good)), ("lbd.yaml", json.dumps(good))):
            result = self.check(self.file(name, text))
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertIn("no problems", result.stdout)

    def test_a_file_that_cannot_be_read_is_3(self):
        directory = self.temporary_directory()
        for path in (os.path.join(directory, "missing.yaml"), directory):
            for command in (["check", path], ["run", "--config", path]):
                with self.subTest(command):
                    result = run([lbd_binary(), *command])
                    self.assertEqual(result.returncode, 3, result.stderr)
                    self.assertIn(path, result.stderr)


class TakenPorts(EndToEnd):
    def setUp(self):
        self.holder = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        self.taken = "127.0.0.1:%d" % self.holder.getsockname()[1]

    def run_config(self, config):
        path = os.path.join(self.temporary_directory(), "lbd.json")
        with open(path, "w") as file:
            json.dump(config, file)
        return run([lbd_binary(), "run", "--config", path])

    def assert_says(self, result, *words):
        self.assertEqual(result.returncode, 3, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1)
        self.assertEqual(result.stdout, "")

    def test_a_listener_on_a_taken_port_is_3_with_the_address(self):
        result = self.run_config(http_config([], listener={"bind": self.taken}))
        self.assert_says(result, "listener web", self.taken, "in use")

    def test_an_admin_on_a_taken_port_is_3_with_the_address(self):
        result = self.run_config({**http_config([]), "admin": {"bind": self.taken}})
        self.assert_says(result, "admin", self.taken, "in use")

    def test_a_second_lbd_cannot_share_the_port_of_the_first(self):
        lbd = self.lbd(http_config([]))
        address = "%s:%d" % lbd.address()
        result = self.run_config(http_config([], listener={"bind": address}))
        self.assert_says(result, address, "in use")
        admin = f"127.0.0.1:{lbd.admin_port}"
        self.assert_says(self.run_config({**http_config([]), "admin": {"bind": admin}}), admin)

    def test_an_address_that_is_not_ours_is_3(self):
        result = self.run_config(http_config([], listener={"bind": "192.0.2.1:8080"}))
        self.assert_says(result, "192.0.2.1:8080")

    def test_a_backend_nobody_can_look_up_is_3_with_its_name(self):
        result = self.run_config(http_config(["no.such.host.invalid:80"]))
        self.assert_says(result, "backend b1", "no.such.host.invalid:80")

    def test_an_access_log_that_cannot_be_written_is_3(self):
        config = {**http_config([]), "log": {"access": "/proc/no/such/access.log"}}
        result = self.run_config(config)
        self.assert_says(result, "/proc/no/such/access.log")

    def test_one_taken_port_keeps_all_others_closed(self):
        with dead_address() as free:
            pass
        config = http_config([], listener={"bind": free})
        config["listeners"].append({"name": "b", "bind": self.taken, "cluster": "web"})
        self.assert_says(self.run_config(config), "listener b", self.taken)
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", int(free.split(":")[1])), timeout=5)


class Usage(EndToEnd):
    def test_wrong_usage_is_2_and_says_what_was_expected(self):
        rows = [([], "subcommand"), (["start"], "subcommand"), (["run"], "--config"),
                (["run", "--listen", "127.0.0.1:0"], "--backend"),
                (["run", "--backend", "127.0.0.1:1"], "--listen"),
                (["run", "--config"], "--config"),
                (["run", "--config", "x", "--listen", "127.0.0.1:0"], "--listen"),
                (["run", "--colour"], "--colour"), (["check"], "file"),
                (["check", "a", "b"], "b"),
                (["run", "--listen", "nowhere", "--backend", "127.0.0.1:1"], "nowhere"),
                (["run", "--listen", "127.0.0.1:0", "--backend", "x"], "backends[0].address"),
                (["run", "--listen", b"\xff", "--backend", "127.0.0.1:1"], "listeners[0].bind"),
                (["run", "--listen", "127.0.0.1:0", "--backend", "127.0.0.1:1", "--strategy",
                  "fastest"], "fastest"),
                (["run", "--listen", "127.0.0.1:0", "--backend", "127.0.0.1:1", "--admin",
                  "0.0.0.0:1"], "loopback")]
        for arguments, word in rows:
            with self.subTest(arguments):
                result = run([lbd_binary(), *arguments])
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertIn(word, result.stderr)

    def test_help_and_version_are_0(self):
        for arguments in (["--help"], ["run", "--help"], ["check", "--help"], ["--version"]):
            result = run([lbd_binary(), *arguments])
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertIn("lbd", result.stdout)


if __name__ == "__main__":
    unittest.main()
