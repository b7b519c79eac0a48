"""TLS for tests: an authority that signs certificates for a day, clients, and backends.

Certificates are made by `openssl` for each test class, in a directory that goes with it.
"""

import os
import ssl
import subprocess

from testbed import tool
from wire import Backend, Client


def openssl(*arguments, directory=None):
    result = subprocess.run([tool("openssl"), *arguments], cwd=directory, capture_output=True,
                            text=True, timeout=60, check=False)
    assert result.returncode == 0, (arguments, result.stderr)
    return result.stdout


class Authority:
    """Signs certificates; NAME.pem and NAME.key in its directory."""

    def __init__(self, directory, name="authority"):
        self.directory = directory
        self.name = name
        self.ca = self.path(f"{name}.pem")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "1", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                "-out", f"{name}.pem", directory=directory)

    def path(self, name):
        return os.path.join(self.directory, name)

    def issue(self, name, *names, key="ec", subject=None, end=None):
        """A certificate for DNS names, or IP:address; {certificate, key} for a configuration."""
        kind = (["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if key == "ec" else [f"rsa:{key}"])
        openssl("req", "-newkey", *kind, "-nodes", "-subj", subject or f"/CN={name}",
                "-keyout", f"{name}.key", "-out", f"{name}.csr", directory=self.directory)
        alternative = ",".join(n if ":" in n else f"DNS:{n}" for n in names or (name,))
        with open(self.path(f"{name}.ext"), "w") as file:
            file.write(f"subjectAltName={alternative}\n")
        days = ["-days", "1"]
        if end is not None:  # Like -1: so many days from now.
            days = ["-days", str(end)]
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{self.name}.pem",
                "-CAkey", f"{self.name}.key", "-CAcreateserial", "-extfile", f"{name}.ext", *days,
                "-out", f"{name}.pem", directory=self.directory)
        os.chmod(self.path(f"{name}.key"), 0o600)
        return {"certificate": self.path(f"{name}.pem"), "key": self.path(f"{name}.key")}


def client_context(authority=None, version=None, identity=None, protocols=None):
    """Trusts the authority alone; without one, anybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if authority is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(authority.ca)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if identity is not None:
        context.load_cert_chain(identity["certificate"], identity["key"])
    if protocols is not None:
        context.set_alpn_protocols(protocols)
    return context


class TlsClient(Client):
    """Says that it is cut when the other side ends without TLS's word for it."""

    def __init__(self, address, context, name="a.example", session=None, **options):
        super().__init__(address, **options)
        plain = self.socket
        try:
            self.socket = context.wrap_socket(plain, server_hostname=name, session=session,
                                              suppress_ragged_eofs=False)
        except BaseException:
            plain.close()
            raise

    def certificate_names(self):
        """Of the server; empty when it was not verified."""
        found = self.socket.getpeercert().get("subjectAltName", ())
        return {name for _, name in found}

    def is_closed(self):
        try:
            return super().is_closed()
        except ssl.SSLError:
            return True


class TlsBackend(Backend):
    """handshakes: of each one that succeeded, whether it was resumed."""

    def __init__(self, identity, *arguments, clients=None, **options):
        super().__init__(*arguments, **options)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(identity["certificate"], identity["key"])
        self.names = []
        self.context.sni_callback = lambda sock, name, context: self.names.append(name)
        if clients is not None:
            self.context.load_verify_locations(clients.ca)
            self.context.verify_mode = ssl.CERT_REQUIRED
        self.handshakes = []
        self.refusals = []

    def _run(self, connection):
        try:
            connection.socket = self.context.wrap_socket(connection.socket, server_side=True)
        except OSError as error:
            self.refusals.append(str(error))
            return
        self.handshakes.append(connection.socket.session_reused)
        super()._run(connection)
