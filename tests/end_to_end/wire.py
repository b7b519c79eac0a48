"""HTTP/1.1 as bytes on sockets: a client that sends what it is told, and scripted backends.

Nothing here is lenient: a message that is not complete is Cut, whatever its sender meant.
"""

import socket
import struct
import threading

PATIENCE = 30


class Cut(Exception):
    """The connection ended inside a message, or before one."""


class Message:
    """A request or a response, as it came: first line, fields in order, body."""

    def __init__(self, head, body=b""):
        lines = head.decode("latin-1").split("\r\n")
        self.head = head
        self.first_line = lines[0]
        self.fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        self.body = body
        self.connection = None  # Which connection of the backend it came on: 1, 2, ...

    @property
    def status(self):
        return int(self.first_line.split(" ")[1])

    @property
    def method(self):
        return self.first_line.split(" ")[0]

    @property
    def target(self):
        return self.first_line.split(" ")[1]

    def all(self, name):
        return [value for field, value in self.fields if field.lower() == name.lower()]

    def __getitem__(self, name):
        """The value of the one field of this name, or None."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} came {len(values)} times: {values}"
        return values[0] if values else None


def family_of(address):
    """Of (host, port), or of the path of a unix socket."""
    if isinstance(address, str):
        return socket.AF_UNIX
    return socket.AF_INET6 if ":" in address[0] else socket.AF_INET


def no_delay(sock):
    if sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Connection:
    """One end of a connection."""

    def __init__(self, sock):
        self.socket = sock
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))

    def end_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def _fill(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError as error:
            raise Cut("reset") from error
        if not data:
            raise Cut(f"closed after {self.received[:200]!r}")
        self.received += data

    def read_until(self, mark):
        while mark not in self.received:
            self._fill()
        data, self.received = self.received.split(mark, 1)
        return data

    def read_bytes(self, count):
        if count > len(self.received):  # Not by += of many MB.
            pieces = [self.received]
            missing = count - len(self.received)
            while missing > 0:
                try:
                    piece = self.socket.recv(min(missing, 1 << 20))
                except ConnectionResetError as error:
                    raise Cut("reset") from error
                if not piece:
                    self.received = b"".join(pieces)
                    raise Cut(f"closed with {missing} bytes missing")
                pieces.append(piece)
                missing -= len(piece)
            self.received = b"".join(pieces)
        data, self.received = self.received[:count], self.received[count:]
        return data

    def read_chunk(self):
        """The next chunk's data; empty for the last, with no trailer read."""
        size = int(self.read_until(b"\r\n"), 16)
        data = self.read_bytes(size)
        if size > 0:
            assert self.read_bytes(2) == b"\r\n"
        return data

    def read_chunked(self):
        pieces = []
        while piece := self.read_chunk():
            pieces.append(piece)
        while self.read_until(b"\r\n"):
            pass
        return b"".join(pieces)

    def read_to_end(self):
        """Everything up to the end of the stream; Cut when that is a reset."""
        pieces = [self.received]
        self.received = b""
        while True:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError as error:
                raise Cut("reset") from error
            if not data:
                return b"".join(pieces)
            pieces.append(data)


