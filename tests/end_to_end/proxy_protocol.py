"""The PROXY protocol for tests, by hand: headers as a proxy sends them, and backends that want one
in front of everything else."""

import ipaddress
import socket
import struct

from wire import Backend, Client

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
CLIENT = "203.0.113.7"  # Nobody here has these addresses.
SERVER = "198.51.100.2"


def v1(source=CLIENT, destination=SERVER, source_port=4711, destination_port=443):
    family = "TCP6" if ":" in source else "TCP4"
    return f"PROXY {family} {source} {destination} {source_port} {destination_port}\r\n".encode()


def v2(source=CLIENT, destination=SERVER, source_port=4711, destination_port=443, more=b""):
    addresses = b"".join(ipaddress.ip_address(text).packed for text in (source, destination))
    family = 0x21 if ":" in source else 0x11
    return v2_block(0x21, family,
                    addresses + struct.pack(">HH", source_port, destination_port) + more)


def v2_block(command, family, block=b"", length=None):
    length = len(block) if length is None else length
    return SIGNATURE + struct.pack(">BBH", command, family, length) + block


class ProxiedClient(Client):
    """Says who it is before anything else."""

    def __init__(self, address, header=None, **options):
        super().__init__(address, **options)
        self.send(v1() if header is None else header)


def receive(sock, count):
    """Exactly so many bytes and not one more: what follows may be TLS."""
    data = b""
    while len(data) < count:
        piece = sock.recv(count - len(data))
        if not piece:
            raise ConnectionResetError(f"closed after {data!r}")
        data += piece
    return data


def read_header(sock):
    """What a connection begins with: the words of version 1, or (command, family, addresses)."""
    start = receive(sock, 12)
    if start != SIGNATURE:
        assert start.startswith(b"PROXY "), start
        while not start.endswith(b"\r\n"):
            start += receive(sock, 1)
        return tuple(start.decode().split())
    command, family, length = struct.unpack(">BBH", receive(sock, 4))
    return command, family, receive(sock, length)


def addresses(family, block):
    """(source, port), (destination, port)"""
    size = 4 if family == 0x11 else 16
    ports = struct.unpack(">HH", block[2 * size:])
    names = [str(ipaddress.ip_address(block[at:at + size])) for at in (0, size)]
    return tuple(zip(names, ports))


class ProxyBackend(Backend):
    """Wants a header. `headers` has those that came."""

    context = None  # For TLS behind it.

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.headers = []

    def _run(self, connection):
        try:
            header = read_header(connection.socket)
            self.headers.append(header)
            if self.context is not None:
                connection.socket = self.context.wrap_socket(connection.socket, server_side=True)
        except AssertionError as error:
            self.errors.append(str(error))
            return
        except OSError:
            return  # Whoever looks whether somebody listens says nothing.
        connection.header = header
        super()._run(connection)


def client_from(host, address, timeout=30):
    """A client of 127.0.0.0/8 that connects from there."""
    client = Client.__new__(Client)
    sock = socket.create_connection(address, timeout=timeout, source_address=(host, 0))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    super(Client, client).__init__(sock)
    return client
