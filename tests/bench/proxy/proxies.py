"""The proxies that are compared: how each is found, configured and started.

All get the same work in its cheapest form: one thread or worker, one backend, connections kept on
both sides, no log, no metrics, no health checks, nothing added beyond what each adds by default.
Whoever can splice streams may (HAProxy, lbd); nginx cannot.
"""

import dataclasses
import os
import re
import shutil
import subprocess

from processes import Process, free_port, start_announced

# Daemons live where a user's PATH on Debian does not look.
SEARCH_PATH = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"


def which(program):
    return shutil.which(program, path=SEARCH_PATH)


@dataclasses.dataclass
class Site:
    """What a proxy needs to know of the place it is started in."""
    directory: str
    cpus: set
    protocol: str  # http or tcp
    backend_ports: list  # Only lbd is ever put in front of more than one.
    certificate: object = None  # Of a listener with TLS; see handshakes.py.
    under: tuple = ()  # A command that runs the proxy, such as valgrind with its options.

    @property
    def backend_port(self):
        return self.backend_ports[0]


def version_line(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except OSError as error:
        return f"unknown ({error.strerror})"
    text = (done.stdout + done.stderr).strip()
    return text.splitlines()[0] if text else "unknown"


class Floor:
    name = "floor"
    knows_http = False

    def __init__(self, binary):
        self.binary = binary

    def missing(self, _protocol):
        return None if os.access(self.binary, os.X_OK) else f"{self.binary} is not built"

    def version(self):
        return "floor_relay of this tree"

    def start(self, site):
        command = [*site.under, self.binary, "0", str(site.backend_port)]
        return start_announced(self.name, command, site.cpus, site.directory)


class Configured:
    """A proxy with a configuration file and a port of our choosing."""
    knows_http = True

    def start(self, site):
        port = free_port()
        config = os.path.join(site.directory, self.config_name)
        with open(config, "w") as file:
            file.write(self.config(site, port))
        process = Process(self.name, [*site.under, *self.command(config, site)], site.cpus,
                          site.directory)
        try:
            process.wait_until_accepting(port)
        except BaseException:
            process.stop()
            raise
        return process, port


class Lbd(Configured):
    def __init__(self, binary, workers=1, name="lbd"):
        self.binary = binary
        self.workers = workers
        self.name = name
        self.config_name = name + ".yaml"

    def missing(self, _protocol):
        return None if os.access(self.binary, os.X_OK) else f"{self.binary} is not built"

    def version(self):
        line = version_line([self.binary, "--version"])
        return line if re.search(r"\d+\.\d+", line) else "lbd of this tree"

    def command(self, config, _site):
        return [self.binary, "run", "--config", config]

    def config(self, site, port):
        tls = ""
        if site.certificate:
            tls = (f", tls: {{certificates: [{{certificate: {site.certificate.file}, "
                   f"key: {site.certificate.key}}}]}}")
        backends = "".join(f'      - {{id: b{port}, address: "127.0.0.1:{port}"}}\n'
                           for port in site.backend_ports)
        return f"""\
listeners:
  - {{name: bench, bind: "127.0.0.1:{port}", protocol: {site.protocol}, cluster: bench{tls}}}
clusters:
  - name: bench
    strategy: round_robin
    backends:
{backends}\
workers: {self.workers}
log: {{level: warning, access: "off"}}
"""


class Haproxy(Configured):
    name = "haproxy"
    config_name = "haproxy.cfg"

    def missing(self, _protocol):
        return None if which("haproxy") else "haproxy is not installed"

    def version(self):
        return version_line([which("haproxy"), "-v"])

    def command(self, config, _site):
        return [which("haproxy"), "-db", "-f", config]

    def config(self, site, port):
        reuse = "    http-reuse always\n" if site.protocol == "http" else ""
        splice = "    option splice-auto\n" if site.protocol == "tcp" else ""
        tls = f" ssl crt {site.certificate.both}" if site.certificate else ""
        return f"""\
global
    nbthread 1
    maxconn 4000
defaults
    mode {site.protocol}
    timeout connect 5s
    timeout client 60s
    timeout server 60s
{splice}frontend bench
    bind 127.0.0.1:{port}{tls}
    default_backend bench
backend bench
{reuse}    server b1 127.0.0.1:{site.backend_port}
"""


class Nginx(Configured):
    name = "nginx"
    config_name = "nginx.conf"

    def missing(self, protocol):
        if not which("nginx"):
            return "nginx is not installed"
        if protocol == "tcp" and self.stream_module() is None:
            return "this nginx has no stream module (Debian: libnginx-mod-stream)"
        return None

    def version(self):
        return version_line([which("nginx"), "-v"])

    @staticmethod
    def stream_module():
        """The line that loads the stream module, empty when it is built in, None without it."""
        build = subprocess.run([which("nginx"), "-V"], capture_output=True, text=True,
                               check=False).stderr
        if re.search(r"--with-stream(\s|$)", build):
            return ""
        folder = re.search(r"--modules-path=(\S+)", build)
        module = os.path.join(folder.group(1), "ngx_stream_module.so") if folder else ""
        return f"load_module {module};\n" if os.path.exists(module) else None

    def command(self, config, site):
        return [which("nginx"), "-p", site.directory, "-e", "stderr", "-c", config]

    def config(self, site, port):
        # Workers of a root master become nobody, who may not enter a private folder.
        user = "user root;\n" if os.geteuid() == 0 else ""
        load = (self.stream_module() or "") if site.protocol == "tcp" else ""
        head = f"""\
{load}{user}daemon off;
worker_processes 1;
pid {site.directory}/nginx.pid;
error_log stderr error;
events {{ worker_connections 4000; }}
"""
        return head + (self.stream(site, port) if site.protocol == "tcp" else self.http(site, port))

    @staticmethod
    def stream(site, port):
        return f"""\
stream {{
    access_log off;
    server {{
        listen 127.0.0.1:{port};
        proxy_pass 127.0.0.1:{site.backend_port};
    }}
}}
"""

    @staticmethod
    def http(site, port):
        temporary = "".join(f"    {module}_temp_path {site.directory}/nginx_{module};\n"
                            for module in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        # keepalive_requests: nginx closes a connection after 1000 requests unless told otherwise,
        # which the others do not.
        # proxy_max_temp_file_size 0: an answer larger than the buffers would go through a file,
        # and the disk would be measured.
        secure = ""
        tls = ""
        if site.certificate:
            secure = " ssl"
            # Without a cache or tickets of its own nginx resumes nothing across its workers; with
            # one worker its default tickets do.
            tls = f"""\
        ssl_certificate {site.certificate.file};
        ssl_certificate_key {site.certificate.key};
        ssl_protocols TLSv1.2 TLSv1.3;
"""
        return f"""\
http {{
{temporary}    access_log off;
    keepalive_requests 1000000000;
    proxy_max_temp_file_size 0;
    upstream bench {{
        server 127.0.0.1:{site.backend_port};
        keepalive 64;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port}{secure};
{tls}        location / {{
            proxy_pass http://bench;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
"""
