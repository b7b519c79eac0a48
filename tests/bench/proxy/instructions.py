"""Instructions per request in user space, counted by valgrind's callgrind.

They repeat where times do not, to a few in ten thousand. Start and stop of a proxy are instructions,
too, and so is its first use of each connection: two runs, one with twice the requests of the other,
differ by requests alone. One at a time, so that no request shares a wait with another.
"""

import glob
import os
import re

from load import ExactLoad
from processes import Failed, Unusable
from proxies import which

REQUESTS = 1000


def instructions_per_request(proxy, site):
    least, twice = (run(proxy, site, count) for count in (REQUESTS, 2 * REQUESTS))
    return (twice - least) / REQUESTS


def run(proxy, site, requests):
    """How many instructions a life with so many requests takes."""
    valgrind = which("valgrind")
    if valgrind is None:
        raise Unusable("valgrind is not installed; --install installs it")
    written = os.path.join(site.directory, f"callgrind.{proxy.name}.{requests}")
    # %p: a proxy may have a process for its workers, which is counted with it.
    site.under = (valgrind, "--tool=callgrind", f"--callgrind-out-file={written}.%p")
    try:
        process, port = proxy.start(site)
    finally:
        site.under = ()
    with process, ExactLoad(proxy.name, port, connections=1) as load:
        load.send_waves(requests)
    totals = [total_of(path) for path in glob.glob(glob.escape(written) + ".*")]
    if not sum(totals):
        raise Failed(f"{proxy.name}: callgrind counted nothing: {process.complaint()}")
    return sum(totals)


def total_of(path):
    with open(path) as file:
        found = re.search(r"^(?:totals|summary): (\d+)", file.read(), re.MULTILINE)
    return int(found.group(1)) if found else 0
