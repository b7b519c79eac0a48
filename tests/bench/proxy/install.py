"""Installs the peers from Debian packages, only when asked to and only what is missing."""

import contextlib
import os
import subprocess

from processes import Unusable
from proxies import Nginx, which

# Packages of daemons start them at once. An operator wants that, a benchmark does not: this
# script, where Debian's maintainer scripts look for it, forbids it while we install.
POLICY = "/usr/sbin/policy-rc.d"


def install_missing(programs, want_stream):
    packages = [program for program in programs if not which(program)]
    if want_stream and (not which("nginx") or Nginx.stream_module() is None):
        packages.append("libnginx-mod-stream")
    if not packages:
        return
    if os.geteuid() != 0:
        raise Unusable("--install has to run as root to install " + " ".join(packages))
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    with no_daemon_starts():
        for command in (["apt-get", "-qq", "update"],
                        ["apt-get", "-qq", "install", "-y", "--no-install-recommends", *packages]):
            done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  check=False)
            if done.returncode != 0:
                raise Unusable(f"{' '.join(command)} failed:\n{done.stdout}")


@contextlib.contextmanager
def no_daemon_starts():
    if os.path.exists(POLICY):  # Somebody has a policy already; it is not ours to change.
        yield
        return
    with open(POLICY, "w") as policy:
        policy.write("#!/bin/sh\nexit 101\n")
    os.chmod(POLICY, 0o755)
    try:
        yield
    finally:
        os.remove(POLICY)
