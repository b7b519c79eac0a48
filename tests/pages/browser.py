"""What tests of pages are made of: a folder of their own, an lbsim, and a headless Chromium."""
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

LBSIM, SCENARIOS = Path(sys.argv[1]), Path(sys.argv[2])
SECONDS_MAX = 60
BROWSER = [
    "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--enable-logging=stderr", "--virtual-time-budget=2000",
]


class Pages(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def lbsim(self, *arguments):
        done = subprocess.run([LBSIM, *arguments], capture_output=True, text=True,
                              timeout=SECONDS_MAX, check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)

    def browse(self, page, *what, width=1200):
        done = subprocess.run([*BROWSER, f"--window-size={width},2400",
                               f"--user-data-dir={self.folder / 'profile'}", *what, page.as_uri()],
                              capture_output=True, text=True, timeout=SECONDS_MAX, check=True)
        for line in done.stderr.splitlines():
            if "CONSOLE" in line:
                self.fail(line)  # Nothing there writes to it unless something is wrong.
        return done.stdout

    def drawn(self, page):
        """What the scripts have drawn, and the whole document."""
        document = self.browse(page, "--dump-dom")
        return document[:document.index("<script>")], document

    def check_it_needs_nothing_else(self, page):
        text = page.read_text()
        for what in (r"(?:src|href)\s*=\s*[\"'](?!data:)", r"sourceMappingURL=", r"@import"):
            found = re.search(what, text.split("<script>")[0] if "src" in what else text)
            self.assertIsNone(found and found.group())

    def picture_size(self, page, width=1200):
        picture = self.folder / "page.png"
        self.browse(page, f"--screenshot={picture}", width=width)
        return picture.stat().st_size


def main():
    unittest.main(argv=sys.argv[:1])
