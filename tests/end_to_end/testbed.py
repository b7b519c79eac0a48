"""What the end-to-end tests are made of: a real lbd, real servers, and bounds on all waiting.

    with Lbd(http_config([backend])) as lbd, Client(lbd.address()) as client:
        self.assertEqual(client.get("/").status, 200)

Every process started here is ended here, and dies with the test that started it. An Lbd that ends
in any other way than by our signals with exit code 0 fails the test: an assertion or a sanitizer's
report in it is never lost.
"""

import contextlib
import http.client
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from wire import Client

PATIENCE = 30  # Seconds for what takes milliseconds: a sanitizer's build on a busy machine is slow.
# Of configurations that do not say how many. What is each worker's own, such as a connection pool or
# whose turn it is, is only as a test expects with `workers=1`, which that test then says.
WORKERS = int(os.environ.get("LBD_WORKERS", "1"))
# "address" or "thread" when lbd was built with that sanitizer: what is freed stays in memory for a
# while there, and the rest has margins, so that what lbd may take is more.
SANITIZER = os.environ.get("LBD_SANITIZER", "")
MAY_GROW = (32 if SANITIZER else 16) << 20  # While clients or backends stand still; bytes.
HERE = os.path.dirname(os.path.abspath(__file__))


class EndToEnd(unittest.TestCase):
    """A test case whose name says what the class is about, and whose tests are sentences."""

    maxDiff = None

    def lbd(self, config=None, **options):
        return self.enterContext(Lbd(config, **options))

    def client(self, address):
        return self.enterContext(Client(address))

    def temporary_directory(self):
        return self.enterContext(tempfile.TemporaryDirectory(prefix="lbd-test-"))

    def until(self, condition, what="", timeout=PATIENCE):
        return until(condition, what, timeout)


def until(condition, what="", timeout=PATIENCE):
    """Polls until `condition` is true and returns what it gave; fails when that takes too long."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout} s in vain: {what or condition}")
        time.sleep(0.01)


def lbd_binary():
    path = os.environ.get("LBD", "")
    if not os.path.exists(path):
        raise AssertionError("set LBD to the path of the lbd binary")
    return path


def tool(name):
    """A program these tests need; missing is a failure, not a reason to skip."""
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")  # For haproxy.
    if path is None:
        raise AssertionError(f"{name} is not installed; see script/bootstrap")
    return path


def raise_limit_of_descriptors():
    """As far as it goes; for lbd, which inherits it, too."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (max(hard, 25_000), hard):
        try:
            return resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
        except (ValueError, PermissionError):
            pass


def start(command, **options):
    """A process that dies with this one, whatever happens."""
    return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *command], **options)


def end(process):
    """Ends a process now, also a stopped one."""
    if process.poll() is None:
        process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def run(command, timeout=60, **options):
    """Runs a program to its end; its output is text."""
    return subprocess.run(["setpriv", "--pdeathsig", "KILL", "--", *command], timeout=timeout,
                          capture_output=True, text=True, errors="surrogateescape",
                          **options)


@contextlib.contextmanager
def reserved_port():
    """A port that nobody else gets, and that lbd can share: bound, but not listening."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@contextlib.contextmanager
def dead_address():
    """An address that refuses connections."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{holder.getsockname()[1]}"