class Client(Connection):
    def __init__(self, address, timeout=PATIENCE, receive_buffer=None):
        sock = socket.socket(family_of(address))
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(timeout)
        try:
            sock.connect(address)
        except OSError:
            sock.close()
            raise
        no_delay(sock)
        super().__init__(sock)

    def get(self, target="/", *fields, method="GET", body=None):
        """A request and its answer. With a body it says how long it is."""
        self.request(target, *fields, method=method, body=body)
        return self.read_response(to=method)

    def request(self, target="/", *fields, method="GET", body=None):
        if body is not None:
            fields = (*fields, f"Content-Length: {len(body)}")
        head = [f"{method} {target} HTTP/1.1", "Host: test", *fields]
        self.send("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + (body or b""))

    def read_head(self):
        return Message(self.read_until(b"\r\n\r\n"))

    def read_response(self, to="GET"):
        """A whole answer, by its own framing; interim ones are messages, too."""
        response = self.read_head()
        if to == "HEAD" or response.status < 200 or response.status in (204, 304):
            return response
        if response["Transfer-Encoding"] == "chunked":
            response.body = self.read_chunked()
        elif response["Content-Length"] is not None:
            response.body = self.read_bytes(int(response["Content-Length"]))
        else:
            response.body = self.read_to_end()
        return response

    def is_closed(self):
        """Waits for the end of the stream; False when anything else comes, or nothing."""
        try:
            return self.received == b"" and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False


def answer(body=b"", *fields, status="200 OK"):
    """An answer with a Content-Length."""
    body = body if isinstance(body, bytes) else body.encode()
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields])
    return head.encode("latin-1") + b"\r\n\r\n" + body


def chunked(*chunks):
    """The chunked form of a body."""
    parts = [b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks]
    return b"".join(parts) + b"0\r\n\r\n"


class BackendConnection(Connection):
    """The backend's end of a connection from lbd."""

    def __init__(self, sock, number, backend):
        super().__init__(sock)
        self.number = number
        self._backend = backend

    def read_head(self):
        """The next request without its body; None when there is none."""
        try:
            request = Message(self.read_until(b"\r\n\r\n"))
        except Cut:
            if self.received:
                raise
            return None
        request.connection = self.number
        self._backend.heads.append(request)
        return request

    def read_body(self, request):
        if request["Transfer-Encoding"] == "chunked":
            request.body = self.read_chunked()
        elif request["Content-Length"] is not None:
            request.body = self.read_bytes(int(request["Content-Length"]))

    def read_request(self):
        """The next request in full; None when there is none."""
        request = self.read_head()
        if request is not None:
            self.read_body(request)
            self._backend.requests.append(request)
        return request


class Backend:
    """A backend in this process, one thread for each connection.

    Backend(answer_to) answers every request with answer_to(request): bytes, or None to close.
    Backend(serve=script) leaves a whole connection to script(connection); it is closed after it.
    What a script raises because lbd went away is no error. `bind` is (host, port), or the path of
    a unix socket.
    """

    def __init__(self, answer_to=None, serve=None, name="b", bind=("127.0.0.1", 0)):
        self.name = name
        self._answer_to = answer_to or (lambda request: answer(self.name))
        self._serve = serve or self._answer_all
        self.heads = []        # Of requests, as soon as they came
        self.requests = []     # Requests that came in full
        self.connections = []  # All that were ever accepted
        self.errors = []
        self._threads = []
        self._listener = socket.socket(family_of(bind))
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(bind)
        self._listener.listen(128)
        if isinstance(bind, str):
            self.address = "unix:" + bind
        else:
            host = f"[{bind[0]}]" if ":" in bind[0] else bind[0]
            self.address = "%s:%d" % (host, self._listener.getsockname()[1])

    def __enter__(self):
        self._threads.append(threading.Thread(target=self._accept, daemon=True))
        self._threads[0].start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self.connections:
            # Wakes the thread that reads from it.
            try:
                connection.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self._threads:
            thread.join(PATIENCE)
        for connection in self.connections:
            connection.close()
        assert not self.errors, self.errors

    def targets(self):
        return [request.target for request in list(self.requests)]

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            no_delay(sock)
            connection = BackendConnection(sock, len(self.connections) + 1, self)
            self.connections.append(connection)
            thread = threading.Thread(target=self._run, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _run(self, connection):
        try:
            self._serve(connection)
        except (Cut, OSError):
            pass
        except BaseException as error:
            self.errors.append(repr(error))
        finally:
            if connection.socket.fileno() >= 0:
                connection.close()

    def _answer_all(self, connection):
        while request := connection.read_request():
            data = self._answer_to(request)
            if data is None:
                return
            connection.send(data)