@contextlib.contextmanager
def deaf_address():
    """An address that neither accepts nor refuses: its queue is full, so SYNs are dropped."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"127.0.0.1:{listener.getsockname()[1]}"


class ServerProcess:
    """A backend in a process of its own, for killing and stopping."""

    def __init__(self, command, port_from_line):
        self.process = start(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        self.address = f"127.0.0.1:{port_from_line(line)}"
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)


def python_server(directory, *options):
    """python3 -m http.server"""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1",
               "--directory", directory, *options]
    return ServerProcess(command, lambda line: line.split(" port ")[1].split()[0])


def quick_server(name="quick"):
    """A small server that keeps connections alive and answers its name; see quick_server.py."""
    command = [sys.executable, "-B", os.path.join(HERE, "quick_server.py"), name]
    return ServerProcess(command, lambda line: line.strip())


def address_of(backend):
    return backend if isinstance(backend, str) else backend.address


def backends_config(backends):
    """b1, b2, ... for addresses, servers, or backends given in full."""
    return [backend if isinstance(backend, dict)
            else {"id": f"b{number}", "address": address_of(backend)}
            for number, backend in enumerate(backends, 1)]


def http_config(backends, protocol="http", listener=None, workers=WORKERS, **cluster):
    """A configuration with one listener and one cluster, both named web."""
    return {"listeners": [{"name": "web", "bind": "127.0.0.1:0", "protocol": protocol,
                           "cluster": "web", **(listener or {})}],
            "clusters": [{"name": "web", "backends": backends_config(backends), **cluster}],
            "workers": workers}


class Lbd:
    """A running lbd. Its log is read as it comes: events from standard error, the access log
    from standard output."""

    def __init__(self, config=None, arguments=(), wait_ready=True, under=()):
        self._resources = contextlib.ExitStack()
        self._wait_ready = wait_ready
        self._directory = self._resources.enter_context(
            tempfile.TemporaryDirectory(prefix="lbd-test-"))
        self.admin_port = self._resources.enter_context(reserved_port())
        self.config_file = os.path.join(self._directory, "lbd.json")
        self.config = config
        self._arguments = list(arguments)
        self._under = list(under)  # A command that runs it, such as prlimit and its options.
        self.error_lines = []
        self.access_lines = []
        self._ended_as_asked = False

    def __enter__(self):
        admin = f"127.0.0.1:{self.admin_port}"
        if self.config is None:
            arguments = [*self._arguments, "--admin", admin]
        else:
            self.config = {"admin": {"bind": admin}, **self.config}
            self.write_config(self.config)
            arguments = ["--config", self.config_file, *self._arguments]
        self.process = start([*self._under, lbd_binary(), "run", *arguments],
                             stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
        self.pid = self.process.pid
        self._readers = [self._read(self.process.stderr, self.error_lines),
                         self._read(self.process.stdout, self.access_lines)]
        try:
            if self._wait_ready:
                self.wait_for("ready")
                self._own_pipes = self._all_pipes()
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(self, failure, *_):
        crashed = self.process.poll() is not None and not self._ended_as_asked
        try:
            if not crashed and self.process.poll() is None:
                self.stop_at_once()
        finally:
            self._release()
        code = self.process.returncode
        # A second TERM may find the process on its last steps, with no handler left.
        ended_well = code == 0 or (code == -signal.SIGTERM and self.events("stopped"))
        # The thread sanitizer reports at once and spoils the exit code only at the end.
        ended_well = ended_well and not any("Sanitizer" in line for line in self.error_lines)
        if failure is None and (crashed or not ended_well):
            raise AssertionError(f"lbd ended with {code}\n" + "\n".join(self.error_lines[-40:]))
        if crashed:
            print("\n".join(self.error_lines[-40:]), file=sys.stderr)

    @staticmethod
    def _read(stream, lines):
        def read():
            for line in stream:
                lines.append(line.decode("utf-8", "surrogateescape").rstrip("\n"))
        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread

    def _release(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join(PATIENCE)
        end(self.process)
        self._resources.close()

    @contextlib.contextmanager
    def stopped(self):
        """It stands still meanwhile, and finds all that came at once."""
        self.process.send_signal(signal.SIGSTOP)
        until(lambda: self._thread_states() == {"T"}, "it stands still")
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    # -- Its end
    def terminate(self):
        """The first TERM: finish what is under way."""
        self._ended_as_asked = True
        self.process.send_signal(signal.SIGTERM)

    def stop_at_once(self):
        """Two TERMs; the second not before the first was noticed, or it would be no second."""
        if not self.events("stopping"):
            self.terminate()
            until(lambda: self.events("stopping") or self.process.poll() is not None, "stopping")
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.wait_end()

    def wait_end(self, timeout=PATIENCE):
        """Its exit code, with everything it wrote read."""
        code = self.process.wait(timeout)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    # -- What it says
    def events(self, name=None, **fields):
        found = []
        for line in list(self.error_lines):
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if name in (None, event["event"]) and fields.items() <= event.items():
                found.append(event)
        return found

    def wait_for(self, name, count=1, **fields):
        """The last event of this name, once there are `count`."""
        def enough():
            if self.process.poll() is not None and len(self.events(name, **fields)) < count:
                raise AssertionError(f"lbd ended with {self.process.returncode}\n"
                                     + "\n".join(self.error_lines[-40:]))
            return len(self.events(name, **fields)) >= count
        until(enough, f"{count} x {name} {fields} in lbd's log")
        return self.events(name, **fields)[-1]

    def address(self, listener="web"):
        """(host, port), or the path of a unix socket."""
        address = self.wait_for("listening", listener=listener)["address"]
        if address.startswith("unix:"):
            return address.removeprefix("unix:")
        host, port = address.rsplit(":", 1)
        return host.strip("[]"), int(port)

    def url(self, listener="web"):
        return "http://%s:%d" % self.address(listener)

    def access(self, count):
        """The first `count` lines of the access log, parsed."""
        until(lambda: len(self.access_lines) >= count, f"{count} lines of access log")
        return [json.loads(line) for line in self.access_lines]

    def descriptors(self):
        """What each descriptor is open on."""
        folder = f"/proc/{self.pid}/fd"
        found = {}
        for number in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):  # Closed meanwhile.
                found[int(number)] = os.readlink(f"{folder}/{number}")
        return found

    def _all_pipes(self):
        return {target for target in self.descriptors().values() if target.startswith("pipe:")}

    def pipes(self):
        """How many it has made since it was ready: splices are under way, or have been."""
        return len(self._all_pipes() - self._own_pipes)

    def _stat(self, thread=None):
        path = f"/proc/{self.pid}/stat" if thread is None else f"/proc/{self.pid}/task/{thread}/stat"
        with open(path) as stat:
            return stat.read().rsplit(")", 1)[1].split()

    def _thread_states(self):
        return {self._stat(thread)[0] for thread in os.listdir(f"/proc/{self.pid}/task")}

    def cpu_seconds(self):
        words = self._stat()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/status") as status:
            line = next(line for line in status if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024

    # -- Changing it
    def write_config(self, config):
        """To its file, in one step: it may be read at any time."""
        with open(self.config_file + ".new", "w") as file:
            file.write(config if isinstance(config, str) else json.dumps(config, indent=2))
        os.replace(self.config_file + ".new", self.config_file)

    def reload(self, config, answer="config_applied"):
        """HUP with this configuration; returns the event that answers it, once every worker has
        taken what was applied."""
        if isinstance(config, dict):
            config = {"admin": self.config["admin"], **config}
        before = len(self.events(answer))
        self.write_config(config)
        self.process.send_signal(signal.SIGHUP)
        event = self.wait_for(answer, before + 1)
        self.metrics()  # An answer of every worker: each has taken the change before it.
        return event

    # -- Its admin API
    def admin(self, method, path, body=None, headers=None):
        """Status and body: parsed when it is JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=PATIENCE)
        try:
            headers = dict(headers or {})
            if body is not None and not isinstance(body, (str, bytes)):
                body = json.dumps(body)
            if body is not None:
                headers.setdefault("Content-Type", "application/json")
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            is_json = answer.headers["Content-Type"] == "application/json"
            return answer.status, json.loads(text) if is_json else text
        finally:
            connection.close()

    def metrics(self):
        """The JSON form of /metrics."""
        status, metrics = self.admin("GET", "/metrics", headers={"Accept": "application/json"})
        assert status == 200, metrics
        return metrics

    def cluster(self, name="web"):
        return next(c for c in self.metrics()["clusters"] if c["name"] == name)

    def backends(self):
        """GET /backends by id."""
        status, answer = self.admin("GET", "/backends")
        assert status == 200, answer
        return {backend["id"]: backend for backend in answer["backends"]}


class Background:
    """A function in a thread of its own; its exception comes out of result()."""

    def __init__(self, function, *arguments):
        self._value = self._error = None

        def work():
            try:
                self._value = function(*arguments)
            except BaseException as error:
                self._error = error
        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()

    def done(self):
        return not self._thread.is_alive()

    def result(self, timeout=PATIENCE):
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise AssertionError(f"not done within {timeout} s")
        if self._error is not None:
            raise self._error
        return self._value
